package io.holdfast.manager.systemd1.format;

import io.holdfast.manager.unit.value.TimeSpan;

/** Converts times to D-Bus: microseconds, with all bits set for infinity. */
public final class Micros {
    public static final long INFINITY = -1; // UINT64_MAX

    private Micros() {}

    public static long of(TimeSpan span) {
        return span.equals(TimeSpan.INFINITY) ? INFINITY : span.micros();
    }
}
