package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one connection of the stdout protocol: seven header lines, then lines of text, each
 * an entry. A line ends with a line feed, a NUL, the end of the stream, or at the greatest length;
 * blanks at its end are not part of it, and an empty line is none. Owned by one thread.
 */
public final class StreamLines {
    private static final int HEADER_LINES = 7;
    private static final int MOST_HEADER = 1024; // bytes of one header line
    private static final int LEVEL_BITS = 7;

    /**
     * The header of a stream, as its client has written it.
     *
     * @param identifier for {@code SYSLOG_IDENTIFIER=}; may be empty
     * @param unit that a service manager names, and behind a space the invocation id of its run, if
     *     that is a manager of ours; may be empty
     * @param priority facility and level of lines without a prefix
     * @param levelPrefix whether a line may begin with {@code <N>}
     */
    public record Header(String identifier, String unit, int priority, boolean levelPrefix) {
        /** {@return the name of the unit; may be empty} */
        public String unitName() {
            int space = unit.indexOf(' ');
            return space < 0 ? unit : unit.substring(0, space);
        }

        /** {@return the run of the unit that writes the stream} */
        public Optional<String> invocationId() {
            return Optional.of(unit.substring(unit.indexOf(' ') + 1))
                    .filter(id -> unit.indexOf(' ') > 0 && id.matches("[0-9a-f]{32}"));
        }
    }

    /** Why a line has ended. */
    public enum Break {
        LINE_FEED(""),
        NUL("nul"),
        LENGTH("line-max"),
        END("eof"),
        /** Another process has written what follows. */
        WRITER("pid-change");

        private final String word;

        Break(String word) {
            this.word = word;
        }

        /** {@return the value of {@code _LINE_BREAK=}; empty if the entry has none} */
        public String word() {
            return word;
        }
    }

    /**
     * One line.
     *
     * @param priority facility and level
     */
    @SuppressWarnings("ArrayRecordComponent") // is used once, and never compared
    public record Line(byte[] text, int priority, Break ended) {}

    /** The header is not what the protocol says. */
    public static final class HeaderException extends Exception {
        private static final long serialVersionUID = 1L;

        HeaderException(String message) {
            super(message);
        }
    }

    private static final int KEPT = 4096; // bytes of the buffer between lines

    private final int longest;
    private final List<String> head = new ArrayList<>();
    private ByteArrayOutputStream line = new ByteArrayOutputStream();
    private @Nullable Header header;

    /**
     * @param longest line, in bytes; a longer one becomes several
     */
    public StreamLines(int longest) {
        this.longest = longest;
    }

    /**
     * Continues a stream behind its header and behind a line.
     *
     * @param longest line, in bytes; a longer one becomes several
     */
    public StreamLines(int longest, Header header) {
        this.longest = longest;
        this.header = header;
    }

    /** {@return how many of the bytes so far belong to no complete line} */
    public int unfinished() {
        return line.size();
    }

    /** {@return the header; null until it is complete} */
    public @Nullable Header header() {
        return header;
    }

    /**
     * Takes the next bytes.
     *
     * @return the lines that they complete
     * @throws HeaderException if the header is wrong: the stream is to be closed
     */
    public List<Line> take(byte[] bytes, int length) throws HeaderException {
        List<Line> lines = new ArrayList<>();
        int from = 0; // of what is not in the line yet
        for (int i = 0; i < length; i++) {
            byte each = bytes[i];
            if (header == null) {
                takeHeader(each);
                from = i + 1;
            } else if (each == '\n' || each == 0) {
                line.write(bytes, from, i - from);
                end(lines, each == 0 ? Break.NUL : Break.LINE_FEED);
                from = i + 1;
            } else if (line.size() + i + 1 - from >= longest) {
                line.write(bytes, from, i + 1 - from);
                end(lines, Break.LENGTH);
                from = i + 1;
            }
        }
        line.write(bytes, from, length - from);
        return lines;
    }

    /** {@return what was written without an end, as a line} */
    public List<Line> rest(Break why) {
        List<Line> lines = new ArrayList<>();
        if (header != null && line.size() > 0) {
            end(lines, why);
        }
        return lines;
    }

    private void takeHeader(byte each) throws HeaderException {
        if (each != '\n') {
            line.write(each);
            if (line.size() > MOST_HEADER) {
                throw new HeaderException("a header line is longer than " + MOST_HEADER + " bytes");
            }
            return;
        }
        head.add(line.toString(UTF_8));
        line.reset();
        if (head.size() == HEADER_LINES) {
            int priority = number(head.get(2), "priority", 0xff);
            boolean prefix = number(head.get(3), "level prefix", 1) == 1;
            for (String forward : head.subList(4, HEADER_LINES)) {
                int _ = number(forward, "forwarding", 1); // is the receiver's decision
            }
            header = new Header(head.get(0), head.get(1), priority, prefix);
        }
    }

    private static int number(String text, String what, int most) throws HeaderException {
        if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > most) {
            throw new HeaderException("not a " + what + " from 0 to " + most);
        }
        return Integer.parseInt(text);
    }

    private void end(List<Line> lines, Break why) {
        byte[] text = line.toByteArray();
        if (text.length > KEPT) {
            line = new ByteArrayOutputStream(); // an idle stream holds little
        } else {
            line.reset();
        }
        Header known = header;
        if (known == null) {
            return;
        }
        int priority = known.priority();
        int from = 0;
        boolean hasPrefix =
                known.levelPrefix()
                        && text.length >= 3
                        && text[0] == '<'
                        && text[1] >= '0'
                        && text[1] <= '7'
                        && text[2] == '>';
        if (hasPrefix) {
            priority = (priority & ~LEVEL_BITS) | (text[1] - '0');
            from = 3;
        }
        int end = text.length;
        while (why != Break.LENGTH && end > from && isBlank(text[end - 1])) {
            end--;
        }
        if (end == from) {
            return; // journald drops empty lines, too
        }
        text = Arrays.copyOfRange(text, from, end);
        lines.add(new Line(text, priority, why));
    }

    private static boolean isBlank(byte each) {
        return each == ' ' || each == '\t' || each == '\r' || each == '\n';
    }
}
