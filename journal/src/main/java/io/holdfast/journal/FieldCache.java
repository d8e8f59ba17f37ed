package io.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * Small fields of the files of one reader. Most fields of an entry, such as the name of the host,
 * occur in the entries before it, too. Not thread-safe.
 */
final class FieldCache {
    private static final int SLOTS = 4096;

    /** The largest payload that is cached: all slots together have 4 MiB. */
    static final int MAX_PAYLOAD = 1024;

    private final long[] keys = new long[SLOTS];
    private final @Nullable Field[] fields = new Field[SLOTS];

    /** Returns the field of a DATA object; null if it is not cached. */
    @Nullable Field find(int file, long offset) {
        long key = key(file, offset);
        int slot = slot(key);
        return keys[slot] == key ? fields[slot] : null;
    }

    /** Caches a field if it is small. */
    void put(int file, long offset, Field field) {
        if (field.payload().length <= MAX_PAYLOAD) {
            long key = key(file, offset);
            int slot = slot(key);
            keys[slot] = key;
            fields[slot] = field;
        }
    }

    /** Offsets are multiples of 8 and below 2^43, as file systems limit them. */
    private static long key(int file, long offset) {
        return ((long) file << 40) | (offset >>> 3);
    }

    private static int slot(long key) {
        return (int) ((key * 0x9e3779b97f4a7c15L) >>> 52);
    }
}
