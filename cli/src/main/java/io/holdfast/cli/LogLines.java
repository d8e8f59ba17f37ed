package io.holdfast.cli;

import java.text.MessageFormat;
import java.util.ResourceBundle;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What the libraries log, a line each on standard error, written by a thread of its own: who reads
 * slowly delays no daemon. Beyond {@link #WAITING} lines they are dropped. Under a service manager
 * that keeps a journal each line begins with its priority (sd-daemon(3)).
 */
public final class LogLines extends System.LoggerFinder {
    /** Lines that may wait to be written ({@code -Dio.holdfast.logLines}). */
    private static final int WAITING = Integer.getInteger("io.holdfast.logLines", 8192);

    private static final long LAST_WORDS_MILLIS = 500;

    /** After a write, what comes in this time is written at once: one wake-up for all of it. */
    private static final long GATHERING_MILLIS = 5;

    /** Characters of lines that are written at once: a pipe takes as many bytes undivided. */
    private static final int AT_ONCE = 4096;

    /** The queue and its thread; there from the first line on. */
    private static final class Lazy {
        static final boolean JOURNAL = System.getenv("JOURNAL_STREAM") != null;
        static final ArrayBlockingQueue<String> LINES = new ArrayBlockingQueue<>(WAITING);
        static final AtomicInteger UNWRITTEN = new AtomicInteger();

        static {
            var ignored = Thread.ofPlatform().daemon().name("holdfast-log").start(Lazy::write);
        }

        private static void write() {
            try {
                while (true) {
                    StringBuilder text = new StringBuilder(LINES.take()).append('\n');
                    int lines = 1;
                    for (String next = LINES.peek();
                            next != null && text.length() + next.length() < AT_ONCE;
                            next = LINES.peek()) {
                        text.append(LINES.remove()).append('\n');
                        lines++;
                    }
                    System.err.print(text);
                    System.err.flush();
                    if (UNWRITTEN.addAndGet(-lines) == 0) {
                        synchronized (UNWRITTEN) {
                            UNWRITTEN.notifyAll();
                        }
                        Thread.sleep(GATHERING_MILLIS);
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // nobody does that
            }
        }
    }

    private static volatile boolean used;

    /** For the platform, which finds it by itself. */
    public LogLines() {}

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new Lines(name);
    }

    /** Waits a moment for what is not written yet. At the end of the program. */
    static void flush() throws InterruptedException {
        if (used) {
            long end = System.currentTimeMillis() + LAST_WORDS_MILLIS;
            synchronized (Lazy.UNWRITTEN) {
                for (long rest = LAST_WORDS_MILLIS;
                        rest > 0 && Lazy.UNWRITTEN.get() > 0;
                        rest = end - System.currentTimeMillis()) {
                    Lazy.UNWRITTEN.wait(rest);
                }
            }
        }
    }

    /** A line of this program's own that an administrator should see. */
    static void notice(String text) {
        add((Lazy.JOURNAL ? "<5>" : "holdfast: ") + text);
    }

    private static void add(String line) {
        used = true;
        int ignored = Lazy.UNWRITTEN.incrementAndGet();
        if (!Lazy.LINES.offer(line)) {
            ignored = Lazy.UNWRITTEN.decrementAndGet();
        }
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
                add(prefix(level) + text + (thrown == null ? "" : ": " + thrown));
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
                add(prefix(level) + (plain ? format : MessageFormat.format(format, parameters)));
            }
        }

        private static String prefix(Level level) {
            return switch (level) {
                case ERROR -> Lazy.JOURNAL ? "<3>" : "holdfast: error: ";
                case WARNING -> Lazy.JOURNAL ? "<4>" : "holdfast: warning: ";
                default -> Lazy.JOURNAL ? "<6>" : "holdfast: ";
            };
        }
    }
}
