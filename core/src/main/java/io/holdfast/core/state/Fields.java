package io.holdfast.core.state;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The named fields of a saved object, one per line: the name, a space and the value. Backslashes,
 * line feeds and NULs of a value are escaped.
 */
public final class Fields {
    private static final Pattern LINE_END = Pattern.compile("\n");

    private final Map<String, String> values = new LinkedHashMap<>();

    /** Makes an empty set of fields. */
    public Fields() {}

    /** Adds a value, unless it is empty: {@link #text} returns an empty text if there is none. */
    public Fields put(String name, String value) {
        if (!value.isEmpty()) {
            values.put(name, value);
        }
        return this;
    }

    /** Adds a number, unless it is 0. */
    public Fields put(String name, long value) {
        return value == 0 ? this : put(name, Long.toString(value));
    }

    /** Adds a flag, unless it is false. */
    public Fields put(String name, boolean value) {
        return put(name, value ? "yes" : "");
    }

    public String text(String name) {
        return values.getOrDefault(name, "");
    }

    public Optional<String> find(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /**
     * Returns a number, 0 if there is none.
     *
     * @throws IllegalArgumentException if the value is not a number
     */
    public long number(String name) {
        String text = values.get(name);
        if (text == null) {
            return 0;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " is not a number: " + text, e);
        }
    }

    public boolean is(String name) {
        return text(name).equals("yes");
    }

    /**
     * Returns a constant of an enum.
     *
     * @throws IllegalArgumentException if the value is missing or not one of the constants
     */
    public <E extends Enum<E>> E word(String name, Class<E> kind) {
        try {
            return Enum.valueOf(kind, text(name));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "%s is not a %s: %s".formatted(name, kind.getSimpleName(), text(name)), e);
        }
    }

    /** Adds the exit of a process, if it has exited. */
    public Fields put(String name, Optional<Exit> exit) {
        return put(
                name,
                exit.map(how ->
                                switch (how) {
                                    case Exit.Exited(int status) -> "exited " + status;
                                    case Exit.Killed(Signal signal, boolean dumped) ->
                                            (dumped ? "dumped " : "killed ") + signal.number();
                                    case Exit.Unknown _ -> "unknown";
                                })
                        .orElse(""));
    }

    /**
     * Returns the exit of a process; empty if it has not exited.
     *
     * @throws IllegalArgumentException if {@link #put(String, Optional)} cannot have written it
     */
    public Optional<Exit> exit(String name) {
        String text = text(name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        int space = text.indexOf(' ');
        String how = space < 0 ? text : text.substring(0, space);
        int number = space < 0 ? 0 : Integer.parseInt(text.substring(space + 1));
        return Optional.of(
                switch (how) {
                    case "exited" -> new Exit.Exited(number);
                    case "killed", "dumped" ->
                            new Exit.Killed(
                                    Signal.of(Integer.toString(number)), how.equals("dumped"));
                    case "unknown" -> new Exit.Unknown();
                    default ->
                            throw new IllegalArgumentException(name + " is not an exit: " + text);
                });
    }

    /** Returns the lines. */
    @Override
    public String toString() {
        StringBuilder lines = new StringBuilder();
        values.forEach((name, value) -> {
            lines.append(name).append(' ');
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                switch (c) {
                    case '\\' -> lines.append("\\\\");
                    case '\n' -> lines.append("\\n");
                    case '\0' -> lines.append("\\0");
                    default -> lines.append(c);
                }
            }
            lines.append('\n');
        });
        return lines.toString();
    }

    /**
     * Parses the lines of {@link #toString}.
     *
     * @throws IllegalArgumentException if a line is not a name and a value; the message names it
     */
    public static Fields parse(String lines) {
        Fields fields = new Fields();
        for (String line : LINE_END.splitAsStream(lines).toList()) {
            int space = line.indexOf(' ');
            if (space <= 0) {
                throw new IllegalArgumentException("not a name and a value: " + line);
            }
            fields.values.put(line.substring(0, space), unescaped(line.substring(space + 1)));
        }
        return fields;
    }

    private static String unescaped(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder value = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                char next = ++i < text.length() ? text.charAt(i) : ' ';
                value.append(
                        switch (next) {
                            case '\\' -> '\\';
                            case 'n' -> '\n';
                            case '0' -> '\0';
                            default -> throw new IllegalArgumentException("not an escape: " + text);
                        });
            } else {
                value.append(c);
            }
        }
        return value.toString();
    }
}
