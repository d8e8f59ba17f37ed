package io.holdfast.journal.format;

/**
 * Offsets and flags of journal files, as systemd's page "Journal File Format" describes them. All
 * numbers are little-endian, and every object begins at a multiple of 8.
 */
public final class Layout {
    /** {@code LPKSHHRH}, the first 8 bytes. */
    public static final long SIGNATURE = 0x48524848534b504cL;

    public static final int COMPATIBLE_FLAGS = 8;
    public static final int INCOMPATIBLE_FLAGS = 12;
    public static final int STATE = 16;
    public static final int FILE_ID = 24;
    public static final int MACHINE_ID = 40;
    public static final int TAIL_ENTRY_BOOT_ID = 56;
    public static final int SEQNUM_ID = 72;
    public static final int HEADER_SIZE = 88;
    public static final int ARENA_SIZE = 96;
    public static final int DATA_HASH_TABLE_OFFSET = 104;
    public static final int DATA_HASH_TABLE_SIZE = 112;
    public static final int FIELD_HASH_TABLE_OFFSET = 120;
    public static final int FIELD_HASH_TABLE_SIZE = 128;
    public static final int TAIL_OBJECT_OFFSET = 136;
    public static final int N_OBJECTS = 144;
    public static final int N_ENTRIES = 152;
    public static final int TAIL_ENTRY_SEQNUM = 160;
    public static final int HEAD_ENTRY_SEQNUM = 168;
    public static final int ENTRY_ARRAY_OFFSET = 176;
    public static final int HEAD_ENTRY_REALTIME = 184;
    public static final int TAIL_ENTRY_REALTIME = 192;
    public static final int TAIL_ENTRY_MONOTONIC = 200;

    /** The size of the oldest header: fields from here on may be missing. */
    public static final int OLDEST_HEADER = 208;

    public static final int N_DATA = 208;
    public static final int N_FIELDS = 216;
    public static final int N_TAGS = 224;
    public static final int N_ENTRY_ARRAYS = 232;
    public static final int DATA_HASH_CHAIN_DEPTH = 240;
    public static final int FIELD_HASH_CHAIN_DEPTH = 248;
    public static final int TAIL_ENTRY_ARRAY_OFFSET = 256;
    public static final int TAIL_ENTRY_ARRAY_N_ENTRIES = 260;
    public static final int TAIL_ENTRY_OFFSET = 264;

    /** The size of the header that this library writes: that of systemd 254 and newer. */
    public static final int NEWEST_HEADER = 272;

    public static final int INCOMPATIBLE_XZ = 1;
    public static final int INCOMPATIBLE_LZ4 = 2;
    public static final int INCOMPATIBLE_KEYED_HASH = 4;
    public static final int INCOMPATIBLE_ZSTD = 8;
    public static final int INCOMPATIBLE_COMPACT = 16;
    public static final int INCOMPATIBLE_KNOWN = 31;
    public static final int COMPATIBLE_SEALED = 1;
    public static final int COMPATIBLE_TAIL_ENTRY_BOOT_ID = 2;

    public static final int STATE_OFFLINE = 0;
    public static final int STATE_ONLINE = 1;
    public static final int STATE_ARCHIVED = 2;

    public static final int UNUSED = 0;
    public static final int DATA = 1;
    public static final int FIELD = 2;
    public static final int ENTRY = 3;
    public static final int DATA_HASH_TABLE = 4;
    public static final int FIELD_HASH_TABLE = 5;
    public static final int ENTRY_ARRAY = 6;
    public static final int TAG = 7;

    public static final int OBJECT_XZ = 1;
    public static final int OBJECT_LZ4 = 2;
    public static final int OBJECT_ZSTD = 4;

    // every object
    public static final int OBJECT_TYPE = 0;
    public static final int OBJECT_FLAGS = 1;
    public static final int OBJECT_SIZE = 8;
    public static final int OBJECT_HEADER = 16;

    public static final int DATA_HASH = 16;
    public static final int DATA_NEXT_HASH = 24;
    public static final int DATA_NEXT_FIELD = 32;
    public static final int DATA_ENTRY = 40;
    public static final int DATA_ENTRY_ARRAY = 48;
    public static final int DATA_N_ENTRIES = 56;
    public static final int DATA_PAYLOAD = 64;
    public static final int DATA_TAIL_ARRAY = 64;
    public static final int DATA_TAIL_ARRAY_N = 68;
    public static final int DATA_PAYLOAD_COMPACT = 72;

    public static final int FIELD_HASH = 16;
    public static final int FIELD_NEXT_HASH = 24;
    public static final int FIELD_HEAD_DATA = 32;
    public static final int FIELD_PAYLOAD = 40;

    public static final int ENTRY_SEQNUM = 16;
    public static final int ENTRY_REALTIME = 24;
    public static final int ENTRY_MONOTONIC = 32;
    public static final int ENTRY_BOOT_ID = 40;
    public static final int ENTRY_XOR_HASH = 56;
    public static final int ENTRY_ITEMS = 64;

    public static final int ARRAY_NEXT = 16;
    public static final int ARRAY_ITEMS = 24;

    public static final int HASH_ITEM = 16;
    public static final int TAG_SIZE = 64;

    private Layout() {}

    /** Returns the smallest size that an object of a type has. */
    public static int minimumSize(int type) {
        return switch (type) {
            case DATA -> DATA_PAYLOAD;
            case FIELD -> FIELD_PAYLOAD;
            case ENTRY -> ENTRY_ITEMS;
            case DATA_HASH_TABLE, FIELD_HASH_TABLE -> OBJECT_HEADER + HASH_ITEM;
            case ENTRY_ARRAY -> ARRAY_ITEMS;
            case TAG -> TAG_SIZE;
            default -> OBJECT_HEADER;
        };
    }

    /** Returns a size or an offset, rounded up to a multiple of 8. */
    public static long aligned(long size) {
        return (size + 7) & -8;
    }

    /** Returns the name of a type of object, for messages. */
    public static String name(int type) {
        return switch (type) {
            case UNUSED -> "UNUSED";
            case DATA -> "DATA";
            case FIELD -> "FIELD";
            case ENTRY -> "ENTRY";
            case DATA_HASH_TABLE -> "DATA_HASH_TABLE";
            case FIELD_HASH_TABLE -> "FIELD_HASH_TABLE";
            case ENTRY_ARRAY -> "ENTRY_ARRAY";
            case TAG -> "TAG";
            default -> "type " + type;
        };
    }
}
