package io.holdfast.cli.output;

import io.holdfast.core.text.PrintableText;
import java.text.MessageFormat;
import java.time.Duration;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * The log of this program: writes each message of a {@link System.Logger} as one line to standard
 * error. Every line is escaped and cut here, wherever it comes from, and passes through a {@link
 * LineQueue}, so that a stalled reader does not delay a daemon. Under a service manager with a
 * journal, each line begins with its priority (sd-daemon(3)).
 */
public final class LogLines extends System.LoggerFinder {
    private static final Duration LAST_LINES = Duration.ofMillis(500);

    /** Initialised when the first line is logged. */
    private static final class Lazy {
        static final boolean JOURNAL = System.getenv("JOURNAL_STREAM") != null;
        static final LineQueue QUEUE = Output.errorQueue(prefix(System.Logger.Level.WARNING));
    }

    private static volatile boolean used;

    /** For the ServiceLoader of the platform. */
    public LogLines() {}

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new Lines(name);
    }

    /** Returns the queue of standard error. */
    static LineQueue queue() {
        used = true;
        return Lazy.QUEUE;
    }

    /** Waits at most 500 ms until all lines are written. Called at the end of the program. */
    public static void flush() throws InterruptedException {
        if (used) {
            boolean ignored = Lazy.QUEUE.flush(LAST_LINES);
        }
    }

    /** Logs a notice of this program that an administrator should see. */
    public static void notice(String text) {
        queue().add(line(Lazy.JOURNAL ? "<5>" : "holdfast: ", text));
    }

    /** Logs the uncaught exception of a thread. */
    public static void uncaught(Thread thread, Throwable failure) {
        StackTraceElement[] trace = failure.getStackTrace();
        String where = trace.length == 0 ? "" : " at " + trace[0];
        queue().add(
                        line(
                                prefix(System.Logger.Level.ERROR),
                                "thread " + thread.getName() + " failed: " + failure + where));
    }

    static String line(String prefix, String text) {
        return prefix + PrintableText.of(text, LineQueue.LINE);
    }

    private static String prefix(System.Logger.Level level) {
        return switch (level) {
            case ERROR -> Lazy.JOURNAL ? "<3>" : "holdfast: error: ";
            case WARNING -> Lazy.JOURNAL ? "<4>" : "holdfast: warning: ";
            default -> Lazy.JOURNAL ? "<6>" : "holdfast: ";
        };
    }

    private record Lines(String name) implements System.Logger {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            return level.getSeverity() >= Level.INFO.getSeverity() && level != Level.OFF;
        }

        @Override
        public void log(
                Level level,
                @Nullable ResourceBundle bundle,
                @Nullable String text,
                @Nullable Throwable thrown) {
            if (isLoggable(level)) {
                String why = thrown == null ? "" : ": " + thrown;
                queue().add(line(prefix(level), text + why));
            }
        }

        @Override
        public void log(
                Level level,
                @Nullable ResourceBundle bundle,
                @Nullable String format,
                Object... parameters) {
            if (isLoggable(level)) {
                boolean plain = parameters == null || parameters.length == 0 || format == null;
                String text = plain ? format : MessageFormat.format(format, parameters);
                queue().add(line(prefix(level), String.valueOf(text)));
            }
        }
    }
}
