package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.word;
import static io.holdfast.manager.systemd1.property.SettableProperty.words;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.format.Quoting;
import io.holdfast.manager.unit.settings.NamespaceSettings;
import io.holdfast.manager.unit.settings.NamespaceSettings.PrivateUsers;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProcSubset;
import io.holdfast.manager.unit.settings.NamespaceSettings.Propagation;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProtectProc;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The properties that describe the sandbox of a unit's processes, with what it implies. */
final class SandboxProperties {
    private static final long RECURSIVE = 0x4000; // MS_REC

    /** MS_SHARED, MS_SLAVE, MS_PRIVATE. */
    private static final Map<Propagation, Long> PROPAGATIONS =
            Map.of(
                    Propagation.SHARED, 1L << 20,
                    Propagation.SLAVE, 1L << 19,
                    Propagation.PRIVATE, 1L << 18);

    private SandboxProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, SandboxSettings> sandbox) {
        for (SandboxSettings.Flag flag : SandboxSettings.Flag.values()) {
            if (flag != SandboxSettings.Flag.PRIVATE_HOSTNAME) { // a value of ProtectHostname=
                table.settable(
                        flag.directive(), bool(flag.directive()), t -> sandbox.apply(t).has(flag));
            }
        }
        table.settable(
                        "ProtectSystem",
                        text("ProtectSystem"),
                        t -> UnitProperties.word(sandbox.apply(t).protectSystem()))
                .settable(
                        "ProtectHome",
                        text("ProtectHome"),
                        t -> UnitProperties.word(sandbox.apply(t).protectHome()))
                .settable(
                        "PrivateTmp",
                        bool("PrivateTmp"),
                        t -> sandbox.apply(t).privateTmp() != PrivateTmp.NO)
                .settable("PrivateTmpEx", text("PrivateTmp"))
                .settable(
                        "RootDirectory",
                        text("RootDirectory"),
                        t ->
                                sandbox.apply(t)
                                        .root()
                                        .filter(SandboxSettings.Root::isFolder)
                                        .map(SandboxSettings.Root::path)
                                        .orElse(""))
                .settable("BindPaths", new SettableProperty("a(ssbt)", binds("BindPaths")))
                .settable(
                        "BindReadOnlyPaths",
                        new SettableProperty("a(ssbt)", binds("BindReadOnlyPaths")))
                .settable(
                        "TemporaryFileSystem",
                        new SettableProperty("a(ss)", SandboxProperties::temporary));
        addNamespaces(table, sandbox.andThen(SandboxSettings::namespaces));
        for (SandboxSettings.Access access : SandboxSettings.Access.values()) {
            table.settable(access.directive(), words(access.directive()));
        }
        SystemCallProperties.addTo(table, t -> sandbox.apply(t).systemCalls());
    }

    private static <T> void addNamespaces(
            PropertyTable<T> table, Function<T, NamespaceSettings> namespaces) {
        table.settable(
                        "ProtectProc",
                        word("ProtectProc", ProtectProc.values()),
                        t -> UnitProperties.word(namespaces.apply(t).processes()))
                .settable(
                        "ProcSubset",
                        word("ProcSubset", ProcSubset.values()),
                        t -> UnitProperties.word(namespaces.apply(t).subset()))
                .settable(
                        "NetworkNamespacePath",
                        text("NetworkNamespacePath"),
                        t -> namespaces.apply(t).networkPath().orElse(""))
                .settable(
                        "IPCNamespacePath",
                        text("IPCNamespacePath"),
                        t -> namespaces.apply(t).ipcPath().orElse(""))
                .settable(
                        "PrivateUsers",
                        bool("PrivateUsers"),
                        t -> namespaces.apply(t).users() != PrivateUsers.NO)
                .settable("PrivateUsersEx", text("PrivateUsers"))
                .settable(
                        "PrivatePIDs",
                        text("PrivatePIDs"),
                        t -> namespaces.apply(t).ownProcesses() ? "yes" : "no")
                .settable(
                        "MountFlags",
                        new SettableProperty("t", SandboxProperties::propagation),
                        t -> namespaces.apply(t).propagation().map(PROPAGATIONS::get).orElse(0L))
                .settable("ProtectControlGroupsEx", text("ProtectControlGroups"))
                .settable("ProtectHostnameEx", text("ProtectHostname"))
                .settable("MountAPIVFS", bool("MountAPIVFS"), _ -> false);
    }

    private static void propagation(UnitDescription unit, String section, Object value) {
        for (Map.Entry<Propagation, Long> each : PROPAGATIONS.entrySet()) {
            if (each.getValue().equals(value)) {
                unit.line(section, "MountFlags", UnitProperties.word(each.getKey()));
                return;
            }
        }
        if (!value.equals(0L)) {
            throw SettableProperty.invalid("MountFlags", value);
        }
        unit.line(section, "MountFlags", "");
    }

    private static SettableProperty.Setter binds(String directive) {
        return (unit, section, value) -> {
            SettableProperty.reset(unit, section, directive, value);
            for (Object each : (List<?>) value) {
                Struct bind = (Struct) each;
                String optional = (Boolean) bind.get(2) ? "-" : "";
                String options = ((Long) bind.get(3) & RECURSIVE) != 0 ? "rbind" : "norbind";
                unit.literal(
                        section,
                        directive,
                        Quoting.LITERAL.quote(
                                optional
                                        + path(directive, bind.get(0))
                                        + ":"
                                        + path(directive, bind.get(1))
                                        + ":"
                                        + options));
            }
        };
    }

    private static void temporary(UnitDescription unit, String section, Object value) {
        String directive = "TemporaryFileSystem";
        SettableProperty.reset(unit, section, directive, value);
        for (Object each : (List<?>) value) {
            Struct mount = (Struct) each;
            String options = (String) mount.get(1);
            unit.literal(
                    section,
                    directive,
                    Quoting.LITERAL.quote(
                            path(directive, mount.get(0))
                                    + (options.isEmpty() ? "" : ":" + options)));
        }
    }

    /** Returns a path that the text of the directive can contain. */
    private static String path(String directive, Object path) {
        String text = (String) path;
        if (text.contains(":") || text.endsWith("\\")) { // it would escape the colon behind it
            throw SettableProperty.invalid(directive, path);
        }
        return text;
    }
}
