package io.holdfast.journal;

import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import java.nio.file.Path;

/**
 * The header of a journal file: what {@code journalctl --header} prints.
 *
 * @param state the state in which the writer left the file
 * @param compatibleFlags the flags that a reader may ignore
 * @param incompatibleFlags the flags that a reader must know
 * @param fileId the identifier of the file, which is the key of its hashes
 * @param machineId the machine that wrote it
 * @param tailBootId the boot of the last entry
 * @param seqnumId the sequence of its numbers
 * @param headerSize the size of the header in bytes
 * @param arenaSize the size of the part behind the header in bytes
 * @param dataHashTableOffset the offset of the first bucket of the table of fields with values
 * @param dataHashTableSize the size of that table in bytes
 * @param fieldHashTableOffset the offset of the first bucket of the table of names
 * @param fieldHashTableSize the size of that table in bytes
 * @param tailObjectOffset the offset of the last object
 * @param objects the number of objects
 * @param entries the number of entries
 * @param tailSeqnum the sequence number of the last entry, 0 if there is none
 * @param headSeqnum the sequence number of the first entry, 0 if there is none
 * @param entryArrayOffset the offset of the first array of entries, 0 if there is none
 * @param headRealtime the time of the first entry in µs since 1970, 0 if there is none
 * @param tailRealtime the time of the last entry in µs since 1970, 0 if there is none
 * @param tailMonotonic the time of the last entry in µs since its boot
 * @param data the number of fields with values; -1 if the header is too old to state it
 * @param fields the number of names; -1 if the header is too old to state it
 */
public record FileHeader(
        FileState state,
        int compatibleFlags,
        int incompatibleFlags,
        Id128 fileId,
        Id128 machineId,
        Id128 tailBootId,
        Id128 seqnumId,
        long headerSize,
        long arenaSize,
        long dataHashTableOffset,
        long dataHashTableSize,
        long fieldHashTableOffset,
        long fieldHashTableSize,
        long tailObjectOffset,
        long objects,
        long entries,
        long tailSeqnum,
        long headSeqnum,
        long entryArrayOffset,
        long headRealtime,
        long tailRealtime,
        long tailMonotonic,
        long data,
        long fields) {

    /**
     * Reads the header of a file.
     *
     * @param file the file
     * @return its header
     * @throws JournalException if it cannot be read or is no journal file
     */
    public static FileHeader read(Path file) throws JournalException {
        try (ObjectFile objects = ObjectFile.open(file, new WindowCache(0))) {
            return objects.header();
        }
    }

    /** {@return whether the file has 32-bit offsets, at most 4 GiB} */
    public boolean isCompact() {
        return (incompatibleFlags & Layout.INCOMPATIBLE_COMPACT) != 0;
    }

    /** {@return whether the hashes are keyed by the file's identifier} */
    public boolean isKeyed() {
        return (incompatibleFlags & Layout.INCOMPATIBLE_KEYED_HASH) != 0;
    }

    /**
     * {@return whether the file is sealed} This library reads the tags of sealed files and does not
     * check them.
     */
    public boolean isSealed() {
        return (compatibleFlags & Layout.COMPATIBLE_SEALED) != 0;
    }

    /**
     * Parses a header.
     *
     * @param bytes the first bytes of the file, up to {@link Layout#NEWEST_HEADER}
     */
    static FileHeader parse(Path file, byte[] bytes, int length) throws JournalException {
        if (length == 0 || (length >= 8 && Bytes.getLong(bytes, 0) == 0)) {
            throw JournalException.unbegun(file);
        }
        if (length < Layout.OLDEST_HEADER) {
            throw new JournalException(
                    file, length, "the file ends within its header; it is no journal file");
        }
        if (Bytes.getLong(bytes, 0) != Layout.SIGNATURE) {
            throw new JournalException(file, 0, "the file is no journal file");
        }
        int incompatible = Bytes.getInt(bytes, Layout.INCOMPATIBLE_FLAGS);
        if ((incompatible & ~Layout.INCOMPATIBLE_KNOWN) != 0) {
            throw new JournalException(
                    file,
                    Layout.INCOMPATIBLE_FLAGS,
                    "the file needs features that this version does not know (flags 0x"
                            + Integer.toHexString(incompatible & ~Layout.INCOMPATIBLE_KNOWN)
                            + ")");
        }
        FileState state = state(file, bytes[Layout.STATE]);
        long headerSize = Bytes.getLong(bytes, Layout.HEADER_SIZE);
        if (headerSize < Layout.OLDEST_HEADER || (headerSize & 7) != 0) {
            throw new JournalException(
                    file,
                    Layout.HEADER_SIZE,
                    "the header size " + Long.toUnsignedString(headerSize) + " is not valid");
        }
        return new FileHeader(
                state,
                Bytes.getInt(bytes, Layout.COMPATIBLE_FLAGS),
                incompatible,
                Id128.get(bytes, Layout.FILE_ID),
                Id128.get(bytes, Layout.MACHINE_ID),
                Id128.get(bytes, Layout.TAIL_ENTRY_BOOT_ID),
                Id128.get(bytes, Layout.SEQNUM_ID),
                headerSize,
                Bytes.getLong(bytes, Layout.ARENA_SIZE),
                Bytes.getLong(bytes, Layout.DATA_HASH_TABLE_OFFSET),
                Bytes.getLong(bytes, Layout.DATA_HASH_TABLE_SIZE),
                Bytes.getLong(bytes, Layout.FIELD_HASH_TABLE_OFFSET),
                Bytes.getLong(bytes, Layout.FIELD_HASH_TABLE_SIZE),
                Bytes.getLong(bytes, Layout.TAIL_OBJECT_OFFSET),
                Bytes.getLong(bytes, Layout.N_OBJECTS),
                Bytes.getLong(bytes, Layout.N_ENTRIES),
                Bytes.getLong(bytes, Layout.TAIL_ENTRY_SEQNUM),
                Bytes.getLong(bytes, Layout.HEAD_ENTRY_SEQNUM),
                Bytes.getLong(bytes, Layout.ENTRY_ARRAY_OFFSET),
                Bytes.getLong(bytes, Layout.HEAD_ENTRY_REALTIME),
                Bytes.getLong(bytes, Layout.TAIL_ENTRY_REALTIME),
                Bytes.getLong(bytes, Layout.TAIL_ENTRY_MONOTONIC),
                optional(bytes, length, headerSize, Layout.N_DATA),
                optional(bytes, length, headerSize, Layout.N_FIELDS));
    }

    private static FileState state(Path file, int state) throws JournalException {
        return switch (state) {
            case Layout.STATE_OFFLINE -> FileState.OFFLINE;
            case Layout.STATE_ONLINE -> FileState.ONLINE;
            case Layout.STATE_ARCHIVED -> FileState.ARCHIVED;
            default -> throw new JournalException(file, Layout.STATE, "unknown state " + state);
        };
    }

    private static long optional(byte[] bytes, int length, long headerSize, int at) {
        return headerSize >= at + 8 && length >= at + 8 ? Bytes.getLong(bytes, at) : -1;
    }
}
