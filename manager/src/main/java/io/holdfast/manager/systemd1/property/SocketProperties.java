package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.mode;
import static io.holdfast.manager.systemd1.property.SettableProperty.number;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.time;
import static io.holdfast.manager.systemd1.property.SettableProperty.words;

import io.holdfast.core.process.ProcessId;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.SocketOption;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.UnitSection.StartLimit;
import io.holdfast.manager.view.SocketStatus;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The properties of {@code org.freedesktop.systemd1.Socket}. */
final class SocketProperties {
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

    private static final Set<String> LISTENS =
            Stream.of(Listen.Kind.values())
                    .filter(Listen.Kind::isSupported)
                    .map(kind -> "Listen" + kind.word())
                    .collect(Collectors.toUnmodifiableSet());

    static final PropertyTable<Socket> TABLE = table();

    private SocketProperties() {}

    private static PropertyTable<Socket> table() {
        PropertyTable<Socket> table = new PropertyTable<>();
        addLife(table);
        addSettings(table);
        CommandProperties.addTo(table, "ExecStartPre", s -> s.unit.commands().startPre());
        CommandProperties.addTo(table, "ExecStartPost", s -> s.unit.commands().startPost());
        CommandProperties.addTo(table, "ExecStopPre", s -> s.unit.commands().stopPre());
        CommandProperties.addTo(table, "ExecStopPost", s -> s.unit.commands().stopPost());
        table.settable("TimeoutUSec", time("TimeoutSec"), s -> Micros.of(s.unit.timeout()));
        ExecProperties.addTo(table, s -> s.unit.exec());
        KillProperties.addTo(table, s -> s.unit.kill());
        CgroupProperties.addTo(table, Socket::subject, s -> s.unit.cgroup());
        return table;
    }

    private static void addLife(PropertyTable<Socket> table) {
        table.changing("Result", "s", s -> s.subject.view().status().result())
                .changing("CleanResult", "s", _ -> "success")
                .changing("NConnections", "u", s -> s.count(SocketStatus::connections))
                .changing("NAccepted", "u", s -> s.count(SocketStatus::accepted))
                .changing("NRefused", "u", s -> s.count(SocketStatus::refused))
                .changing(
                        "ControlPID",
                        "u",
                        s -> s.count(status -> status.control().map(ProcessId::pid).orElse(0)));
    }

    private static void addSettings(PropertyTable<Socket> table) {
        table.settable("Listen", new SettableProperty("a(ss)", SocketProperties::listen))
                .fixed("Listen", "a(ss)", s -> listens(s.section()))
                .settable("Accept", bool("Accept"), s -> s.section().accept())
                .settable(
                        "FileDescriptorName",
                        text("FileDescriptorName"),
                        s -> s.section().descriptorName())
                .settable("Backlog", number("u", "Backlog"), s -> s.section().backlog())
                .settable("SocketMode", mode("SocketMode"), s -> (long) s.section().mode())
                .settable(
                        "DirectoryMode",
                        mode("DirectoryMode"),
                        s -> (long) s.section().directoryMode())
                .settable(
                        "SocketUser",
                        text("SocketUser"),
                        s -> s.section().owner().user().orElse(""))
                .settable(
                        "SocketGroup",
                        text("SocketGroup"),
                        s -> s.section().owner().group().orElse(""))
                .settable(
                        "MaxConnections",
                        number("u", "MaxConnections"),
                        s -> s.section().maxConnections())
                .settable(
                        "MaxConnectionsPerSource",
                        number("u", "MaxConnectionsPerSource"),
                        s -> s.section().maxConnectionsPerSource())
                .settable("RemoveOnStop", bool("RemoveOnStop"), s -> s.section().removeOnStop())
                .settable("Symlinks", words("Symlinks"), s -> s.section().symlinks())
                .settable(
                        "PassCredentials",
                        bool("PassCredentials"),
                        s -> s.section().passCredentials())
                .settable("PassPIDFD", bool("PassPIDFD"), s -> s.section().passPidfd())
                .settable("BindIPv6Only", text("BindIPv6Only"), s -> ipv6Only(s.section()));
        for (SocketOption option : SocketOption.values()) {
            addOption(table, option);
        }
        addLimit(table, "TriggerLimit", SocketSection::triggerLimit);
        addLimit(table, "PollLimit", SocketSection::pollLimit);
    }

    private static void addLimit(
            PropertyTable<Socket> table, String name, Function<SocketSection, StartLimit> limit) {
        table.settable(
                        name + "IntervalUSec",
                        time(name + "IntervalSec"),
                        s -> Micros.of(limit.apply(s.section()).interval()))
                .settable(
                        name + "Burst",
                        number("u", name + "Burst"),
                        s -> limit.apply(s.section()).burst());
    }

    private static void addOption(PropertyTable<Socket> table, SocketOption option) {
        String name = option.directive();
        switch (option.kind()) {
            case FLAG -> table.settable(name, bool(name), s -> s.section().has(option));
            case SPAN ->
                    table.settable(
                            name.replace("Sec", "USec"),
                            time(name),
                            s -> s.section().number(option));
            case COUNT -> table.settable(name, number("u", name), s -> s.section().number(option));
            case SIZE -> table.settable(name, number("t", name), s -> s.section().number(option));
            case LONG -> table.settable(name, number("x", name), s -> s.section().number(option));
            case NUMBER, SERVICE ->
                    table.settable(
                            name,
                            number("i", name),
                            s ->
                                    Integer.parseInt(
                                            s.section().options().getOrDefault(option, "-1")));
            case PROTOCOL ->
                    table.settable(name, number("i", name), s -> (int) s.section().number(option));
            case TEXT, TIMESTAMPS ->
                    table.settable(
                            name,
                            text(name),
                            s ->
                                    s.section()
                                            .options()
                                            .getOrDefault(
                                                    option,
                                                    option.kind() == SocketOption.Kind.TEXT
                                                            ? ""
                                                            : "off"));
        }
    }

    /** Writes addresses, each with the rest of its directive's name: {@code Stream}. */
    private static void listen(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "ListenStream", value);
        for (Object each : (List<?>) value) {
            Struct listen = (Struct) each;
            String directive = "Listen" + listen.get(0);
            if (!LISTENS.contains(directive)) {
                throw Errors.invalid("Invalid Listen setting: " + listen.get(0));
            }
            unit.literal(section, directive, (String) listen.get(1));
        }
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
