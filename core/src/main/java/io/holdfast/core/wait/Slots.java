package io.holdfast.core.wait;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A table whose keys are slot and generation: the key of a removed value never finds the next value
 * of its slot.
 *
 * <p>Safe for use by any thread, and without a lock: a virtual thread that waits for a lock leaves
 * its carrier while it holds other locks, and the poller's thread would have to wait for those.
 */
public final class Slots<T> {
    private static final int FIRST_CHUNK = 64; // slots, a power of two; each next has twice as many
    private static final int CHUNKS = 25; // enough for all slot numbers

    /** A block of slots, allocated at once and never moved. */
    private static final class Chunk {
        final AtomicReferenceArray<@Nullable Object> values;
        final AtomicIntegerArray generations;
        final AtomicIntegerArray freedBefore; // for a free slot: the next free slot, plus 1

        Chunk(int slots) {
            values = new AtomicReferenceArray<>(slots);
            generations = new AtomicIntegerArray(slots);
            freedBefore = new AtomicIntegerArray(slots);
        }
    }

    private final AtomicReferenceArray<@Nullable Chunk> chunks = new AtomicReferenceArray<>(CHUNKS);
    private final AtomicInteger used = new AtomicInteger();

    /**
     * The list of free slots. Low word: the slot that was freed last, plus 1. High word: a count of
     * changes, against ABA.
     */
    private final AtomicLong freed = new AtomicLong();

    /** Adds a value, and returns its key. */
    public long add(T value) {
        int slot = take();
        Chunk chunk = made(slot);
        int at = indexOf(slot);
        chunk.values.set(at, value);
        return (long) chunk.generations.get(at) << 32 | slot;
    }

    private int take() {
        for (; ; ) {
            long top = freed.get();
            int slot = (int) top - 1;
            if (slot < 0) {
                return used.getAndIncrement();
            }
            int before = made(slot).freedBefore.get(indexOf(slot));
            if (freed.compareAndSet(top, changed(top, before))) {
                return slot;
            }
        }
    }

    /** Returns the value of a key, or null if it was removed. */
    @SuppressWarnings("unchecked") // add puts nothing else in
    public @Nullable T get(long key) {
        int slot = (int) key;
        Chunk chunk = slot < 0 ? null : chunks.get(chunkOf(slot));
        if (chunk == null) {
            return null;
        }
        int at = indexOf(slot);
        Object value = chunk.values.get(at);
        // in this order: if it is still this generation, it was when the value was read
        return chunk.generations.get(at) == generation(key) ? (T) value : null;
    }

    /** Removes the value of a key. Does nothing if it was removed before. */
    public void remove(long key) {
        int slot = (int) key;
        Chunk chunk = made(slot);
        int at = indexOf(slot);
        int generation = generation(key);
        if (!chunk.generations.compareAndSet(at, generation, generation + 1)) {
            return;
        }
        chunk.values.set(at, null);
        long top;
        do {
            top = freed.get();
            chunk.freedBefore.set(at, (int) top);
        } while (!freed.compareAndSet(top, changed(top, slot + 1)));
    }

    /** Returns all current values. */
    @SuppressWarnings("unchecked") // add puts nothing else in
    public List<T> values() {
        List<T> all = new ArrayList<>();
        for (int slot = 0; slot < used.get(); slot++) {
            Object value = made(slot).values.get(indexOf(slot));
            if (value != null) {
                all.add((T) value);
            }
        }
        return all;
    }

    private Chunk made(int slot) {
        int number = chunkOf(slot);
        Chunk chunk = chunks.get(number);
        if (chunk != null) {
            return chunk;
        }
        Chunk made = new Chunk(FIRST_CHUNK << number);
        Chunk first = chunks.compareAndExchange(number, null, made);
        return first == null ? made : first;
    }

    private static int chunkOf(int slot) {
        return Integer.numberOfLeadingZeros(FIRST_CHUNK)
                - Integer.numberOfLeadingZeros(slot + FIRST_CHUNK);
    }

    private static int indexOf(int slot) {
        int at = slot + FIRST_CHUNK;
        return at - Integer.highestOneBit(at);
    }

    private static int generation(long key) {
        return (int) (key >>> 32);
    }

    private static long changed(long top, int slotPlusOne) {
        return ((top >>> 32) + 1) << 32 | slotPlusOne;
    }
}
