package io.holdfast.dbus;

import java.time.Duration;

/** The end of one time limit that covers several steps. */
record Deadline(Duration limit, long begin) {
    /** Begins now. */
    static Deadline after(Duration limit) {
        return new Deadline(limit, System.nanoTime());
    }

    /** Returns the time that is left: positive, so that a late step is tried, too. */
    Duration left() {
        Duration left = limit.minusNanos(System.nanoTime() - begin);
        return left.isPositive() ? left : Duration.ofNanos(1);
    }
}
