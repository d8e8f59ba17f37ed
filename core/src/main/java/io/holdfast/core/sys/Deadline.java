package io.holdfast.core.sys;

import java.time.Duration;

/**
 * The end of a time limit that covers several steps, on the monotonic clock. Immutable.
 *
 * @param begin the begin of the time, as of {@link System#nanoTime}
 * @param limit the time limit, at most 292 years
 */
public record Deadline(long begin, Duration limit) {
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

    /** A deadline that does not come in the life of this process. */
    public static final Deadline NEVER = after(LONGEST);

    /** Returns the deadline after a duration from now on; 292 years at most. */
    public static Deadline after(Duration limit) {
        Duration positive = limit.isNegative() ? Duration.ZERO : limit;
        return new Deadline(
                System.nanoTime(), positive.compareTo(LONGEST) > 0 ? LONGEST : positive);
    }

    /** Returns the time until it comes, at least 0. */
    public Duration left() {
        Duration left = limit.minusNanos(System.nanoTime() - begin);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Returns whether it has come. */
    public boolean isOver() {
        return left().isZero();
    }

    /** Returns whether it comes before another one. */
    public boolean isBefore(Deadline other) {
        return left().compareTo(other.left()) < 0;
    }
}
