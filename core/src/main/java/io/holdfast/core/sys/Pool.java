package io.holdfast.core.sys;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A pool of native memory that one call at a time uses and the next call reuses. The number of
 * slots is fixed, so any number of threads keep a bounded amount of memory: a thread that finds its
 * slots empty makes new memory, and memory without a free slot is left to the garbage collector.
 */
public final class Pool<T> {
    private static final int TRIES = 4; // the slots that a thread tries, from its own on

    private final AtomicReferenceArray<@Nullable T> slots;
    private final int mask;
    private final Supplier<T> maker;

    /**
     * @param size the number of slots, a power of two
     * @param maker makes new memory
     */
    public Pool(int size, Supplier<T> maker) {
        this.slots = new AtomicReferenceArray<>(size);
        this.mask = size - 1;
        this.maker = maker;
    }

    /** Takes memory, which no other call uses until it is given back. */
    public T take() {
        int firstSlot = firstSlot();
        for (int i = 0; i < TRIES; i++) {
            int slot = (firstSlot + i) & mask;
            if (slots.getPlain(slot) != null) {
                T kept = slots.getAndSet(slot, null);
                if (kept != null) {
                    return kept;
                }
            }
        }
        return maker.get();
    }

    /** Gives memory back; the caller must not use it any more. */
    public void release(T memory) {
        int firstSlot = firstSlot();
        for (int i = 0; i < TRIES; i++) {
            int slot = (firstSlot + i) & mask;
            if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, memory)) {
                return;
            }
        }
    }

    private static int firstSlot() {
        return (int) Thread.currentThread().threadId();
    }
}
