package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;

/**
 * {@code sys/random.h}: random numbers without a descriptor. The JDK's SecureRandom opens files
 * when it is first used, and is unusable from then on if that fails for lack of descriptors.
 */
public final class SysRandom {
    private static final Libc.Function GETRANDOM = Libc.bind("getrandom");

    private SysRandom() {}

    /** {@code getrandom(2)}: 64 bits that nobody can predict. */
    public static long bits() {
        Scratch scratch = Scratch.take();
        try {
            int r = // 8 bytes are never interrupted or partial
                    Libc.intCall(GETRANDOM, scratch.errno, scratch.address, Long.BYTES, 0, 0, 0, 0);
            ErrnoException.check(r, "getrandom", "");
            return scratch.bytes.getLong(0);
        } finally {
            scratch.release();
        }
    }
}
