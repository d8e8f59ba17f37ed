package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A user who refers to as many units as possible leaves room for root and for other users. */
@Timeout(120)
@Needs(root = true)
class FullUnitTableTest {
    private static final long ATTACKER = 20001;
    private static final long INNOCENT = 20002;
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";

    @TempDir private Path folder;

    @Test
    void oneUserCannotFillTheTableOfUnits() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Stage stage = Stage.in(folder);
        Bus bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        String address = bus.addresses().getFirst().toString();
        try (stage;
                bus;
                Systemd1 face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
                BusConnection root = BusConnection.connect(address);
                BusConnection attacker = connect(address, ATTACKER);
                BusConnection innocent = connect(address, INNOCENT)) {
            var _ = face.connect(address);
            stage.service("x@", "ExecStart=/bin/sleep 1000");
            int units = ManagerLimits.UNITS.intValue();
            RemoteObject attacked = manager(attacker);
            assertThatThrownBy(
                            () -> {
                                for (int i = 0; i < units; i++) {
                                    attacked.call(MANAGER, "RefUnit", "s", "x@" + i + ".service");
                                }
                            })
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e -> assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED))
                    .hasMessageContaining("user " + ATTACKER + " holds");
            assertThat(stage.happenings().await("units that clients of the bus hold: user"))
                    .contains("user " + ATTACKER, "io.holdfast.manager.units");
            assertThat(stage.loaded().size()).isBetween(units / 8, units / 2);
            assertThatThrownBy(() -> attacked.call(MANAGER, "UnrefUnit", "s", "x@none.service"))
                    .hasMessageContaining("not been referenced");
            manager(innocent).call(MANAGER, "RefUnit", "s", "x@innocent.service");
            manager(root).call(MANAGER, "RefUnit", "s", "x@root.service");
            assertThat(stage.start("x@started")).isEqualTo(JobResult.DONE);
        }
    }

    private static BusConnection connect(String address, long user) throws Exception {
        BlockingQueue<BusConnection> made = new LinkedBlockingQueue<>();
        AsUser.of(user, () -> made.add(BusConnection.connect(address)));
        return made.take();
    }

    private static RemoteObject manager(BusConnection client) {
        return client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
    }
}
