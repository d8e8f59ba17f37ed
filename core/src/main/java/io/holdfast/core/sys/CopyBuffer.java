package io.holdfast.core.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Native memory for the data of an array that does not fit into {@link Scratch}, for one call at a
 * time. Memory larger than {@link #SIZE} is not kept for reuse.
 */
public final class CopyBuffer {
    /** The size in bytes of memory that is kept for reuse. */
    static final int SIZE = 64 << 10;

    private static final int SLOTS = 16;
    private static final Pool<CopyBuffer> POOL = new Pool<>(SLOTS, () -> new CopyBuffer(SIZE));

    public final MemorySegment memory;
    public final ByteBuffer bytes;

    private CopyBuffer(long size) {
        memory = Arena.ofAuto().allocate(size, 16);
        bytes = memory.asByteBuffer();
    }

    /** Takes memory of at least that size. */
    public static CopyBuffer take(long size) {
        return size > SIZE ? new CopyBuffer(size) : POOL.take();
    }

    /** Gives the memory back; the caller must not use it any more. */
    public void release() {
        if (memory.byteSize() == SIZE) {
            POOL.release(this);
        }
    }
}
