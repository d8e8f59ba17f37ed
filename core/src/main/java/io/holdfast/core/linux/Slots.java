package io.holdfast.core.linux;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table whose keys are slot and generation: a key of something removed never finds its successor.
 * Safe for use by any thread.
 */
final class Slots<T> {
    @GuardedBy("this")
    private @Nullable Object[] values = new @Nullable Object[64];

    @GuardedBy("this")
    private int[] generations = new int[64];

    @GuardedBy("this")
    private int[] free = new int[64];

    @GuardedBy("this")
    private int freed;

    @GuardedBy("this")
    private int used;

    /** Puts it in, and returns its key. */
    synchronized long add(T value) {
        int slot;
        if (freed > 0) {
            slot = free[--freed];
        } else {
            if (used == values.length) {
                values = Arrays.copyOf(values, 2 * used);
                generations = Arrays.copyOf(generations, 2 * used);
                free = Arrays.copyOf(free, 2 * used);
            }
            slot = used++;
        }
        values[slot] = value;
        return key(slot);
    }

    /** What the key stands for, or null if it was removed. */
    @SuppressWarnings("unchecked") // add puts nothing else in
    synchronized @Nullable T get(long key) {
        int slot = (int) key;
        return slot >= 0 && slot < used && key(slot) == key ? (T) values[slot] : null;
    }

    synchronized void remove(long key) {
        int slot = (int) key;
        if (key(slot) == key) {
            values[slot] = null;
            generations[slot]++;
            free[freed++] = slot;
        }
    }

    /** All that is in now. */
    @SuppressWarnings("unchecked") // add puts nothing else in
    synchronized List<T> values() {
        List<T> all = new ArrayList<>();
        for (int slot = 0; slot < used; slot++) {
            if (values[slot] != null) {
                all.add((T) values[slot]);
            }
        }
        return all;
    }

    @GuardedBy("this")
    private long key(int slot) {
        return (long) generations[slot] << 32 | slot;
    }
}
