package io.holdfast.core.limit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how often lines are logged that somebody else can cause as often as he likes.
 *
 * <p>Lines have a source: the kind of event, the user who caused it, or both. Of each source the
 * first lines of an interval are logged as they come; of the further ones only the last, with the
 * number of those that were left out, when the interval is over. So one user's flood hides nobody
 * else's line. When more sources than {@code sources} have lines in one interval, all further ones
 * count as one.
 *
 * <pre>{@code
 * Throttle complaints = Throttle.of(LINES, INTERVAL, SOURCES, line -> LOG.log(WARNING, line));
 * complaints.log(uid, "varlink: closing the connection of user 1000: invalid call");
 * }</pre>
 *
 * <p>What is left out is logged with the next line of any source after the interval, or when {@link
 * #flush} is called; {@link #withTimer} has it called in time. Thread-safe; lines are passed on by
 * the thread that logs them, one at a time.
 */
public final class Throttle {
    private static final Object FURTHER_SOURCES = new Object();

    /** Runs a task later: the timer of an event loop. */
    @FunctionalInterface
    public interface Timer {
        /**
         * Runs a task later.
         *
         * @param delay how much later
         * @param task the task
         */
        void after(Duration delay, Runnable task);
    }

    private final int burst;
    private final Duration interval;
    private final int sources;
    private final Consumer<String> log;
    private final LongSupplier nanoTime;
    private final @Nullable Timer timer;

    // guarded by this
    private final Map<Object, Window> windows = new LinkedHashMap<>();

    /** The lines of one source in one interval. */
    private static final class Window {
        final long start;
        int logged;
        long leftOut;
        String last = "";

        Window(long start) {
            this.start = start;
        }
    }

    private Throttle(
            int burst,
            Duration interval,
            int sources,
            Consumer<String> log,
            LongSupplier nanoTime,
            @Nullable Timer timer) {
        this.burst = burst;
        this.interval = interval;
        this.sources = sources;
        this.log = log;
        this.nanoTime = nanoTime;
        this.timer = timer;
    }

    /**
     * Logs at most so many lines of one source in one interval.
     *
     * @param burst lines of one source that are logged as they come, 1 or more
     * @param interval from the first of them on
     * @param sources that are told apart in one interval
     * @param log takes lines
     * @return the throttle
     */
    public static Throttle of(int burst, Duration interval, int sources, Consumer<String> log) {
        return new Throttle(burst, interval, sources, log, System::nanoTime, null);
    }

    /**
     * {@return the same with another clock, like {@link System#nanoTime}}
     *
     * @param nanoTime the nanoseconds of the time
     */
    public Throttle withClock(LongSupplier nanoTime) {
        return new Throttle(burst, interval, sources, log, nanoTime, timer);
    }

    /**
     * {@return the same, which says what was left out as soon as the interval is over}
     *
     * @param timer runs a task later
     */
    public Throttle withTimer(Timer timer) {
        return new Throttle(burst, interval, sources, log, nanoTime, timer);
    }

    /**
     * Logs a line, or counts it.
     *
     * @param source with {@code equals}
     * @param line the line
     */
    public synchronized void log(Object source, String line) {
        flush();
        Window window = window(source);
        if (window.logged < burst) {
            window.logged++;
            log.accept(line);
        } else {
            window.leftOut++;
            window.last = line;
        }
    }

    // the caller holds the lock
    private Window window(Object source) {
        Window known = windows.get(source);
        if (known != null) {
            return known;
        }
        Object key = windows.size() < sources ? source : FURTHER_SOURCES;
        return windows.computeIfAbsent(key, _ -> opened());
    }

    private Window opened() {
        if (timer != null) {
            timer.after(interval, this::flush);
        }
        return new Window(nanoTime.getAsLong());
    }

    /** Logs what was left out in the intervals that are over. */
    public synchronized void flush() {
        long now = nanoTime.getAsLong();
        List<String> late = new ArrayList<>();
        for (Iterator<Window> each = windows.values().iterator(); each.hasNext(); ) {
            Window window = each.next();
            if (now - window.start >= interval.toNanos()) {
                each.remove();
                if (window.leftOut > 0) {
                    late.add(summary(window));
                }
            }
        }
        late.forEach(log);
    }

    private static String summary(Window window) {
        long more = window.leftOut - 1;
        return more == 0 ? window.last : window.last + " (and " + more + " more like it)";
    }
}
