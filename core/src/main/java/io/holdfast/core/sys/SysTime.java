package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;

/** {@code time.h}: a clock that the JDK does not offer. */
public final class SysTime {
    private static final int CLOCK_BOOTTIME = 7;
    private static final long NANOS_A_SECOND = 1_000_000_000;

    private static final Libc.Function CLOCK_GETTIME = Libc.bind("clock_gettime");

    private SysTime() {}

    /**
     * {@code clock_gettime(2)} of CLOCK_BOOTTIME: nanoseconds since boot in our time namespace,
     * including the time when the machine was suspended.
     */
    public static long sinceBoot() {
        Scratch scratch = Scratch.take();
        try {
            int r =
                    Libc.intCall(
                            CLOCK_GETTIME,
                            scratch.errno,
                            CLOCK_BOOTTIME,
                            scratch.address,
                            0,
                            0,
                            0,
                            0);
            ErrnoException.check(r, "clock_gettime", "CLOCK_BOOTTIME");
            return scratch.bytes.getLong(0) * NANOS_A_SECOND + scratch.bytes.getLong(Long.BYTES);
        } finally {
            scratch.release();
        }
    }
}
