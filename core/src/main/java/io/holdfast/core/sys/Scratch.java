package io.holdfast.core.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory for one call at a time: the captured errno and room for small structs.
 *
 * <p>Memory is not zeroed between uses: every field that the kernel reads must be set.
 */
public final class Scratch {
    /** The size of {@link #bytes}. */
    public static final int SIZE = 8192;

    private static final int SLOTS = 64;
    private static final Pool<Scratch> POOL = new Pool<>(SLOTS, Scratch::new);

    public final MemorySegment errno;

    /**
     * The memory, in the byte order of this machine. It is a buffer and not a segment, because the
     * first access through a {@code ValueLayout} costs 4 ms of the start of a short command.
     */
    public final ByteBuffer bytes;

    /** The address of {@link #bytes}. */
    public final long address;

    private Scratch() {
        Arena arena = Arena.ofAuto();
        errno = arena.allocate(Libc.ERRNO_LAYOUT);
        MemorySegment memory = arena.allocate(SIZE, 16);
        address = memory.address();
        bytes = memory.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    public static Scratch take() {
        return POOL.take();
    }

    /** Gives the memory back; the caller must not use it any more. */
    public void release() {
        POOL.release(this);
    }
}
