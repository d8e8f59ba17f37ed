package io.holdfast.receiver;

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
        /** It is the first of its interval that is to be dropped. */
        DROP_FIRST,
        DROP
    }

    /**
     * A rate.
     *
     * @param burst messages within one interval
     * @param interval in nanoseconds
     */
    record Rate(long burst, long interval) {}

    private static final class Window {
        private Rate rate;
        private long begun;
        private long passed;
        private long dropped;

        Window(Rate rate) {
            this.rate = rate;
        }
    }

    private final Rate usual;
    private final LongSupplier clock;
    private final Map<String, Window> windows = new Bounded<>();

    /**
     * @param usual the rate of those who have none of their own
     * @param clock the time in nanoseconds
     */
    BurstLimit(Rate usual, LongSupplier clock) {
        this.usual = usual;
        this.clock = clock;
    }

    /** {@return the rate of those who have none of their own} */
    Rate usual() {
        return usual;
    }

    /** Counts a message against the usual rate. */
    Verdict count(String who) {
        return count(who, usual, 1);
    }

    /**
     * Counts a message against a rate of its own.
     *
     * @param weight as how many usual messages it counts
     */
    Verdict count(String who, Rate rate, long weight) {
        Window window = windows.computeIfAbsent(who, _ -> new Window(rate));
        window.rate = rate;
        if (window.passed == 0) {
            window.begun = clock.getAsLong();
        }
        if (window.passed >= rate.burst()) {
            window.dropped++;
            return window.dropped == 1 ? Verdict.DROP_FIRST : Verdict.DROP;
        }
        window.passed += weight;
        return Verdict.PASS;
    }

    /** {@return whether all messages were passed that the last rate permits within an interval} */
    boolean isFull(String who) {
        Window window = windows.get(who);
        return window != null && window.passed >= window.rate.burst();
    }

    /** {@return the nanoseconds until the interval is over; {@link Long#MAX_VALUE}: never} */
    long left(String who) {
        Window window = windows.get(who);
        if (window == null || window.rate.interval() == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        return Math.max(0, window.rate.interval() - (clock.getAsLong() - window.begun));
    }

    /**
     * Begins a new interval, if the last one is over. To be called before {@link #count}.
     *
     * @return how many messages were dropped in the last one
     */
    long renew(String who) {
        Window window = windows.get(who);
        if (window == null || clock.getAsLong() - window.begun < window.rate.interval()) {
            return 0;
        }
        long dropped = window.dropped;
        window.passed = 0;
        window.dropped = 0;
        return dropped;
    }
}
