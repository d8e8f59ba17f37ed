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
 * A rate limit for log lines that another user can cause at will.
 *
 * <p>A line has a source: the kind of event, the user who caused it, or both. The first lines of a
 * source in an interval are logged at once. Of its further lines only the last is logged, when the
 * interval is over, with the number of omitted lines. So one user's flood does not hide another
 * user's line. If more than {@code sources} sources have lines in one interval, all further sources
 * count as one.
 *
 * <pre>{@code
 * Throttle complaints = Throttle.of(LINES, INTERVAL, SOURCES, line -> LOG.log(WARNING, line));
 * complaints.log(uid, "varlink: closing the connection of user 1000: invalid call");
 * }</pre>
 *
 * <p>After the interval, the summary is logged with the next line of any source, or when {@link
 * #flush} is called; {@link #withTimer} calls it in time. Thread-safe. Lines are passed on one at a
 * time, by the thread that logs them.
 */
public final class Throttle {
    private static final Object FURTHER_SOURCES = new Object();

    /** Runs a task later, such as the timer of an event loop. */
    @FunctionalInterface
    public interface Timer {
        /** Runs a task after a delay. */
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
     * Makes a throttle.
     *
     * @param burst how many lines of one source are logged at once in an interval, 1 or more
     * @param interval the interval, from the first line of the source on
     * @param sources how many sources are counted separately in one interval
     * @param log receives the lines
     * @return the throttle
     */
    public static Throttle of(int burst, Duration interval, int sources, Consumer<String> log) {
        return new Throttle(burst, interval, sources, log, System::nanoTime, null);
    }

    /**
     * {@return the same throttle with another clock}
     *
     * @param nanoTime the time in nanoseconds, like {@link System#nanoTime}
     */
    public Throttle withClock(LongSupplier nanoTime) {
        return new Throttle(burst, interval, sources, log, nanoTime, timer);
    }

    /**
     * {@return the same throttle, which logs the summary as soon as the interval is over}
     *
     * @param timer runs a task later
     */
    public Throttle withTimer(Timer timer) {
        return new Throttle(burst, interval, sources, log, nanoTime, timer);
    }

    /**
     * Logs a line, or counts it as omitted.
     *
     * @param source the source of the line, with {@code equals}
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

    /** Logs the summaries of the intervals that are over. */
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
