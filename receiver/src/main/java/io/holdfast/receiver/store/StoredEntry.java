package io.holdfast.receiver.store;

import io.holdfast.journal.Field;
import java.util.Collections;
import java.util.List;

/**
 * An entry on its way to a file.
 *
 * @param realtimeMicros when it was received, since 1970
 * @param monotonicMicros the same since the boot
 * @param owner the user whose file it belongs to; 0 for the system's
 * @param fields not changed by the caller any more
 * @param bytes of its fields
 */
public record StoredEntry(
        long realtimeMicros, long monotonicMicros, long owner, List<Field> fields, long bytes) {
    private static final int OVERHEAD = 64; // of one field in memory

    public StoredEntry {
        fields = Collections.unmodifiableList(fields);
    }

    /** Makes an entry of now. */
    public static StoredEntry now(long owner, List<Field> fields) {
        java.time.Instant now = java.time.Instant.now();
        long bytes = 0;
        for (Field field : fields) {
            bytes += field.size() + OVERHEAD;
        }
        return new StoredEntry(
                now.getEpochSecond() * 1_000_000 + now.getNano() / 1000,
                System.nanoTime() / 1000,
                owner,
                fields,
                bytes);
    }
}
