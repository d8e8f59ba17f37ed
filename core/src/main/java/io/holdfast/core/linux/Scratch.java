package io.holdfast.core.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for one call at a time: the captured errno and room for small structs. Taken from a
 * fixed number of slots, so that any number of virtual threads share a bounded amount of it.
 *
 * <p>Memory is not zeroed between uses: every field that the kernel reads must be set.
 */
final class Scratch {
    /** Bytes of {@link #memory}. */
    static final int SIZE = 8192;

    private static final int SLOTS = 64;
    private static final AtomicReferenceArray<Scratch> POOL = new AtomicReferenceArray<>(SLOTS);
    private static final VarHandle TAKEN;

    static {
        try {
            TAKEN = MethodHandles.lookup().findVarHandle(Scratch.class, "taken", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final MemorySegment errno;
    final MemorySegment memory;
    final long address;

    /**
     * The same memory, in the byte order of this machine, for what a short-lived command calls: the
     * first access through a {@code ValueLayout} costs 4 ms of its start.
     */
    final ByteBuffer bytes;

    @SuppressWarnings("unused") // through TAKEN
    private volatile boolean taken = true;

    private Scratch() {
        Arena arena = Arena.ofAuto();
        errno = arena.allocate(Libc.ERRNO_LAYOUT);
        memory = arena.allocate(SIZE, 16);
        address = memory.address();
        bytes = memory.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    static Scratch take() {
        int slot = (int) Thread.currentThread().threadId() & (SLOTS - 1);
        Scratch pooled = POOL.getAcquire(slot);
        if (pooled != null && TAKEN.compareAndSet(pooled, false, true)) {
            return pooled;
        }
        Scratch made = new Scratch();
        POOL.setRelease(slot, made); // who has the other may be in a call that takes long
        return made;
    }

    /** Gives it back; the caller forgets it. */
    void give() {
        TAKEN.setRelease(this, false);
    }
}
