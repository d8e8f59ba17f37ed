package io.holdfast.cli.output;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.text.PrintableText;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;

/**
 * The standard output and standard error of a command: with colours for a terminal, as plain text
 * otherwise.
 *
 * <p>Lines of a command are escaped only here ({@link PrintableText}). A line is given in pieces;
 * each is a text, which may come from an untrusted process, or a text with a {@link Styled style}.
 * JSON is escaped like any other text, and keeps its meaning.
 *
 * <p>A short command writes at once, and waits for its reader as other programs do. A daemon calls
 * {@link #queueLines} first; from then on only {@link #flush} waits for a reader, for a limited
 * time.
 */
public final class Output {
    private static final List<String> TERMINALS =
            List.of("/dev/pts/", "/dev/tty", "/dev/console", "/dev/hvc");

    private static final int STANDARD_OUTPUT = 1;
    private static final int STANDARD_ERROR = 2;
    private static final int COLUMNS = 0xFFFF; // the lower half of a window's size
    private static final int FIELD_WIDTH = 12;
    private static final String PROGRAM = "holdfast:";

    /** How long a daemon waits for each reader when it ends. */
    private static final Duration LAST_LINES = Duration.ofSeconds(1);

    private final PrintStream out;
    private final PrintStream err;
    private final boolean colours;
    private final boolean terminal;

    // set for a daemon
    private @Nullable LineQueue lines;
    private @Nullable LineQueue complaints;
    private boolean stalled;

    /**
     * A text with a style.
     *
     * @param text the text
     * @param code the parameter of the escape sequence that a terminal with colours receives
     */
    public record Styled(String text, String code) {
        /** Returns the text without the style. */
        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * Creates an output on these streams.
     *
     * @param colours whether {@code out} and {@code err} accept escape sequences
     * @param terminal whether {@code out} is a terminal
     */
    public Output(PrintStream out, PrintStream err, boolean colours, boolean terminal) {
        this.out = out;
        this.err = err;
        this.colours = colours;
        this.terminal = terminal;
    }

    /** The streams of this process. */
    private static final class Standard {
        static final PrintStream OUT = stream(FileDescriptor.out, target(STANDARD_OUTPUT));
        static final PrintStream ERR = stream(FileDescriptor.err, target(STANDARD_ERROR));

        private static PrintStream stream(FileDescriptor descriptor, String target) {
            Charset charset = isTerminal(target) ? terminalCharset() : StandardCharsets.UTF_8;
            return new PrintStream(new FileOutputStream(descriptor), true, charset);
        }
    }

    /**
     * Returns the charset for a terminal, which depends on the locale; all other output is UTF-8. A
     * terminal without UTF-8 would take some bytes of a letter for control characters.
     */
    public static Charset terminalCharset() {
        return Charset.forName(System.getProperty("stdout.encoding", "US-ASCII"));
    }

    /** Returns standard output and standard error, with colours if {@link #usesColours} says so. */
    public static Output standard() {
        return new Output(
                Standard.OUT,
                Standard.ERR,
                usesColours(System.getenv(), Output::target),
                isTerminal(target(STANDARD_OUTPUT)));
    }

    /** Creates a queue of lines to standard error, for the log. */
    static LineQueue errorQueue(String prefix) {
        return new LineQueue(Standard.ERR, prefix);
    }

    /** Returns an output like this one, on a terminal, behind a program that shows it. */
    public Output through(OutputStream program) {
        return new Output(
                new PrintStream(program, false, terminalCharset()), err, colours, terminal);
    }

    /**
     * Returns whether to use colours: if both streams are terminals, and the environment does not
     * forbid colours (NO_COLOR, see no-color.org; TERM=dumb).
     *
     * @param target returns the path of the file behind a descriptor of this process
     */
    public static boolean usesColours(
            Map<String, String> environment, Function<Integer, String> target) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && isTerminal(target.apply(STANDARD_OUTPUT))
                && isTerminal(target.apply(STANDARD_ERROR));
    }

    /** Reads the link in /proc, because isatty(3) would bind native code before it is needed. */
    private static String target(int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean isTerminal(String target) {
        return TERMINALS.stream().anyMatch(target::startsWith);
    }

    /**
     * Queues lines from now on, to be written on other threads, for a daemon. Call it before the
     * daemon's threads start.
     */
    public void queueLines() {
        if (lines == null) {
            lines = new LineQueue(out, PROGRAM + " ");
            complaints =
                    err.equals(Standard.ERR) ? LogLines.queue() : new LineQueue(err, PROGRAM + " ");
        }
    }

    /** Writes one line to standard output. */
    public void line(Object... pieces) {
        write(rendered(pieces), out, lines);
    }

    /** Writes a label and a value, in columns. */
    public void field(String label, Object value) {
        line(faint(label + " ".repeat(Math.max(1, FIELD_WIDTH - label.length()))), value);
    }

    /** Writes one line of the program itself to standard error. */
    public void complain(String text) {
        write(rendered(bad(PROGRAM), " ", text), err, complaints);
    }

    /** Writes one line about something that may not be as intended to standard error. */
    public void warn(String text) {
        write(rendered(bad(PROGRAM), " ", warning("warning: "), text), err, complaints);
    }

    /** Writes the stack trace of an exception to standard error. */
    public void trace(Exception e) {
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        trace.toString().lines().forEach(line -> write(rendered(line), err, complaints));
    }

    /** Returns standard output for bytes that are not lines, of a command that queues none. */
    public OutputStream bytes() {
        return out;
    }

    /**
     * Writes a text of several lines, such as help or a script, to standard output without
     * escaping. It must come from this program alone.
     */
    public void printTrusted(String text) {
        out.print(text);
    }

    /** Writes a text of this program to standard error without escaping. */
    public void complainTrusted(String text) {
        err.print(text);
    }

    private static void write(String line, PrintStream stream, @Nullable LineQueue queue) {
        if (queue == null) {
            stream.println(line);
        } else {
            queue.add(line);
        }
    }

    /** Returns a line of these pieces as it is written, escaped and with styles. */
    public String rendered(Object... pieces) {
        int most = lines == null ? Integer.MAX_VALUE : LineQueue.LINE;
        StringBuilder line = new StringBuilder();
        for (Object piece : pieces) {
            String text = PrintableText.of(piece.toString(), Math.max(0, most - line.length()));
            if (colours && piece instanceof Styled styled && !text.isEmpty()) {
                line.append("\u001b[").append(styled.code).append('m');
                line.append(text).append("\u001b[0m");
            } else {
                line.append(text);
            }
        }
        return line.toString();
    }

    /** Returns whether standard output is a terminal. */
    public boolean isTerminal() {
        return terminal;
    }

    /**
     * Returns the width of the terminal in characters; empty if standard output is not a terminal.
     */
    public OptionalInt width() {
        if (!terminal) {
            return OptionalInt.empty();
        }
        try (Fd out = Unistd.duplicateStandard(STANDARD_OUTPUT)) {
            int size = SysIoctl.windowSize(out);
            int columns = size < 0 ? 0 : size & COLUMNS;
            return columns == 0 ? OptionalInt.empty() : OptionalInt.of(columns);
        } catch (ErrnoException e) {
            return OptionalInt.empty(); // standard output is closed
        }
    }

    /** Waits until the queued lines of a daemon are written, at most 1 s for each stream. */
    public void flush() {
        if (lines == null || complaints == null || stalled) {
            return;
        }
        try {
            boolean written = lines.flush(LAST_LINES);
            stalled = !complaints.flush(LAST_LINES) || !written;
        } catch (InterruptedException e) {
            stalled = true;
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether the queued lines of a daemon are written; waits for that, at most 1 s. */
    public boolean isWritten() throws InterruptedException {
        return lines == null || lines.flush(LAST_LINES);
    }

    /** Returns whether a reader has stalled, so that direct writes would block. */
    public boolean isStalled() {
        return stalled;
    }

    /** Returns how many lines of a daemon were dropped because a reader was too slow. */
    public long droppedLines() {
        return lines == null || complaints == null ? 0 : lines.dropped() + complaints.dropped();
    }

    /** Returns whether a write to standard output has failed. */
    public boolean hasFailed() {
        return out.checkError() || (lines != null && lines.hasFailed());
    }

    public Styled strong(String text) {
        return styled(text, "1");
    }

    public Styled faint(String text) {
        return styled(text, "2");
    }

    public Styled good(String text) {
        return styled(text, "32");
    }

    public Styled warning(String text) {
        return styled(text, "33");
    }

    public Styled bad(String text) {
        return styled(text, "31");
    }

    public static Styled styled(String text, String code) {
        return new Styled(text, code);
    }

    public Help.ColorScheme helpColours() {
        return Help.defaultColorScheme(colours ? Ansi.ON : Ansi.OFF);
    }
}
