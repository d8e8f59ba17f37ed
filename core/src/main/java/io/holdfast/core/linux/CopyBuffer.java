package io.holdfast.core.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for data that lies in an array, for one call at a time. As {@link Scratch}, for
 * what is too large for it: taken from a fixed number of slots, so that any number of threads keep
 * a bounded amount of it. What is larger than {@link #SIZE} is not kept.
 */
final class CopyBuffer {
    /** Bytes of one that is kept. */
    static final int SIZE = 64 << 10;

    private static final int SLOTS = 16;
    private static final AtomicReferenceArray<CopyBuffer> POOL = new AtomicReferenceArray<>(SLOTS);

    final MemorySegment memory;

    private CopyBuffer(long size) {
        memory = Arena.ofAuto().allocate(size, 16);
    }

    /** One of at least that size. */
    static CopyBuffer take(long size) {
        if (size > SIZE) {
            return new CopyBuffer(size);
        }
        CopyBuffer kept = POOL.getAndSet(slot(), null);
        return kept != null ? kept : new CopyBuffer(SIZE);
    }

    /** Gives it back; the caller forgets it. */
    void give() {
        if (memory.byteSize() == SIZE) {
            POOL.setRelease(slot(), this);
        }
    }

    private static int slot() {
        return (int) Thread.currentThread().threadId() & (SLOTS - 1);
    }
}
