package io.holdfast.journal;

import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import java.util.Arrays;

/**
 * A list of offsets of entries in ascending order: all entries of a file, or those that have one
 * field. It is a chain of arrays, whose places are learned as they are needed.
 *
 * <p>The offset of each array must be larger than that of the array before it, so that no chain is
 * a cycle.
 */
final class EntryList {
    /** The number of arrays in a chain; those of systemd double, so that 40 suffice. */
    private static final int MAX_ARRAYS = 1 << 16;

    /** The number of damaged items in a row that are skipped; systemd writes 1024 on a page. */
    static final int MAX_DAMAGED = 4096;

    /** A test that is false for the first entries and true for all others. */
    interface Test {
        /** Returns 1 if it is true, 0 if it is false, -1 if the entry is damaged. */
        int of(long entry) throws JournalException;
    }

    private final ObjectFile file;
    private final long inline; // the offset of the first entry, if it is not in an array; or 0
    private final long firstArray;
    private long count;

    private long[] arrays = new long[8];
    private long[] ends = new long[8]; // the number of entries in this array and those before it
    private int known;

    /**
     * @param inline the offset of the first entry if it is outside of the arrays; 0 if it is not
     * @param firstArray the offset of the first array, 0 if there is none
     * @param count the number of entries
     */
    EntryList(ObjectFile file, long inline, long firstArray, long count) {
        this.file = file;
        this.inline = inline;
        this.firstArray = firstArray;
        this.count = Math.max(0, count);
    }

    /** Returns the number of entries, which may be fewer than the file claims. */
    long count() {
        return count;
    }

    /** Returns the offset of an entry; 0 if the list is damaged there. */
    long get(long index) throws JournalException {
        if (inline != 0) {
            return index == 0 ? inline : item(index - 1);
        }
        return item(index);
    }

    private long item(long index) throws JournalException {
        if (known == 0 || index >= ends[known - 1]) {
            if (!learn(index)) {
                return 0;
            }
        }
        int found = Arrays.binarySearch(ends, 0, known, index);
        int array = found >= 0 ? found + 1 : -found - 1; // the first whose end is behind the index
        long within = index - (array == 0 ? 0 : ends[array - 1]);
        return file.itemAt(arrays[array] + Layout.ARRAY_ITEMS + within * file.itemSize());
    }

    /** Follows the chain up to the array that has an index. */
    private boolean learn(long index) throws JournalException {
        while (known == 0 || index >= ends[known - 1]) {
            long before = known == 0 ? 0 : arrays[known - 1];
            long next = known == 0 ? firstArray : file.longAt(before + Layout.ARRAY_NEXT);
            long size = next <= before ? -1 : file.sizeOf(next, Layout.ENTRY_ARRAY);
            long items = (size - Layout.ARRAY_ITEMS) / file.itemSize();
            if (size < 0 || items == 0 || known == MAX_ARRAYS) {
                // the chain ends early: the entries behind it cannot be found by it
                count = Math.min(count, (known == 0 ? 0 : ends[known - 1]) + (inline != 0 ? 1 : 0));
                return false;
            }
            if (known == arrays.length) {
                arrays = Arrays.copyOf(arrays, 2 * known);
                ends = Arrays.copyOf(ends, 2 * known);
            }
            arrays[known] = next;
            ends[known] = (known == 0 ? 0 : ends[known - 1]) + items;
            known++;
        }
        return true;
    }

    /**
     * Returns the index of the first entry for which a test is true; the count if there is none.
     */
    long first(Test test) throws JournalException {
        long low = 0;
        long best = count;
        long high = count;
        while (low < high) {
            long middle = (low + high) >>> 1;
            long probe = middle;
            int result = test.of(get(probe));
            long probes = Math.min(Math.min(high, count), middle + MAX_DAMAGED);
            while (result < 0 && ++probe < probes) { // look behind the damage
                result = test.of(get(probe));
            }
            if (result == 0) {
                low = probe + 1;
            } else {
                best = result > 0 ? probe : best;
                high = middle;
            }
        }
        return Math.min(best, count);
    }

    /** Returns the index of the first entry at an offset or behind it. */
    long firstAt(long offset) throws JournalException {
        return first(entry -> entry == 0 ? -1 : entry >= offset ? 1 : 0);
    }

    /**
     * Reads the list of entries that have a field, from its DATA object, which has been checked.
     */
    static EntryList ofData(ObjectFile file, long data) throws JournalException {
        int at = file.locate(data, Layout.DATA_PAYLOAD);
        byte[] bytes = file.bytes;
        return new EntryList(
                file,
                Bytes.getLong(bytes, at + Layout.DATA_ENTRY),
                Bytes.getLong(bytes, at + Layout.DATA_ENTRY_ARRAY),
                Bytes.getLong(bytes, at + Layout.DATA_N_ENTRIES));
    }
}
