package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.view.SocketStatus;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** The properties of {@code org.freedesktop.systemd1.Socket}. */
final class SocketProperties {
    /** A socket with its subject. */
    record Socket(Subject subject, SocketUnit unit) {
        static Socket of(Subject subject) {
            return new Socket(subject, (SocketUnit) subject.view().unit());
        }

        SocketSection section() {
            return unit.socket();
        }

        Optional<SocketStatus> status() {
            return subject.view().details(SocketStatus.class);
        }

        long count(ToLongFunction<SocketStatus> of) {
            return status().map(of::applyAsLong).orElse(0L);
        }
    }

    static final PropertyTable<Socket> TABLE = table();

    private SocketProperties() {}

    private static PropertyTable<Socket> table() {
        PropertyTable<Socket> table = new PropertyTable<>();
        addLife(table);
        addSettings(table);
        return table;
    }

    private static void addLife(PropertyTable<Socket> table) {
        table.changing("Result", "s", s -> s.subject.view().status().result())
                .changing("CleanResult", "s", _ -> "success")
                .changing("NConnections", "u", s -> s.count(SocketStatus::connections))
                .changing("NAccepted", "u", s -> s.count(SocketStatus::accepted))
                .changing("NRefused", "u", s -> s.count(SocketStatus::refused))
                .changing("ControlPID", "u", _ -> 0); // it runs no commands
    }

    private static void addSettings(PropertyTable<Socket> table) {
        table.fixed("Listen", "a(ss)", s -> listens(s.section()))
                .fixed("Accept", "b", s -> s.section().accept())
                .fixed("FileDescriptorName", "s", s -> s.section().descriptorName())
                .fixed("Backlog", "u", s -> s.section().backlog())
                .fixed("SocketMode", "u", s -> s.section().mode())
                .fixed("DirectoryMode", "u", s -> s.section().directoryMode())
                .fixed("SocketUser", "s", s -> s.section().owner().user().orElse(""))
                .fixed("SocketGroup", "s", s -> s.section().owner().group().orElse(""))
                .fixed("MaxConnections", "u", s -> s.section().maxConnections())
                .fixed("MaxConnectionsPerSource", "u", s -> s.section().maxConnectionsPerSource())
                .fixed("RemoveOnStop", "b", s -> s.section().removeOnStop())
                .fixed("Symlinks", "as", s -> s.section().symlinks())
                .fixed("PassCredentials", "b", s -> s.section().passCredentials())
                .fixed("PassPIDFD", "b", s -> s.section().passPidfd())
                .fixed("BindIPv6Only", "s", s -> ipv6Only(s.section()))
                .fixed(
                        "TriggerLimitIntervalUSec",
                        "t",
                        s -> Micros.of(s.section().triggerLimit().interval()))
                .fixed("TriggerLimitBurst", "u", s -> s.section().triggerLimit().burst())
                .fixed(
                        "PollLimitIntervalUSec",
                        "t",
                        s -> Micros.of(s.section().pollLimit().interval()))
                .fixed("PollLimitBurst", "u", s -> s.section().pollLimit().burst());
    }

    private static List<?> listens(SocketSection section) {
        return section.listens().stream()
                .map(listen -> List.of(listen.kind().word(), listen.address().toString()))
                .toList();
    }

    private static String ipv6Only(SocketSection section) {
        return section.ipv6Only().map(only -> only ? "ipv6-only" : "both").orElse("default");
    }
}
