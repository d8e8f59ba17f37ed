package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.unit.value.TimeSpan;

/** Times as D-Bus has them: microseconds, all ones for no end. */
final class Micros {
    static final long INFINITY = -1; // UINT64_MAX

    private Micros() {}

    static long of(TimeSpan span) {
        return span.equals(TimeSpan.INFINITY) ? INFINITY : span.micros();
    }
}
