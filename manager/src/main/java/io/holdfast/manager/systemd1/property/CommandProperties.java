package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Quoting;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExecCommand.Flag;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The properties of commands that a caller sets: {@code ExecStart}, and {@code ExecStartEx}. */
final class CommandProperties {
    /** The words of {@code Exec…Ex}, which the property shows, too. */
    static final Map<Flag, String> WORDS =
            Map.of(
                    Flag.IGNORE_FAILURE, "ignore-failure",
                    Flag.NO_EXPANSION, "no-env-expand",
                    Flag.FULLY_PRIVILEGED, "privileged",
                    Flag.NO_SETUID, "no-setuid",
                    Flag.AMBIENT_MAGIC, "ambient");

    /** The parser reads them even at the beginning of a quoted path. */
    private static final String PREFIXES = "@-:+!|";

    private CommandProperties() {}

    /** Adds the control commands of a unit: their times and exits are not recorded. */
    static <T> void addTo(
            PropertyTable<T> table, String name, Function<T, List<ExecCommand>> commands) {
        table.settable(name, plain(name))
                .unsignalled(
                        name,
                        "a(sasbttttuii)",
                        s ->
                                commands.apply(s).stream()
                                        .map(command ->
                                                List.of(
                                                        command.executable(),
                                                        command.arguments(),
                                                        command.has(Flag.IGNORE_FAILURE),
                                                        0L,
                                                        0L,
                                                        0L,
                                                        0L,
                                                        0,
                                                        0,
                                                        0))
                                        .toList());
    }

    /** Makes a property with path, arguments and whether a failure is ignored. */
    static SettableProperty plain(String directive) {
        return new SettableProperty(
                "a(sasb)",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, directive, value);
                    for (Object each : (List<?>) value) {
                        Struct command = (Struct) each;
                        boolean ignores = (Boolean) command.get(2);
                        add(
                                unit,
                                section,
                                directive,
                                command,
                                ignores
                                        ? EnumSet.of(Flag.IGNORE_FAILURE)
                                        : EnumSet.noneOf(Flag.class));
                    }
                });
    }

    /** Makes a property with path, arguments and flags. */
    static SettableProperty withFlags(String directive) {
        return new SettableProperty(
                "a(sasas)",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, directive, value);
                    for (Object each : (List<?>) value) {
                        Struct command = (Struct) each;
                        EnumSet<Flag> flags = EnumSet.noneOf(Flag.class);
                        for (Object word : (List<?>) command.get(2)) {
                            flags.add(flag(directive, (String) word));
                        }
                        add(unit, section, directive, command, flags);
                    }
                });
    }

    private static Flag flag(String directive, String word) {
        return WORDS.entrySet().stream()
                .filter(each -> each.getValue().equals(word))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> Errors.invalid("Invalid flag of " + directive + ": " + word));
    }

    private static void add(
            UnitDescription unit,
            String section,
            String directive,
            Struct command,
            EnumSet<Flag> flags) {
        String path = (String) command.get(0);
        List<?> arguments = (List<?>) command.get(1);
        if (arguments.isEmpty()) {
            throw invalid(path, "has no arguments, not even its own name");
        }
        if (!path.isEmpty() && PREFIXES.indexOf(path.charAt(0)) >= 0) {
            throw invalid(path, "begins with a prefix; set its flags by the property of flags");
        }
        StringBuilder line = new StringBuilder();
        for (Flag flag : withoutDoubles(flags)) {
            line.append(
                    switch (flag) {
                        case IGNORE_FAILURE -> "-";
                        case NO_EXPANSION -> ":";
                        case FULLY_PRIVILEGED -> "+";
                        case NO_SETUID -> "!";
                        case AMBIENT_MAGIC -> "!!";
                    });
        }
        line.append('@').append(Quoting.C_ESCAPES.quote(path));
        for (Object argument : arguments) {
            line.append(' ').append(Quoting.C_ESCAPES.quote((String) argument));
        }
        unit.literal(section, directive, line.toString());
        if (directive.equals("ExecStart")) {
            List<String> words = new ArrayList<>(List.of(path));
            arguments.stream().skip(1).forEach(word -> words.add((String) word));
            boolean expands =
                    !flags.contains(Flag.NO_EXPANSION)
                            && words.stream().anyMatch(word -> word.contains("$"));
            unit.command(
                    words,
                    !expands
                            && isOwnName(path, (String) arguments.getFirst())
                            && Set.of(Flag.IGNORE_FAILURE, Flag.NO_EXPANSION).containsAll(flags));
        }
    }

    /** Returns whether a program gets its own name: by another it may be another command. */
    private static boolean isOwnName(String path, String name) {
        String file = path.substring(path.lastIndexOf('/') + 1);
        return name.equals(path) || name.equals(file) || name.equals("-" + file); // a login shell
    }

    private static EnumSet<Flag> withoutDoubles(EnumSet<Flag> flags) {
        long privileges =
                flags.stream()
                        .filter(flag -> flag != Flag.IGNORE_FAILURE && flag != Flag.NO_EXPANSION)
                        .count();
        if (privileges > 1) {
            throw Errors.invalid(
                    "A command has more than one of the flags privileged, no-setuid and ambient");
        }
        return flags;
    }

    private static DBusException invalid(String path, String why) {
        return Errors.invalid("The command \"" + path + "\" " + why);
    }
}
