package io.holdfast.core.sys;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/** {@code sys/mman.h}: advice on mapped memory. */
public final class SysMman {
    private static final int MADV_DONTNEED = 4;

    private static final Libc.Function MADVISE = Libc.bind("madvise");

    private SysMman() {}

    /**
     * {@code madvise(2)}, MADV_DONTNEED: unmaps the pages of a shared mapping of a file, whose
     * contents stay in the page cache. The next access maps them again. 0, or -errno.
     *
     * @param mapping a whole mapping, which begins at a page
     */
    public static int release(MemorySegment mapping) {
        try {
            return Libc.intCall(
                    MADVISE, mapping.address(), mapping.byteSize(), MADV_DONTNEED, 0, 0, 0);
        } finally {
            Reference.reachabilityFence(mapping);
        }
    }
}
