package io.holdfast.core.sys;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Native memory that is used by one call at a time and kept for the next one. The number of slots
 * is fixed, so that any number of threads keep a bounded amount of it: a thread that finds nothing
 * in its slots makes new memory, and memory for which no slot is free is left to the collector.
 */
public final class Pool<T> {
    private static final int TRIES = 4; // slots of a thread, its own and those behind it

    private final AtomicReferenceArray<@Nullable T> slots;
    private final int mask;
    private final Supplier<T> maker;

    /**
     * @param size number of slots, a power of two
     */
    public Pool(int size, Supplier<T> maker) {
        this.slots = new AtomicReferenceArray<>(size);
        this.mask = size - 1;
        this.maker = maker;
    }

    /** Takes memory that nobody else uses until it is given back. */
    public T take() {
        int own = own();
        for (int i = 0; i < TRIES; i++) {
            int slot = (own + i) & mask;
            if (slots.getPlain(slot) != null) {
                T kept = slots.getAndSet(slot, null);
                if (kept != null) {
                    return kept;
                }
            }
        }
        return maker.get();
    }

    /** Gives memory back; the caller forgets it. */
    public void give(T memory) {
        int own = own();
        for (int i = 0; i < TRIES; i++) {
            int slot = (own + i) & mask;
            if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, memory)) {
                return;
            }
        }
    }

    private static int own() {
        return (int) Thread.currentThread().threadId();
    }
}
