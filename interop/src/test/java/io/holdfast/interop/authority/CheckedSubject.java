package io.holdfast.interop.authority;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The subject of checks: a process, and a connection of it to the bus of each authority. */
final class CheckedSubject implements AutoCloseable {
    /** How a check identifies the subject. */
    enum Kind {
        NUMBER,
        DESCRIPTOR,
        BUS_NAME
    }

    private final TwoAuthorities.Role role;
    private final PidFd process;
    private final List<Child> connected = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    /**
     * Starts the process and the connections.
     *
     * @param parent the parent of the process
     */
    CheckedSubject(
            TwoAuthorities stage,
            SubjectPlace subjectPlace,
            TwoAuthorities.Role role,
            ForeignParent parent)
            throws InterruptedException {
        this.role = role;
        String place = stage.cgroup(subjectPlace, role);
        process = parent.held(role.name(), "cgroup=" + place, "uid=" + role.uid());
        for (AuthorityUnderTest underTest : stage.both()) {
            names.add(connect(underTest, place));
        }
    }

    private String connect(AuthorityUnderTest underTest, String place) throws InterruptedException {
        String wanted = "org.holdfast.checked.u" + role.uid();
        String groups =
                role.groups().stream().map(String::valueOf).collect(Collectors.joining(","));
        BusConnection bus = underTest.connection();
        try (Cgroup cgroup =
                        Cgroup.open("/" + Path.of(Cgroup.mountPoint()).relativize(Path.of(place)));
                Subscription owners =
                        bus.subscribe(
                                "type='signal',member='NameOwnerChanged',arg0='" + wanted + "'")) {
            connected.add(
                    Spawn.of(
                                    "setpriv",
                                    "--reuid=" + role.uid(),
                                    "--regid=" + role.groups().getFirst())
                            .arguments(List.of("--groups=" + groups, "dbus-test-tool"))
                            .arguments(List.of("black-hole", "--system", "--name=" + wanted))
                            .environment("DBUS_SYSTEM_BUS_ADDRESS", underTest.address())
                            .cgroup(cgroup)
                            .stdin(Stdio.devNull())
                            .start());
            while (bus.owner(wanted).isEmpty()) {
                owners.take().close();
            }
            return bus.owner(wanted).orElseThrow();
        }
    }

    /**
     * Returns the subject as a check identifies it.
     *
     * @param which the bus: 0 is polkitd's, 1 ours
     */
    Struct subject(Kind kind, int which) {
        Variant uid = Variant.of("i", (int) role.uid());
        return switch (kind) {
            case NUMBER ->
                    Struct.of(
                            "unix-process",
                            Map.of(
                                    "pid",
                                    Variant.of("u", (long) process.pid()),
                                    "start-time",
                                    Variant.of("t", process.proc().startTicks()),
                                    "uid",
                                    uid));
            case DESCRIPTOR ->
                    Struct.of(
                            "unix-process",
                            Map.of("pidfd", Variant.of("h", process.fd()), "uid", uid));
            case BUS_NAME ->
                    Struct.of("system-bus-name", Map.of("name", Variant.of(names.get(which))));
        };
    }

    /** Ends the connections; the process belongs to its parent. */
    @Override
    public void close() {
        for (Child child : connected) {
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.onExit().join();
            child.close();
        }
        process.close();
    }

    @Override
    public String toString() {
        return role.name();
    }
}
