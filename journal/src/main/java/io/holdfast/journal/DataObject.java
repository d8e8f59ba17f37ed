package io.holdfast.journal;

/**
 * A DATA object of the file that is written, and where its next entry is linked. The appender is
 * the only writer of the file, so what is known here need not be read again.
 */
final class DataObject {
    final long offset;

    /** The hash of the payload by which the file finds it. */
    final long hash;

    /** The unkeyed hash of the payload, for the checksum of each entry. */
    final long checksum;

    final byte[] payload;

    /** The number of entries that refer to it. */
    long entries;

    /** The last array of entries; 0 if there is none. */
    long array;

    /** The number of entries in the last array. */
    long used;

    /** The number of entries that the last array has room for. */
    long capacity;

    DataObject(long offset, long hash, long checksum, byte[] payload) {
        this.offset = offset;
        this.hash = hash;
        this.checksum = checksum;
        this.payload = payload;
    }
}
