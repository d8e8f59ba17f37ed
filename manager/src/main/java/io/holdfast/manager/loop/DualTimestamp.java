package io.holdfast.manager.loop;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * The time of an event on both clocks.
 *
 * @param realtime microseconds since 1970; 0: never
 * @param monotonic microseconds of CLOCK_MONOTONIC; 0: never
 */
public record DualTimestamp(long realtime, long monotonic) {
    /** 0 on both clocks: the event has not happened. */
    public static final DualTimestamp NEVER = new DualTimestamp(0, 0);

    /** The inverse of {@link #parse}. */
    @Override
    public String toString() {
        return realtime + "/" + monotonic;
    }

    /**
     * Parses the output of {@link #toString}; an empty text is {@link #NEVER}.
     *
     * @throws IllegalArgumentException if the text is not such an output
     */
    public static DualTimestamp parse(String text) {
        if (text.isEmpty()) {
            return NEVER;
        }
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not a timestamp: " + text);
        }
        return new DualTimestamp(
                Long.parseLong(text.substring(0, slash)),
                Long.parseLong(text.substring(slash + 1)));
    }

    /** {@return the current time} The JVM's {@code nanoTime} is CLOCK_MONOTONIC on Linux. */
    public static DualTimestamp now() {
        return new DualTimestamp(
                ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()), System.nanoTime() / 1000);
    }
}
