package io.holdfast.manager.unit.value;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.manager.unit.UnitFilePlace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of variables that is read each time the service starts.
 *
 * @param pattern an absolute path, with wildcards ({@link Glob})
 * @param optional whether it may be missing
 * @param place of the directive
 */
public record EnvironmentFile(String pattern, boolean optional, UnitFilePlace place) {
    /** Bytes of one file; a larger one is not loaded. */
    public static final int MAX_SIZE = 4 << 20;

    /** Files that one pattern may match; if there are more, none is loaded. */
    public static final int MAX_FILES = 256;

    /**
     * Reads the file, or all that match, in the order of their names.
     *
     * @throws IOException if one cannot be read, is not UTF-8 or is too large; if too many match;
     *     if none exists and it is not optional
     */
    public Map<String, String> load() throws IOException {
        Map<String, String> variables = new LinkedHashMap<>();
        List<Path> files = Glob.expand(pattern, MAX_FILES);
        if (files.isEmpty() && !optional) {
            throw new NoSuchFileException(pattern, null, "EnvironmentFile= at " + place);
        }
        for (Path file : files) {
            try {
                variables.putAll(parse(read(file)));
            } catch (FileException e) {
                if (!optional || !e.isMissing()) { // it may be removed before it is read
                    throw e;
                }
            }
        }
        return variables;
    }

    private static String read(Path file) throws IOException {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            byte[] bytes = opened.readAll(MAX_SIZE);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not UTF-8", e);
        }
    }

    /**
     * Parses the format: {@code NAME=value} per line, {@code #} and {@code ;} comments; values may
     * be quoted, also across lines; outside of single quotes a backslash takes the next character
     * literally and joins lines. Lines that are no assignment, and invalid names and values, are
     * skipped.
     */
    public static Map<String, String> parse(String text) {
        return new Parser(text).parse();
    }

    private static final class Parser {
        private enum State {
            BEFORE_KEY,
            KEY,
            BEFORE_VALUE,
            VALUE,
            VALUE_ESCAPE,
            SINGLE_QUOTES,
            DOUBLE_QUOTES,
            DOUBLE_QUOTES_ESCAPE,
            COMMENT,
            COMMENT_ESCAPE
        }

        private final String text;
        private final Map<String, String> variables = new LinkedHashMap<>();
        private final StringBuilder key = new StringBuilder();
        private final StringBuilder value = new StringBuilder();
        private int valueEnd; // without the blanks after it

        Parser(String text) {
            this.text = text;
        }

        Map<String, String> parse() {
            State state = State.BEFORE_KEY;
            for (int i = 0; i < text.length(); i++) {
                state = step(state, text.charAt(i));
            }
            if (state.compareTo(State.BEFORE_VALUE) >= 0
                    && state.compareTo(State.DOUBLE_QUOTES_ESCAPE) <= 0) {
                assign();
            }
            return variables;
        }

        private State step(State state, char c) {
            boolean newline = c == '\n' || c == '\r';
            boolean blank = newline || c == ' ' || c == '\t';
            switch (state) {
                case BEFORE_KEY -> {
                    if (c == '#' || c == ';') {
                        return State.COMMENT;
                    }
                    key.setLength(0);
                    if (!blank) {
                        key.append(c);
                        return State.KEY;
                    }
                }
                case KEY -> {
                    if (newline) {
                        return State.BEFORE_KEY;
                    }
                    if (c == '=') {
                        value.setLength(0);
                        valueEnd = 0;
                        return State.BEFORE_VALUE;
                    }
                    key.append(c);
                }
                case BEFORE_VALUE -> {
                    if (newline) {
                        assign();
                        return State.BEFORE_KEY;
                    }
                    return switch (c) {
                        case '\'' -> State.SINGLE_QUOTES;
                        case '"' -> State.DOUBLE_QUOTES;
                        case '\\' -> State.VALUE_ESCAPE;
                        case ' ', '\t' -> State.BEFORE_VALUE;
                        default -> append(c, State.VALUE);
                    };
                }
                case VALUE -> {
                    if (newline) {
                        assign();
                        return State.BEFORE_KEY;
                    }
                    if (c == '\\') {
                        return State.VALUE_ESCAPE;
                    }
                    value.append(c);
                    valueEnd = blank ? valueEnd : value.length();
                }
                case VALUE_ESCAPE -> {
                    return newline ? State.VALUE : append(c, State.VALUE);
                }
                case SINGLE_QUOTES -> {
                    return c == '\'' ? State.BEFORE_VALUE : append(c, state);
                }
                case DOUBLE_QUOTES -> {
                    return switch (c) {
                        case '"' -> State.BEFORE_VALUE;
                        case '\\' -> State.DOUBLE_QUOTES_ESCAPE;
                        default -> append(c, state);
                    };
                }
                case DOUBLE_QUOTES_ESCAPE -> {
                    if ("\"\\`$".indexOf(c) < 0 && c != '\n') {
                        value.append('\\');
                    }
                    return c == '\n' ? State.DOUBLE_QUOTES : append(c, State.DOUBLE_QUOTES);
                }
                case COMMENT -> {
                    return newline
                            ? State.BEFORE_KEY
                            : c == '\\' ? State.COMMENT_ESCAPE : State.COMMENT;
                }
                case COMMENT_ESCAPE -> {
                    return State.COMMENT;
                }
            }
            return state;
        }

        private State append(char c, State next) {
            value.append(c);
            valueEnd = value.length();
            return next;
        }

        private void assign() {
            String name = key.toString().strip();
            value.setLength(valueEnd);
            if (Environment.isName(name) && Environment.isValue(value.toString())) {
                variables.put(name, value.toString());
            }
        }
    }
}
