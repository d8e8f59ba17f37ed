package io.holdfast.receiver;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The rate limit of log messages, for each unit or user: so many messages within an interval, which
 * begins with the first; the rest is dropped and counted. The table is bounded: whoever has logged
 * least recently is forgotten. Owned by one thread.
 */
final class BurstLimit {
    /** What is to be done with a message. */
    enum Verdict {
        PASS,
        DROP
    }

    private static final class Window {
        private long begun;
        private int passed;
        private long dropped;
    }

    private final int burst;
    private final long interval;
    private final LongSupplier clock;
    private final Map<String, Window> windows =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Window> eldest) {
                    return size() > ReceiverLimits.SENDERS.intValue();
                }
            };

    /**
     * @param burst messages within one interval
     * @param interval in nanoseconds
     * @param clock the time in nanoseconds
     */
    BurstLimit(int burst, long interval, LongSupplier clock) {
        this.burst = burst;
        this.interval = interval;
        this.clock = clock;
    }

    /** Counts a message. */
    Verdict count(String who) {
        Window window = windows.computeIfAbsent(who, _ -> new Window());
        if (window.passed == 0) {
            window.begun = clock.getAsLong();
        }
        if (window.passed >= burst) {
            window.dropped++;
            return Verdict.DROP;
        }
        window.passed++;
        return Verdict.PASS;
    }

    /**
     * Begins a new interval, if the last one is over. To be called before {@link #count}.
     *
     * @return how many messages were dropped in the last one
     */
    long renew(String who) {
        Window window = windows.get(who);
        if (window == null || clock.getAsLong() - window.begun < interval) {
            return 0;
        }
        long dropped = window.dropped;
        window.passed = 0;
        window.dropped = 0;
        return dropped;
    }
}
