package io.holdfast.bus.connection;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A hash table that is searched without allocating a key: the caller compares the candidates. They
 * follow each other from the slot of their hash on, up to the first empty slot ("open addressing,
 * linear probing"):
 *
 * <pre>
 * int slot = table.slotOf(hash);
 * for (E found = table.get(slot); found != null; found = table.get(slot)) {
 *     if (…) return found;
 *     slot = table.after(slot);
 * }
 * </pre>
 *
 * <p>At most half of the slots are taken. Not thread-safe.
 */
final class HashedTable<E extends HashedTable.Entry> {
    private static final int LEAST = 64; // slots; a power of two

    interface Entry {
        /** Returns the hash, which must not change while the entry is in a table. */
        int hash();
    }

    private @Nullable Entry[] slots = new @Nullable Entry[LEAST];
    private int size;

    int size() {
        return size;
    }

    int slotOf(int hash) {
        return hash & slots.length - 1;
    }

    int after(int slot) {
        return slot + 1 & slots.length - 1;
    }

    @SuppressWarnings("unchecked") // nothing else is put in
    @Nullable E get(int slot) {
        return (E) slots[slot];
    }

    /** Adds an entry that is not in the table. */
    void add(E entry) {
        if (size * 2 >= slots.length) {
            resize(slots.length * 2);
        }
        place(entry);
        size++;
    }

    private void place(Entry entry) {
        int slot = slotOf(entry.hash());
        while (slots[slot] != null) {
            slot = after(slot);
        }
        slots[slot] = entry;
    }

    /**
     * Removes an entry, if it is in the table. Entries that it had pushed on move up into the gap.
     */
    @SuppressWarnings("ReferenceEquality") // an entry is equal to itself alone
    void remove(E gone) {
        int gap = slotOf(gone.hash());
        while (slots[gap] != gone) {
            if (slots[gap] == null) {
                return;
            }
            gap = after(gap);
        }
        slots[gap] = null;
        size--;
        int slot = after(gap);
        for (Entry next = slots[slot]; next != null; next = slots[slot]) {
            if (distance(slotOf(next.hash()), slot) >= distance(gap, slot)) {
                slots[gap] = next;
                slots[slot] = null;
                gap = slot;
            }
            slot = after(slot);
        }
        if (slots.length > LEAST && size * 8 < slots.length) {
            resize(slots.length / 2);
        }
    }

    private int distance(int from, int to) {
        return to - from & slots.length - 1;
    }

    private void resize(int length) {
        @Nullable Entry[] old = slots;
        slots = new @Nullable Entry[length];
        for (Entry entry : old) {
            if (entry != null) {
                place(entry);
            }
        }
    }

    /** All entries, in no order. */
    @SuppressWarnings("unchecked") // nothing else is put in
    List<E> all() {
        List<E> all = new ArrayList<>(size);
        Arrays.stream(slots).filter(entry -> entry != null).forEach(entry -> all.add((E) entry));
        return all;
    }
}
