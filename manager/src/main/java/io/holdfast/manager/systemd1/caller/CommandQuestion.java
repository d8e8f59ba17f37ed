package io.holdfast.manager.systemd1.caller;

import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Question;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The question whether a caller may start a transient service, such as run0(1) requests it.
 *
 * <p>The person who authenticates sees the command and the user. A service that does no more than
 * to run one command is asked for by an action of its own, {@link Permission#RUN_COMMAND}, with the
 * program and the whole command line as details, so that rules can allow some commands. A service
 * with any other setting, such as a second command or a variable that changes what the program
 * loads, needs {@link Permission#MANAGE_UNITS}, and so does a job mode that affects other units: a
 * rule that looks at the program alone must not allow it, so that question does not name the
 * program.
 */
public final class CommandQuestion {
    /** The settings that do not change which program is run, and what it does as the user. */
    private static final Set<String> PLAIN =
            Set.of(
                    "AddRef",
                    "CollectMode",
                    "Description",
                    "Environment",
                    "ExecStart",
                    "ExecStartEx",
                    "IgnoreSIGPIPE",
                    "LogExtraFields",
                    "PAMName",
                    "RemainAfterExit",
                    "SendSIGHUP",
                    "Slice",
                    "StandardErrorFileDescriptor",
                    "StandardInputFileDescriptor",
                    "StandardOutputFileDescriptor",
                    "TTYPath",
                    "Type",
                    "User",
                    "WorkingDirectory");

    /** The variables that run0 sets, and those of the caller's terminal and language. */
    private static final Set<String> VARIABLES =
            Set.of(
                    "COLORTERM",
                    "LANG",
                    "NO_COLOR",
                    "SHELL_PROMPT_PREFIX",
                    "SUDO_GID",
                    "SUDO_UID",
                    "SUDO_USER",
                    "TERM");

    /** The variables of a terminal and a language whose values programs may take for paths. */
    private static final Set<String> NAMES = Set.of("COLORTERM", "LANG", "TERM");

    private CommandQuestion() {}

    /**
     * Returns the question about a service with a command.
     *
     * @param mode of its start: most may stop or cancel what the caller does not own
     * @param alone whether the request makes only this unit
     */
    public static Question of(
            UnitName name, UnitDescription unit, JobMode mode, boolean alone, boolean interactive) {
        List<String> command = unit.commands().getFirst();
        String user = user(unit);
        Map<String, String> details = new HashMap<>(Verb.START.details(name));
        details.put("user", user);
        String line = command.stream().map(CommandQuestion::word).collect(Collectors.joining(" "));
        details.put("command", Quote.of(line));
        details.put(
                "polkit.message",
                "Authentication is required to run $(command) as user '$(user)'.");
        boolean isPlainMode = mode == JobMode.REPLACE || mode == JobMode.FAIL;
        if (!alone || !isPlainMode || unit.commands().size() != 1 || !isPlain(unit)) {
            return new Question(Permission.MANAGE_UNITS, details, interactive);
        }
        details.put("program", command.getFirst());
        details.put("command_line", line);
        return new Question(
                Permission.RUN_COMMAND, details, interactive, Optional.of(Permission.MANAGE_UNITS));
    }

    /** Returns the user as the unit file has it: the parser drops blanks around it. */
    private static String user(UnitDescription unit) {
        return unit.user()
                .map(String::strip)
                .filter(user -> !user.isEmpty())
                .orElse(Permission.OWNER == 0 ? "root" : "" + Permission.OWNER);
    }

    private static boolean isPlain(UnitDescription unit) {
        return PLAIN.containsAll(unit.properties())
                && unit.variables().stream().allMatch(each -> isPlain(each, unit))
                && unit.isLiteral();
    }

    private static boolean isPlain(String assignment, UnitDescription unit) {
        int equals = assignment.indexOf('=');
        String name = equals < 0 ? assignment : assignment.substring(0, equals);
        String value = assignment.substring(equals + 1);
        if (name.equals("SHELL")) { // what programs run: run0 sets the one that it starts
            return value.equals(unit.commands().getFirst().getFirst());
        }
        boolean isPath = value.contains("/") || value.contains("%");
        return VARIABLES.contains(name) && !(NAMES.contains(name) && isPath);
    }

    /** Returns a word as a shell would read it, on one line. */
    private static String word(String word) {
        if (word.matches("[A-Za-z0-9_./:=@%+,-]+")) {
            return word;
        }
        StringBuilder quoted = new StringBuilder("'");
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '\'') {
                quoted.append("'\\''");
            } else if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('\'').toString();
    }
}
