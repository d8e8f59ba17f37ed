package io.holdfast.journal;

import java.util.Arrays;

/**
 * The offsets of a file's FIELD objects, by the hashes of their names. The chains of the file's own
 * table lead through all of its pages: for a sender that invents names, a writer would do nothing
 * but exchange windows. A file is rotated before it has more fields than its table of DATA objects
 * has room for, which bounds this one. Not thread-safe.
 */
final class FieldIndex {
    private static final int LEAST_SLOTS = 1024; // a power of 2

    private long[] hashes = new long[LEAST_SLOTS];
    private long[] offsets = new long[LEAST_SLOTS]; // 0: no field
    private int size;

    /** {@return the FIELD object of a name with this hash; 0 if there is none} */
    long find(long hash) {
        return offsets[slot(hash)];
    }

    /** Adds a FIELD object. Of two names with one hash the first one stays. */
    void add(long hash, long offset) {
        int slot = slot(hash);
        if (offsets[slot] != 0) {
            return;
        }
        hashes[slot] = hash;
        offsets[slot] = offset;
        if (++size > offsets.length / 2) {
            grow();
        }
    }

    private int slot(long hash) {
        int slot = (int) hash & (offsets.length - 1);
        while (offsets[slot] != 0 && hashes[slot] != hash) {
            slot = (slot + 1) & (offsets.length - 1);
        }
        return slot;
    }

    private void grow() {
        long[] oldHashes = hashes;
        long[] oldOffsets = offsets;
        hashes = Arrays.copyOf(hashes, 2 * hashes.length);
        offsets = new long[2 * oldOffsets.length];
        for (int i = 0; i < oldOffsets.length; i++) {
            if (oldOffsets[i] != 0) {
                int slot = slot(oldHashes[i]);
                hashes[slot] = oldHashes[i];
                offsets[slot] = oldOffsets[i];
            }
        }
    }
}
