package io.holdfast.interop.authority;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.ObjectPath;
import java.util.List;

/** A service manager on a bus, which returns the units of processes by their cgroups. */
final class UnitsOnBus {
    private static final String NAME = "org.freedesktop.systemd1";
    private static final String UNITS = "/org/freedesktop/systemd1/unit/";

    private final CgroupPath root;

    /**
     * @param root the cgroup that contains the units
     */
    UnitsOnBus(CgroupPath root) {
        this.root = root;
    }

    /** Serves until the connection is closed. */
    void serve(BusConnection bus) throws InterruptedException {
        var _ =
                bus.export(
                        "/org/freedesktop/systemd1",
                        BusInterface.named(NAME + ".Manager")
                                .concurrent()
                                .method("GetUnitByPIDFD", "h", "osay", this::unit)
                                .build());
        for (String name : List.of("plain", "sealed")) {
            var _ =
                    bus.export(
                            UNITS + name,
                            BusInterface.named(NAME + ".Service")
                                    .property("NoNewPrivileges", "b", () -> name.equals("sealed"))
                                    .build());
        }
        var _ = bus.requestName(NAME);
    }

    private List<?> unit(MethodCall call) {
        try (PidFd process =
                PidFd.adopt(call.descriptor(call.argument(0, Handle.class)).duplicate())) {
            String unit =
                    process.cgroupPath()
                            .relativeTo(root)
                            .unit()
                            .orElseThrow(() ->
                                    new DBusException(NAME + ".NoUnitForPID", "it is in no unit"));
            String path = unit.replaceFirst("[.].*", "").replaceAll("[^a-z]", "_");
            return List.of(new ObjectPath(UNITS + path), unit, new byte[16]);
        }
    }
}
