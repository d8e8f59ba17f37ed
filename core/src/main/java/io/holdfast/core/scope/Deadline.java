package io.holdfast.core.scope;

import io.holdfast.core.Readiness;
import java.time.Duration;

/** A deadline on the monotonic clock. */
record Deadline(long start, long nanos) {
    static Deadline in(Duration time) {
        return new Deadline(System.nanoTime(), Math.max(0, Readiness.nanos(time)));
    }

    Duration left() {
        return Duration.ofNanos(Math.max(0, nanos - (System.nanoTime() - start)));
    }

    boolean isOver() {
        return System.nanoTime() - start >= nanos;
    }
}
