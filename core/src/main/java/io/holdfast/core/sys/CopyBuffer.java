package io.holdfast.core.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Native memory for data that lies in an array, for one call at a time: what {@link Scratch} has no
 * room for. What is larger than {@link #SIZE} is not kept.
 */
public final class CopyBuffer {
    /** Bytes of one that is kept. */
    static final int SIZE = 64 << 10;

    private static final int SLOTS = 16;
    private static final Pool<CopyBuffer> POOL = new Pool<>(SLOTS, () -> new CopyBuffer(SIZE));

    public final MemorySegment memory;
    public final ByteBuffer bytes;

    private CopyBuffer(long size) {
        memory = Arena.ofAuto().allocate(size, 16);
        bytes = memory.asByteBuffer();
    }

    /** One of at least that size. */
    public static CopyBuffer take(long size) {
        return size > SIZE ? new CopyBuffer(size) : POOL.take();
    }

    /** Gives it back; the caller forgets it. */
    public void give() {
        if (memory.byteSize() == SIZE) {
            POOL.give(this);
        }
    }
}
