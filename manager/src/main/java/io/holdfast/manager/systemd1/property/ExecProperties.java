package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.mode;
import static io.holdfast.manager.systemd1.property.SettableProperty.number;
import static io.holdfast.manager.systemd1.property.SettableProperty.numbered;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.word;
import static io.holdfast.manager.systemd1.property.SettableProperty.words;

import io.holdfast.core.process.CpuPolicy;
import io.holdfast.core.process.IoClass;
import io.holdfast.core.process.Resource;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.LogSettings;
import io.holdfast.manager.unit.settings.StreamSettings.Terminal;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.OpenFile;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.SecureBit;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** The properties that describe the execution environment of a unit's processes. */
final class ExecProperties {
    private static final int UNSET_SIZE = 0xFFFF; // UINT16_MAX
    private static final long GRACEFUL = 1 << 3; // a flag of systemd's bus interface

    private ExecProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        addIdentity(table, exec);
        addEnvironment(table, exec);
        addStreams(table, exec);
        addLog(table, exec.andThen(settings -> settings.streams().log()));
        addFolders(table, exec);
        addPrivileges(table);
        addLimits(table, exec);
        SandboxProperties.addTo(table, exec.andThen(ExecSettings::sandbox));
        JournalProperties.addTo(table, exec.andThen(ExecSettings::journal));
        CredentialProperties.addTo(table, exec.andThen(ExecSettings::credentials));
    }

    private static <T> void addIdentity(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        table.settable("User", text("User"), t -> exec.apply(t).user().orElse(""))
                .settable("Group", text("Group"), t -> exec.apply(t).group().orElse(""))
                .settable(
                        "SupplementaryGroups",
                        words("SupplementaryGroups"),
                        t -> exec.apply(t).supplementaryGroups())
                .settable("DynamicUser", bool("DynamicUser"), t -> exec.apply(t).dynamicUser())
                .settable("RemoveIPC", bool("RemoveIPC"), t -> exec.apply(t).removeIpc())
                .settable(
                        "KeyringMode",
                        word("KeyringMode", ExecSettings.KeyringMode.values()),
                        t -> UnitProperties.word(exec.apply(t).keyring()))
                .settable("SetLoginEnvironment", bool("SetLoginEnvironment"))
                .settable("PAMName", text("PAMName"), t -> exec.apply(t).pamService().orElse(""));
    }

    private static <T> void addEnvironment(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        table.settable(
                        "Environment",
                        new SettableProperty("as", ExecProperties::environment),
                        t -> assignments(exec.apply(t)))
                .settable("EnvironmentFiles", new SettableProperty("a(sb)", ExecProperties::files))
                .settable("PassEnvironment", words("PassEnvironment"))
                .settable("UnsetEnvironment", SettableProperty.escapedWords("UnsetEnvironment"))
                .settable(
                        "WorkingDirectory",
                        text("WorkingDirectory"),
                        t -> exec.apply(t).workingDirectory().map(ExecProperties::shown).orElse(""))
                .settable("UMask", mode("UMask"), t -> (long) exec.apply(t).umask())
                .settable("IgnoreSIGPIPE", bool("IgnoreSIGPIPE"), t -> exec.apply(t).ignorePipe());
    }

    private static void environment(UnitDescription unit, String section, Object value) {
        SettableProperty.escapedWords("Environment").set().set(unit, section, value);
        ((List<?>) value).forEach(assignment -> unit.variable((String) assignment));
    }

    private static List<String> assignments(ExecSettings exec) {
        List<String> assignments = new ArrayList<>();
        exec.environment()
                .assignments()
                .forEach((name, value) -> assignments.add(name + "=" + value));
        return assignments;
    }

    private static void files(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "EnvironmentFile", value);
        for (Object each : (List<?>) value) {
            Struct file = (Struct) each;
            String optional = (Boolean) file.get(1) ? "-" : "";
            unit.literal(section, "EnvironmentFile", optional + file.get(0));
        }
    }

    private static String shown(WorkingDirectory folder) {
        return (folder.optional() ? "!" : "") + (folder.home() ? "~" : folder.path());
    }

    private static <T> void addStreams(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        addStream(table, "StandardInput", exec.andThen(ExecSettings::standardInput));
        addStream(table, "StandardOutput", exec.andThen(ExecSettings::standardOutput));
        addStream(table, "StandardError", exec.andThen(ExecSettings::standardError));
        Function<T, Terminal> terminal = exec.andThen(settings -> settings.streams().terminal());
        table.settable("TTYPath", text("TTYPath"), terminal.andThen(t -> t.named().orElse("")))
                .settable("TTYReset", bool("TTYReset"), terminal.andThen(Terminal::reset))
                .settable("TTYVHangup", bool("TTYVHangup"), terminal.andThen(Terminal::hangUp))
                .settable(
                        "TTYVTDisallocate",
                        bool("TTYVTDisallocate"),
                        terminal.andThen(Terminal::clear))
                .settable("TTYRows", number("q", "TTYRows"), terminal.andThen(t -> size(t.rows())))
                .settable(
                        "TTYColumns",
                        number("q", "TTYColumns"),
                        terminal.andThen(t -> size(t.columns())))
                .settable(
                        "StandardInputData",
                        new SettableProperty("ay", ExecProperties::inputData),
                        exec.andThen(settings -> settings.streams().inputData()))
                .settable(
                        "OpenFile",
                        new SettableProperty("a(sst)", ExecProperties::openFiles),
                        exec.andThen(settings ->
                                settings.streams().files().stream()
                                        .map(ExecProperties::openFile)
                                        .toList()));
    }

    private static <T> void addLog(PropertyTable<T> table, Function<T, LogSettings> log) {
        table.settable(
                        "SyslogIdentifier",
                        text("SyslogIdentifier"),
                        log.andThen(l -> l.identifier().orElse("")))
                .settable(
                        "SyslogFacility",
                        number("i", "SyslogFacility"),
                        log.andThen(LogSettings::facility))
                .settable(
                        "SyslogLevel", number("i", "SyslogLevel"), log.andThen(LogSettings::level))
                .settable(
                        "SyslogLevelPrefix",
                        bool("SyslogLevelPrefix"),
                        log.andThen(LogSettings::levelPrefix))
                .fixed("SyslogPriority", "i", log.andThen(LogSettings::priority));
    }

    private static int size(OptionalInt size) {
        return size.orElse(UNSET_SIZE);
    }

    private static void inputData(UnitDescription unit, String section, Object value) {
        unit.line(section, "StandardInputData", Base64.getEncoder().encodeToString((byte[]) value));
    }

    private static List<Object> openFile(OpenFile file) {
        long graceful = file.graceful() ? GRACEFUL : 0;
        return List.of(file.path(), file.name(), file.mode().flag() | graceful);
    }

    private static void openFiles(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "OpenFile", value);
        for (Object each : (List<?>) value) {
            Struct file = (Struct) each;
            long flags = (Long) file.get(2);
            List<String> options = new ArrayList<>();
            for (OpenFile.Mode mode : OpenFile.Mode.values()) {
                if ((flags & mode.flag()) != 0) {
                    options.add(mode.word());
                }
            }
            if ((flags & GRACEFUL) != 0) {
                options.add("graceful");
            }
            unit.literal(
                    section,
                    "OpenFile",
                    file.get(0) + ":" + file.get(1) + ":" + String.join(",", options));
        }
    }

    private static <T> void addStream(
            PropertyTable<T> table, String name, Function<T, StandardStream> stream) {
        table.settable(name, text(name), stream.andThen(StandardStream::word))
                .settable(name + "FileDescriptorName", prefixed(name, "fd:"))
                .settable(name + "File", prefixed(name, "file:"));
        if (!name.equals("StandardInput")) {
            table.settable(name + "FileToAppend", prefixed(name, "append:"))
                    .settable(name + "FileToTruncate", prefixed(name, "truncate:"));
        }
    }

    private static SettableProperty prefixed(String directive, String prefix) {
        return new SettableProperty(
                "s", (unit, section, value) -> unit.literal(section, directive, prefix + value));
    }

    private static <T> void addFolders(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        for (ExecDirectory.Kind kind : ExecDirectory.Kind.values()) {
            String directive = kind.directive();
            table.settable(directive, words(directive))
                    .settable(
                            directive + "Mode",
                            mode(directive + "Mode"),
                            t ->
                                    (long)
                                            Optional.ofNullable(
                                                            exec.apply(t).directories().get(kind))
                                                    .map(ExecDirectory::mode)
                                                    .orElse(ExecDirectory.DEFAULT_MODE));
        }
        table.settable(
                "RuntimeDirectoryPreserve",
                text("RuntimeDirectoryPreserve"),
                t -> UnitProperties.word(exec.apply(t).preserveRuntimeDirectory()));
    }

    private static <T> void addPrivileges(PropertyTable<T> table) {
        table.settable("NoNewPrivileges", bool("NoNewPrivileges"))
                .settable("CapabilityBoundingSet", capabilities("CapabilityBoundingSet"))
                .settable("AmbientCapabilities", capabilities("AmbientCapabilities"))
                .settable("SecureBits", new SettableProperty("i", ExecProperties::secureBits));
    }

    private static SettableProperty capabilities(String directive) {
        return new SettableProperty(
                "t",
                (unit, section, value) -> {
                    StringBuilder names = new StringBuilder();
                    for (Capability each : Capability.values()) {
                        if (((Long) value >>> each.number() & 1) != 0) {
                            names.append(names.isEmpty() ? "" : " ").append(each);
                        }
                    }
                    unit.line(section, directive, names.toString());
                });
    }

    /** Writes the bits of linux/securebits.h: pairs of a flag and its lock, noroot first. */
    private static void secureBits(UnitDescription unit, String section, Object value) {
        StringBuilder names = new StringBuilder();
        SecureBit[] bits = SecureBit.values(); // the last pair first
        for (int i = 0; i < bits.length; i++) {
            int pair = (bits.length - 1 - i) & ~1;
            if (((Integer) value >>> (pair + i % 2) & 1) != 0) {
                names.append(names.isEmpty() ? "" : " ").append(UnitProperties.word(bits[i]));
            }
        }
        if ((Integer) value >>> bits.length != 0) {
            throw SettableProperty.invalid("SecureBits", value);
        }
        unit.line(section, "SecureBits", names.toString());
    }

    private static <T> void addLimits(PropertyTable<T> table, Function<T, ExecSettings> exec) {
        table.settable("Nice", number("i", "Nice"), t -> exec.apply(t).nice().orElse(0))
                .settable("OOMScoreAdjust", number("i", "OOMScoreAdjust"))
                .settable(
                        "CPUSchedulingPolicy",
                        numbered("CPUSchedulingPolicy", CpuPolicy.values(), CpuPolicy::number))
                .settable("CPUSchedulingPriority", number("i", "CPUSchedulingPriority"))
                .settable("CPUSchedulingResetOnFork", bool("CPUSchedulingResetOnFork"))
                .settable(
                        "IOSchedulingClass",
                        numbered("IOSchedulingClass", IoClass.values(), IoClass::number))
                .settable("IOSchedulingPriority", number("i", "IOSchedulingPriority"));
        for (Resource resource : Resource.values()) {
            String directive = ResourceLimit.directive(resource);
            table.settable(directive, new SettableProperty("t", hard(directive)))
                    .settable(directive + "Soft", new SettableProperty("t", soft(directive)));
        }
    }

    private static SettableProperty.Setter hard(String directive) {
        return (unit, section, value) -> unit.line(section, directive, limit(value));
    }

    /** A soft limit follows its hard limit. */
    private static SettableProperty.Setter soft(String directive) {
        return (unit, section, value) ->
                unit.line(
                        section,
                        directive,
                        limit(value) + ":" + unit.lastOf(directive).orElse("infinity"));
    }

    private static String limit(Object value) {
        return ResourceLimit.text((Long) value);
    }
}
