package io.holdfast.core.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory for one call at a time: the captured errno and room for small structs.
 *
 * <p>Memory is not zeroed between uses: every field that the kernel reads must be set.
 */
final class Scratch {
    /** Bytes of {@link #bytes}. */
    static final int SIZE = 8192;

    private static final int SLOTS = 64;
    private static final Pool<Scratch> POOL = new Pool<>(SLOTS, Scratch::new);

    final MemorySegment errno;

    /**
     * The memory, in the byte order of this machine. A buffer and no segment: the first access
     * through a {@code ValueLayout} costs 4 ms of the start of a short command.
     */
    final ByteBuffer bytes;

    /** Where {@link #bytes} begins. */
    final long address;

    private Scratch() {
        Arena arena = Arena.ofAuto();
        errno = arena.allocate(Libc.ERRNO_LAYOUT);
        MemorySegment memory = arena.allocate(SIZE, 16);
        address = memory.address();
        bytes = memory.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    static Scratch take() {
        return POOL.take();
    }

    /** Gives it back; the caller forgets it. */
    void give() {
        POOL.give(this);
    }
}
