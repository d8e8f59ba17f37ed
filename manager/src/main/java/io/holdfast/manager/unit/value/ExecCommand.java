package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitFilePlace;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One command of an {@code Exec…=} line, split, unquoted and with its specifiers expanded; {@code
 * $VARIABLES} are not expanded yet.
 *
 * @param executable an absolute path, or a file name that is looked up in {@link #SEARCH_PATH}
 * @param arguments with {@code argv[0]}
 * @param place of its line
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.service.html#Command%20lines">
 *     systemd.service, Command lines</a>
 */
public record ExecCommand(
        String executable, List<String> arguments, Set<Flag> flags, UnitFilePlace place) {
    /** The folders in which an executable without a slash is looked up, in this order. */
    public static final List<String> SEARCH_PATH =
            List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin");

    /** The meanings of the prefixes. */
    public enum Flag {
        /** {@code -}: a failure counts as success. */
        IGNORE_FAILURE,
        /** {@code :}: variables are not expanded. */
        NO_EXPANSION,
        /** {@code +}: neither user, capabilities nor sandbox are applied. */
        FULLY_PRIVILEGED,
        /** {@code !}: the user is not changed, the sandbox is applied. */
        NO_SETUID,
        /** {@code !!}: as {@code !}, for kernels without ambient capabilities. */
        AMBIENT_MAGIC
    }

    public ExecCommand {
        arguments = List.copyOf(arguments);
        flags =
                Collections.unmodifiableSet(
                        flags.isEmpty() ? EnumSet.noneOf(Flag.class) : EnumSet.copyOf(flags));
    }

    /** {@return whether the command has this prefix} */
    public boolean has(Flag flag) {
        return flags.contains(flag);
    }

    /** {@return whether it runs the same program with the same arguments, wherever its line is} */
    public boolean isSameAs(ExecCommand other) {
        return executable.equals(other.executable) && arguments.equals(other.arguments);
    }

    /** Returns the command as if it had the prefix {@code +}. */
    public ExecCommand fullyPrivileged() {
        Set<Flag> all = EnumSet.of(Flag.FULLY_PRIVILEGED);
        all.addAll(flags);
        all.removeAll(Set.of(Flag.NO_SETUID, Flag.AMBIENT_MAGIC));
        return new ExecCommand(executable, arguments, all, place);
    }

    /**
     * Returns the arguments with variables expanded: {@code $NAME} as a whole argument becomes the
     * words of its value (none if unset), {@code ${NAME}} anywhere becomes its value as it is,
     * {@code $$} becomes one {@code $}.
     */
    public List<String> expand(Map<String, String> environment) {
        if (has(Flag.NO_EXPANSION)) {
            return arguments;
        }
        List<String> expanded = new ArrayList<>(arguments.size());
        for (String argument : arguments) {
            if (isWholeVariable(argument)) {
                String value = environment.get(argument.substring(1));
                if (value != null) {
                    expanded.addAll(WordReader.splitRelaxed(value));
                }
            } else {
                expanded.add(expandBraces(argument, environment));
            }
        }
        return expanded;
    }

    private static boolean isWholeVariable(String argument) {
        return argument.startsWith("$")
                && !(argument.length() > 1 && "{$".indexOf(argument.charAt(1)) >= 0);
    }

    private static String expandBraces(String argument, Map<String, String> environment) {
        StringBuilder expanded = new StringBuilder(argument.length());
        int at = 0;
        while (at < argument.length()) {
            int close = argument.startsWith("${", at) ? argument.indexOf('}', at) : -1;
            String name = close < 0 ? ":" : argument.substring(at + 2, close);
            if (!name.contains(":")) { // the shell's ${NAME:-default} stays as it is
                expanded.append(environment.getOrDefault(name, ""));
                at = close + 1;
            } else {
                expanded.append(argument.charAt(at));
                at += argument.startsWith("$$", at) ? 2 : 1;
            }
        }
        return expanded.toString();
    }

    /** The result of parsing a line: its valid commands, and the diagnostics. */
    public record Line(List<ExecCommand> commands, List<Diagnostic> diagnostics) {}

    /**
     * Parses the value of one line.
     *
     * @param specifiers expands those in one word, or throws {@link IllegalArgumentException}
     */
    public static Line parse(String line, UnitFilePlace place, UnaryOperator<String> specifiers) {
        List<ExecCommand> commands = new ArrayList<>();
        List<Diagnostic> diagnostics = new ArrayList<>();
        WordReader words = new WordReader(line, WordReader.Backslash.C_ESCAPE_OR_KEPT);
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        try {
            for (String first = words.next(); first != null; first = words.next()) {
                if (!first.equals(";")) { // a separator without a command before it
                    flags.clear();
                    commands.add(parseOne(first, words, flags, place, specifiers));
                }
            }
        } catch (IllegalArgumentException e) {
            boolean ignored = flags.contains(Flag.IGNORE_FAILURE);
            diagnostics.add(
                    new Diagnostic(
                            place,
                            ignored ? Diagnostic.Kind.IGNORED : Diagnostic.Kind.REFUSED,
                            "the command " + Quote.of(line) + ": " + e.getMessage()));
        }
        if (words.unknownEscape()) {
            diagnostics.add(
                    new Diagnostic(
                            place,
                            Diagnostic.Kind.REMARK,
                            "an unknown escape stays as it is in " + Quote.of(line)));
        }
        return new Line(commands, diagnostics);
    }

    private static ExecCommand parseOne(
            String first,
            WordReader words,
            Set<Flag> flags,
            UnitFilePlace place,
            UnaryOperator<String> specifiers) {
        int prefixes = 0;
        boolean ownName = false;
        for (; prefixes < first.length(); prefixes++) {
            char c = first.charAt(prefixes);
            Flag flag = flag(c, flags);
            if (c == '@' && !ownName) {
                ownName = true;
            } else if (flag == null) {
                break;
            } else {
                flags.add(flag);
            }
        }
        if (flags.contains(Flag.AMBIENT_MAGIC)) {
            flags.remove(Flag.NO_SETUID);
        }
        String executable = executable(specifiers.apply(first.substring(prefixes)));
        List<String> arguments = new ArrayList<>();
        if (!ownName) {
            arguments.add(executable);
        }
        while (!words.skip(";")) {
            String word = words.skip("\\;") ? ";" : words.next();
            if (word == null) {
                break;
            }
            arguments.add(specifiers.apply(word));
        }
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException("@ wants a name for argv[0] after the executable");
        }
        return new ExecCommand(executable, arguments, flags, place);
    }

    /** Returns the flag that a prefix adds to the earlier ones; null after the last prefix. */
    private static @Nullable Flag flag(char c, Set<Flag> before) {
        boolean privileges =
                before.contains(Flag.FULLY_PRIVILEGED) || before.contains(Flag.AMBIENT_MAGIC);
        Flag flag =
                switch (c) {
                    case '-' -> Flag.IGNORE_FAILURE;
                    case ':' -> Flag.NO_EXPANSION;
                    case '+' ->
                            privileges || before.contains(Flag.NO_SETUID)
                                    ? null
                                    : Flag.FULLY_PRIVILEGED;
                    case '!' ->
                            privileges
                                    ? null
                                    : before.contains(Flag.NO_SETUID)
                                            ? Flag.AMBIENT_MAGIC
                                            : Flag.NO_SETUID;
                    case '|' ->
                            throw new IllegalArgumentException(
                                    "the prefix | (the user's shell) is not supported yet");
                    default -> null;
                };
        return flag == null || before.contains(flag) ? null : flag;
    }

    private static String executable(String path) {
        if (path.isEmpty()) {
            throw new IllegalArgumentException("no executable");
        }
        if (path.endsWith("/") || path.endsWith("/.") || path.endsWith("/..")) {
            throw new IllegalArgumentException(Quote.of(path) + " is a directory");
        }
        if (path.chars().anyMatch(c -> Character.isISOControl(c) || "\"'\\".indexOf(c) >= 0)) {
            throw new IllegalArgumentException(Quote.of(path) + " has special characters");
        }
        boolean name = path.indexOf('/') < 0 && !path.equals(".") && !path.equals("..");
        if (!name && !path.startsWith("/")) {
            throw new IllegalArgumentException(
                    Quote.of(path) + " is neither an absolute path nor a file name");
        }
        return path;
    }
}
