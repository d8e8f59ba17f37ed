package io.holdfast.journal;

import io.holdfast.journal.compression.Codec;
import io.holdfast.journal.compression.CodecException;
import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import io.holdfast.journal.format.SipHash;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Appends entries to one file. New objects are written behind the last one, and linked when they
 * are complete, the entry last of all: a reader at any time, or after a SIGKILL at any instruction,
 * sees whole entries only. Not thread-safe.
 */
final class FileAppender implements AutoCloseable {
    private static final int MAX_CHAIN = 100;
    private static final int LEAST_ITEMS = 4;
    private static final int LEAST_FIELD_BUCKETS = 333;
    private static final int DATA_OF_A_FIELD = 64; // buckets: a flood of names must not be slow
    private static final int LEAST_DATA_BUCKETS = 2047;
    private static final int REMEMBERED = 512; // a power of 2
    private static final int LONGEST_REMEMBERED = 1024;

    final Path path;
    private final MappedFile file;
    private final WriterOptions options;
    private final boolean isCompact;
    private final int payloadAt;
    private final int itemSize;
    private final int compressFrom;
    private final long step;
    private long k0;
    private long k1;
    private long dataTable;
    private long dataBuckets;
    private long fieldTable;
    private long fieldBuckets;

    /** The end of the last object. */
    private long tail;

    private final byte[] stateByte = {Layout.STATE_ONLINE};
    private final byte[] head; // of a DATA object, without its payload
    private DataObject[] items = new DataObject[64];
    private final FieldIndex fields = new FieldIndex();
    private int[] fieldChains = new int[0]; // the length of each chain of FIELD objects

    /**
     * Objects of recent entries, by their checksum: most fields of an entry are in the last one.
     */
    private final @Nullable DataObject[] remembered = new DataObject[REMEMBERED];

    private FileAppender(Path path, MappedFile file, WriterOptions options, boolean mayCompress) {
        this.path = path;
        this.file = file;
        this.options = options;
        this.isCompact = options.isCompact();
        this.payloadAt = isCompact ? Layout.DATA_PAYLOAD_COMPACT : Layout.DATA_PAYLOAD;
        this.head = new byte[payloadAt];
        this.itemSize = isCompact ? 4 : 8;
        this.compressFrom = mayCompress ? options.compressFrom() : Integer.MAX_VALUE;
        long part = Math.clamp(options.maxFileSize() / 16, MappedFile.WINDOW, 8 << 20);
        this.step = part / MappedFile.WINDOW * MappedFile.WINDOW;
    }

    /** Makes the contents of a new file. */
    static FileAppender create(
            Path path,
            MappedFile file,
            WriterOptions options,
            Id128 machine,
            SequenceNumbers numbers)
            throws JournalException {
        boolean mayCompress = mayCompress(options);
        FileAppender appender = new FileAppender(path, file, options, mayCompress);
        long buckets = Math.max(options.maxFileSize() * 4 / 768 / 3, LEAST_DATA_BUCKETS);
        long fieldTable = Layout.NEWEST_HEADER + Layout.OBJECT_HEADER;
        long fieldSize =
                Math.max(buckets / DATA_OF_A_FIELD, LEAST_FIELD_BUCKETS) * Layout.HASH_ITEM;
        long dataTable = fieldTable + fieldSize + Layout.OBJECT_HEADER;
        long dataSize = buckets * Layout.HASH_ITEM;
        appender.allocate(dataTable + dataSize);
        file.putInt(Layout.COMPATIBLE_FLAGS, Layout.COMPATIBLE_TAIL_ENTRY_BOOT_ID);
        file.putInt(
                Layout.INCOMPATIBLE_FLAGS,
                Layout.INCOMPATIBLE_KEYED_HASH
                        | (options.isCompact() ? Layout.INCOMPATIBLE_COMPACT : 0)
                        | (mayCompress ? Layout.INCOMPATIBLE_ZSTD : 0));
        appender.putId(Layout.FILE_ID, Id128.random());
        appender.putId(Layout.MACHINE_ID, machine);
        appender.putId(Layout.SEQNUM_ID, numbers.id());
        file.putLong(Layout.TAIL_ENTRY_SEQNUM, numbers.last()); // also if no entry ever follows
        file.putLong(Layout.HEADER_SIZE, Layout.NEWEST_HEADER);
        file.putLong(Layout.FIELD_HASH_TABLE_OFFSET, fieldTable);
        file.putLong(Layout.FIELD_HASH_TABLE_SIZE, fieldSize);
        file.putLong(Layout.DATA_HASH_TABLE_OFFSET, dataTable);
        file.putLong(Layout.DATA_HASH_TABLE_SIZE, dataSize);
        appender.object(
                fieldTable - Layout.OBJECT_HEADER,
                Layout.FIELD_HASH_TABLE,
                0,
                fieldSize + Layout.OBJECT_HEADER);
        appender.object(
                dataTable - Layout.OBJECT_HEADER,
                Layout.DATA_HASH_TABLE,
                0,
                dataSize + Layout.OBJECT_HEADER);
        file.putLong(Layout.TAIL_OBJECT_OFFSET, dataTable - Layout.OBJECT_HEADER);
        file.putLong(Layout.N_OBJECTS, 2);
        file.putByte(Layout.STATE, Layout.STATE_ONLINE);
        VarHandle.storeStoreFence();
        file.putLong(0, Layout.SIGNATURE);
        appender.load();
        appender.loadFields();
        return appender;
    }

    private static boolean mayCompress(WriterOptions options) {
        if (options.compressFrom() == Integer.MAX_VALUE) {
            return false;
        }
        try {
            Codec.ZSTD.require();
            return true;
        } catch (CodecException e) {
            return false;
        }
    }

    /**
     * Continues a file that its last writer has closed.
     *
     * @return null if that is not possible: the file is not empty and something differs
     */
    static @Nullable FileAppender reopen(
            Path path, MappedFile file, WriterOptions options, FileHeader header, Id128 machine)
            throws JournalException {
        int flags = header.incompatibleFlags();
        if (header.state() != FileState.OFFLINE || !isOurs(file, options, header, machine)) {
            return null;
        }
        boolean mayCompress = (flags & Layout.INCOMPATIBLE_ZSTD) != 0 && mayCompress(options);
        FileAppender appender = new FileAppender(path, file, options, mayCompress);
        long whole = MappedFile.WINDOW - 1L;
        appender.allocate((file.size() + whole) & ~whole);
        long last = header.tailObjectOffset();
        boolean isInside =
                (last & 7) == 0 && last >= Layout.NEWEST_HEADER && last < file.size() - 16;
        long size = isInside ? file.getLong(last + Layout.OBJECT_SIZE) : 0;
        if (size < Layout.OBJECT_HEADER || size > file.size() - last) {
            return null;
        }
        appender.load();
        appender.loadFields();
        file.putByte(Layout.STATE, Layout.STATE_ONLINE);
        return appender;
    }

    /** Returns whether a file has the format that this class writes. */
    private static boolean isOurs(
            MappedFile file, WriterOptions options, FileHeader header, Id128 machine) {
        int expected =
                Layout.INCOMPATIBLE_KEYED_HASH
                        | (options.isCompact() ? Layout.INCOMPATIBLE_COMPACT : 0);
        return header.headerSize() == Layout.NEWEST_HEADER
                && header.compatibleFlags() == Layout.COMPATIBLE_TAIL_ENTRY_BOOT_ID
                && (header.incompatibleFlags() & ~Layout.INCOMPATIBLE_ZSTD) == expected
                && header.machineId().equals(machine)
                && header.arenaSize() >= 0
                && header.arenaSize() <= file.size() - header.headerSize()
                && isTable(header.dataHashTableOffset(), header.dataHashTableSize(), file)
                && isTable(header.fieldHashTableOffset(), header.fieldHashTableSize(), file);
    }

    /**
     * Completes the last entry of a file whose writer was killed since the boot.
     *
     * @throws JournalException if the file is damaged
     */
    static void complete(
            Path path,
            MappedFile file,
            WriterOptions options,
            FileHeader header,
            Id128 machine,
            Id128 boot)
            throws JournalException {
        if (header.state() == FileState.ONLINE
                && header.tailBootId().equals(boot)
                && isOurs(file, options, header, machine)) {
            FileAppender appender = new FileAppender(path, file, options, false);
            appender.load();
            new LastEntry(appender, file).complete();
        }
    }

    /** Returns the DATA objects of an entry. */
    long[] itemsOf(long entry) throws JournalException {
        int step = isCompact ? 4 : 16;
        long bytes = file.getLong(entry + Layout.OBJECT_SIZE) - Layout.ENTRY_ITEMS;
        int count = Math.clamp(bytes / step, 0, JournalLimits.ENTRY_FIELDS.intValue());
        long[] found = new long[count];
        for (int i = 0; i < count; i++) {
            long at = entry + Layout.ENTRY_ITEMS + (long) i * step;
            found[i] = isCompact ? Integer.toUnsignedLong(file.getInt(at)) : file.getLong(at);
        }
        return found;
    }

    /** Makes room for the arrays that the links of an entry may need. */
    boolean hasRoomOfArrays(long[] data) throws JournalException {
        items = new DataObject[data.length];
        for (int i = 0; i < data.length; i++) {
            items[i] = dataAt(data[i]);
        }
        return reserve(roomOfArrays(data.length));
    }

    /** Notes where the array of a DATA object ends. */
    void dataTail(long data, long array, long used) throws JournalException {
        if (isCompact) {
            file.putInt(data + Layout.DATA_TAIL_ARRAY, (int) array);
            file.putInt(data + Layout.DATA_TAIL_ARRAY_N, (int) used);
        }
    }

    long item(long array, long index) throws JournalException {
        long at = array + Layout.ARRAY_ITEMS + index * itemSize;
        return isCompact ? Integer.toUnsignedLong(file.getInt(at)) : file.getLong(at);
    }

    private static boolean isTable(long offset, long size, MappedFile file) {
        return offset > Layout.NEWEST_HEADER
                && (offset & 7) == 0
                && size >= Layout.HASH_ITEM
                && offset <= file.size() - size;
    }

    private void load() throws JournalException {
        k0 = file.getLong(Layout.FILE_ID);
        k1 = file.getLong(Layout.FILE_ID + 8);
        dataTable = file.getLong(Layout.DATA_HASH_TABLE_OFFSET);
        dataBuckets = file.getLong(Layout.DATA_HASH_TABLE_SIZE) / Layout.HASH_ITEM;
        file.reserveResident(dataBuckets * Layout.HASH_ITEM);
        fieldTable = file.getLong(Layout.FIELD_HASH_TABLE_OFFSET);
        fieldBuckets = file.getLong(Layout.FIELD_HASH_TABLE_SIZE) / Layout.HASH_ITEM;
        long last = file.getLong(Layout.TAIL_OBJECT_OFFSET);
        tail = Layout.aligned(last + file.getLong(last + Layout.OBJECT_SIZE));
    }

    /**
     * Reads which FIELD objects a file has; a chain that is longer than a writer makes it, or leads
     * nowhere, is read up to there.
     */
    private void loadFields() throws JournalException {
        fieldChains = new int[(int) fieldBuckets];
        for (int i = 0; i < fieldBuckets; i++) {
            long at = file.getLong(fieldTable + (long) i * Layout.HASH_ITEM);
            while (at > 0 && at < tail && (at & 7) == 0 && fieldChains[i] <= 2 * MAX_CHAIN) {
                fields.add(file.getLong(at + Layout.FIELD_HASH), at);
                fieldChains[i]++;
                at = file.getLong(at + Layout.FIELD_NEXT_HASH);
            }
        }
    }

    private void putId(long offset, Id128 id) throws JournalException {
        file.putLong(offset, Long.reverseBytes(id.high()));
        file.putLong(offset + 8, Long.reverseBytes(id.low()));
    }

    long number(int headerField) throws JournalException {
        return file.getLong(headerField);
    }

    Id128 seqnumId() throws JournalException {
        return new Id128(
                Long.reverseBytes(file.getLong(Layout.SEQNUM_ID)),
                Long.reverseBytes(file.getLong(Layout.SEQNUM_ID + 8)));
    }

    /** Returns why the file should be rotated before another entry; null if it need not be. */
    @Nullable RotationReason rotationDue(long realtime, long monotonic, Id128 boot)
            throws JournalException {
        // many field names alone are no reason: one entry with 250 would rotate the files of all
        if (number(Layout.N_DATA) * 4 > dataBuckets * 3
                || number(Layout.DATA_HASH_CHAIN_DEPTH) > MAX_CHAIN
                || number(Layout.FIELD_HASH_CHAIN_DEPTH) > MAX_CHAIN) {
            return RotationReason.HASH_TABLE;
        }
        if (number(Layout.N_ENTRIES) == 0) {
            return null;
        }
        long age = realtime - number(Layout.HEAD_ENTRY_REALTIME);
        if (age / 1_000_000 >= options.maxAge().toSeconds() && age > 0) {
            return RotationReason.AGE;
        }
        boolean isSameBoot =
                file.getLong(Layout.TAIL_ENTRY_BOOT_ID) == Long.reverseBytes(boot.high())
                        && file.getLong(Layout.TAIL_ENTRY_BOOT_ID + 8)
                                == Long.reverseBytes(boot.low());
        boolean isBackwards =
                realtime < number(Layout.TAIL_ENTRY_REALTIME)
                        || (isSameBoot && monotonic < number(Layout.TAIL_ENTRY_MONOTONIC));
        return isBackwards ? RotationReason.CLOCK_BACKWARDS : null;
    }

    /**
     * Appends an entry.
     *
     * @return false if the file has no room for it: some of its fields may be there, and no entry
     *     refers to them
     */
    boolean append(long seqnum, long realtime, long monotonic, Id128 boot, List<Field> fields)
            throws JournalException {
        if (items.length < fields.size()) {
            items = new DataObject[fields.size()];
        }
        for (int i = 0; i < fields.size(); i++) {
            DataObject data = data(fields.get(i));
            if (data == null) {
                return false;
            }
            items[i] = data;
        }
        int count = sortedDistinct(fields.size());
        long entrySize = Layout.ENTRY_ITEMS + (long) count * (isCompact ? 4 : 16);
        if (!reserve(Layout.aligned(entrySize) + roomOfArrays(count))) {
            return false;
        }
        long entry = tail;
        long checksum = 0;
        for (int i = 0; i < count; i++) {
            DataObject data = items[i];
            long at = entry + Layout.ENTRY_ITEMS + (long) i * (isCompact ? 4 : 16);
            if (isCompact) {
                file.putInt(at, (int) data.offset);
            } else {
                file.putLong(at, data.offset);
                file.putLong(at + 8, data.hash);
            }
            checksum ^= data.checksum;
        }
        file.putLong(entry + Layout.ENTRY_SEQNUM, seqnum);
        file.putLong(entry + Layout.ENTRY_REALTIME, realtime);
        file.putLong(entry + Layout.ENTRY_MONOTONIC, monotonic);
        putId(entry + Layout.ENTRY_BOOT_ID, boot);
        file.putLong(entry + Layout.ENTRY_XOR_HASH, checksum);
        appended(entry, Layout.ENTRY, 0, entrySize);
        for (int i = 0; i < count; i++) {
            linkData(items[i], entry);
            remember(items[i]);
        }
        linkEntry(entry, seqnum, realtime, monotonic, boot);
        return true;
    }

    /** Wakes readers that wait for entries by inotify(7), which a mapping does not. */
    void announce() {
        file.touch(Layout.STATE, stateByte);
    }

    /** Sorts by insertion: the objects of an entry are mostly in order. */
    private int sortedDistinct(int count) {
        int distinct = 0;
        for (int i = 0; i < count; i++) {
            DataObject data = items[i];
            int at = distinct;
            while (at > 0 && items[at - 1].offset > data.offset) {
                at--;
            }
            if (at == 0 || items[at - 1].offset != data.offset) {
                System.arraycopy(items, at, items, at + 1, distinct - at);
                items[at] = data;
                distinct++;
            }
        }
        return distinct;
    }

    /** Links an entry that is complete to the file. */
    void linkEntry(long entry) throws JournalException {
        linkEntry(
                entry,
                file.getLong(entry + Layout.ENTRY_SEQNUM),
                file.getLong(entry + Layout.ENTRY_REALTIME),
                file.getLong(entry + Layout.ENTRY_MONOTONIC),
                new Id128(
                        Long.reverseBytes(file.getLong(entry + Layout.ENTRY_BOOT_ID)),
                        Long.reverseBytes(file.getLong(entry + Layout.ENTRY_BOOT_ID + 8))));
    }

    private void linkEntry(long entry, long seqnum, long realtime, long monotonic, Id128 boot)
            throws JournalException {
        long entries = number(Layout.N_ENTRIES);
        if (entries == 0) { // complete() needs it, but journalctl refuses it in an empty file
            putId(Layout.TAIL_ENTRY_BOOT_ID, boot);
        }
        long array = Integer.toUnsignedLong(file.getInt(Layout.TAIL_ENTRY_ARRAY_OFFSET));
        long used = Integer.toUnsignedLong(file.getInt(Layout.TAIL_ENTRY_ARRAY_N_ENTRIES));
        long capacity = array == 0 ? 0 : capacity(array);
        if (used >= capacity) {
            long grown = newArray(arrayItems(entries, capacity), entry);
            link(array == 0 ? Layout.ENTRY_ARRAY_OFFSET : array + Layout.ARRAY_NEXT, grown);
            file.putInt(Layout.TAIL_ENTRY_ARRAY_OFFSET, (int) grown);
            used = 0;
        } else {
            VarHandle.storeStoreFence();
            putItem(array, used, entry);
        }
        file.putInt(Layout.TAIL_ENTRY_ARRAY_N_ENTRIES, (int) used + 1);
        if (entries == 0) {
            file.putLong(Layout.HEAD_ENTRY_SEQNUM, seqnum);
            file.putLong(Layout.HEAD_ENTRY_REALTIME, realtime);
        }
        file.putLong(Layout.TAIL_ENTRY_SEQNUM, seqnum);
        file.putLong(Layout.TAIL_ENTRY_REALTIME, realtime);
        file.putLong(Layout.TAIL_ENTRY_MONOTONIC, monotonic);
        putId(Layout.TAIL_ENTRY_BOOT_ID, boot);
        file.putLong(Layout.TAIL_ENTRY_OFFSET, entry);
        VarHandle.storeStoreFence();
        file.putLong(Layout.N_ENTRIES, entries + 1);
    }

    private void linkData(DataObject data, long entry) throws JournalException {
        long at = data.offset;
        if (data.entries == 0) {
            link(at + Layout.DATA_ENTRY, entry);
        } else {
            if (data.used >= data.capacity) {
                long capacity = arrayItems(data.entries - 1, data.capacity);
                long grown = newArray(capacity, entry);
                link(
                        data.array == 0
                                ? at + Layout.DATA_ENTRY_ARRAY
                                : data.array + Layout.ARRAY_NEXT,
                        grown);
                if (isCompact) {
                    file.putInt(at + Layout.DATA_TAIL_ARRAY, (int) grown);
                }
                data.array = grown;
                data.capacity = capacity;
                data.used = 0;
            } else {
                VarHandle.storeStoreFence();
                putItem(data.array, data.used, entry);
            }
            data.used++;
            if (isCompact) {
                file.putInt(at + Layout.DATA_TAIL_ARRAY_N, (int) data.used);
            }
        }
        data.entries++;
        file.putLong(at + Layout.DATA_N_ENTRIES, data.entries);
    }

    /** Links an entry to a DATA object of the file. */
    void linkData(long data, long entry) throws JournalException {
        linkData(dataAt(data), entry);
    }

    private DataObject dataAt(long offset) throws JournalException {
        DataObject found = new DataObject(offset, 0, 0, new byte[0]);
        file.peek(offset, head);
        readEntries(found);
        return found;
    }

    /** Reads from {@link #head} which entries a DATA object of the file has. */
    private void readEntries(DataObject data) throws JournalException {
        data.entries = Bytes.getLong(head, Layout.DATA_N_ENTRIES);
        data.array = Bytes.getLong(head, Layout.DATA_ENTRY_ARRAY);
        data.used = data.array == 0 ? 0 : data.entries - 1;
        if (isCompact) {
            data.array = Bytes.getUnsigned(head, Layout.DATA_TAIL_ARRAY);
            data.used = Bytes.getUnsigned(head, Layout.DATA_TAIL_ARRAY_N);
        } else {
            for (long array = data.array; array != 0; ) {
                data.array = array;
                array = file.getLong(array + Layout.ARRAY_NEXT);
                data.used -= array == 0 ? 0 : capacity(data.array);
            }
        }
        data.capacity = data.array == 0 ? 0 : capacity(data.array);
    }

    /** Returns the bytes of the new arrays that an entry of {@link #items} needs. */
    private long roomOfArrays(int count) throws JournalException {
        long room = 0;
        long array = Integer.toUnsignedLong(file.getInt(Layout.TAIL_ENTRY_ARRAY_OFFSET));
        long capacity = array == 0 ? 0 : capacity(array);
        if (Integer.toUnsignedLong(file.getInt(Layout.TAIL_ENTRY_ARRAY_N_ENTRIES)) >= capacity) {
            room += arrayRoom(arrayItems(number(Layout.N_ENTRIES), capacity));
        }
        for (int i = 0; i < count; i++) {
            DataObject data = items[i];
            if (data.entries > 0 && data.used >= data.capacity) {
                room += arrayRoom(arrayItems(data.entries - 1, data.capacity));
            }
        }
        return room;
    }

    private long arrayRoom(long capacity) {
        return Layout.aligned(Layout.ARRAY_ITEMS + capacity * itemSize);
    }

    /** The size of the next array, which doubles. */
    private static long arrayItems(long entries, long lastCapacity) {
        long doubled = entries > lastCapacity ? (entries + 1) * 2 : lastCapacity * 2;
        return Math.max(doubled, LEAST_ITEMS);
    }

    long capacity(long array) throws JournalException {
        return (file.getLong(array + Layout.OBJECT_SIZE) - Layout.ARRAY_ITEMS) / itemSize;
    }

    private long newArray(long capacity, long first) throws JournalException {
        long array = tail;
        putItem(array, 0, first);
        appended(array, Layout.ENTRY_ARRAY, 0, Layout.ARRAY_ITEMS + capacity * itemSize);
        file.putLong(Layout.N_ENTRY_ARRAYS, number(Layout.N_ENTRY_ARRAYS) + 1);
        return array;
    }

    private void putItem(long array, long index, long entry) throws JournalException {
        long at = array + Layout.ARRAY_ITEMS + index * itemSize;
        if (isCompact) {
            file.putInt(at, (int) entry);
        } else {
            file.putLong(at, entry);
        }
    }

    /** Stores the offset of an object that is complete. */
    private void link(long at, long object) throws JournalException {
        VarHandle.storeStoreFence();
        file.putLong(at, object);
    }

    private long hash(byte[] bytes, int length) {
        return SipHash.of(k0, k1, bytes, 0, length);
    }

    /**
     * Returns the DATA object of a field, which is made if there is none; null without room for it.
     */
    private @Nullable DataObject data(Field field) throws JournalException {
        byte[] payload = field.payload();
        long checksum = field.checksum();
        DataObject known = remembered[(int) checksum & (REMEMBERED - 1)];
        if (known != null && known.checksum == checksum && Arrays.equals(known.payload, payload)) {
            return known;
        }
        long hash = hash(payload, payload.length);
        long bucket = dataTable + Long.remainderUnsigned(hash, dataBuckets) * Layout.HASH_ITEM;
        long last = 0;
        int depth = 0;
        for (long at = file.getLong(bucket); at != 0; depth++) {
            file.peek(at, head);
            if (Bytes.getLong(head, Layout.DATA_HASH) == hash && hasPayload(at, payload)) {
                DataObject found = new DataObject(at, hash, checksum, payload);
                readEntries(found);
                return found;
            }
            last = at;
            at = Bytes.getLong(head, Layout.DATA_NEXT_HASH);
        }
        deepest(Layout.DATA_HASH_CHAIN_DEPTH, depth - 1);
        long name = field(payload, field.nameLength());
        if (name == 0) {
            return null;
        }
        byte[] stored = payload.length >= compressFrom ? compressed(payload) : null;
        int flags = stored == null ? 0 : Layout.OBJECT_ZSTD;
        byte[] content = stored == null ? payload : stored;
        long size = (long) payloadAt + content.length;
        if (!reserve(Layout.aligned(size))) {
            return null;
        }
        long data = tail;
        file.putLong(data + Layout.DATA_HASH, hash);
        file.putLong(data + Layout.DATA_NEXT_FIELD, file.getLong(name + Layout.FIELD_HEAD_DATA));
        file.put(data + payloadAt, content, 0, content.length);
        appended(data, Layout.DATA, flags, size);
        if (last == 0) {
            link(bucket, data);
        } else {
            VarHandle.storeStoreFence();
            file.poke(last + Layout.DATA_NEXT_HASH, data);
        }
        file.putLong(bucket + 8, data);
        file.putLong(name + Layout.FIELD_HEAD_DATA, data);
        file.putLong(Layout.N_DATA, number(Layout.N_DATA) + 1);
        return new DataObject(data, hash, checksum, payload);
    }

    /** Only an object whose entry is linked is remembered: no other one of the same data exists. */
    private void remember(DataObject data) {
        if (data.payload.length <= LONGEST_REMEMBERED) {
            remembered[(int) data.checksum & (REMEMBERED - 1)] = data;
        }
    }

    private static byte @Nullable [] compressed(byte[] payload) {
        try {
            return Codec.zstd(payload, 0, payload.length);
        } catch (CodecException e) {
            return null; // the library was there when the file was made
        }
    }

    private boolean hasPayload(long data, byte[] payload) throws JournalException {
        long length = Bytes.getLong(head, Layout.OBJECT_SIZE) - payloadAt;
        if (head[Layout.OBJECT_FLAGS] == 0) {
            return length == payload.length && file.equals(data + payloadAt, payload);
        }
        if (length < 0 || length > payload.length) {
            return false;
        }
        byte[] stored = new byte[(int) length];
        file.get(data + payloadAt, stored, stored.length);
        try {
            return Arrays.equals(
                    payload, Codec.ZSTD.decompress(stored, 0, stored.length, payload.length));
        } catch (CodecException e) {
            return false; // another field with the same hash, which is longer
        }
    }

    /**
     * Returns the FIELD object of a name, which is made if there is none; 0 without room for it.
     */
    private long field(byte[] payload, int nameLength) throws JournalException {
        long hash = hash(payload, nameLength);
        long size = (long) Layout.FIELD_PAYLOAD + nameLength;
        long known = fields.find(hash);
        if (known != 0
                && file.getLong(known + Layout.OBJECT_SIZE) == size
                && file.equals(known + Layout.FIELD_PAYLOAD, Arrays.copyOf(payload, nameLength))) {
            return known;
        }
        int chain = (int) Long.remainderUnsigned(hash, fieldBuckets);
        long bucket = fieldTable + (long) chain * Layout.HASH_ITEM;
        deepest(Layout.FIELD_HASH_CHAIN_DEPTH, fieldChains[chain] - 1);
        if (!reserve(Layout.aligned(size))) {
            return 0;
        }
        long field = tail;
        file.putLong(field + Layout.FIELD_HASH, hash);
        file.put(field + Layout.FIELD_PAYLOAD, payload, 0, nameLength);
        appended(field, Layout.FIELD, 0, size);
        long last = file.getLong(bucket + 8);
        link(last == 0 ? bucket : last + Layout.FIELD_NEXT_HASH, field);
        file.putLong(bucket + 8, field);
        fields.add(hash, field);
        fieldChains[chain]++;
        file.putLong(Layout.N_FIELDS, number(Layout.N_FIELDS) + 1);
        return field;
    }

    private void deepest(int headerField, int depth) throws JournalException {
        if (depth > number(headerField)) {
            file.putLong(headerField, depth);
        }
    }

    /** Completes an object at the tail: its header, and the header of the file. */
    private void appended(long offset, int type, int flags, long size) throws JournalException {
        object(offset, type, flags, size);
        file.putLong(Layout.TAIL_OBJECT_OFFSET, offset);
        file.putLong(Layout.N_OBJECTS, number(Layout.N_OBJECTS) + 1);
        tail = Layout.aligned(offset + size);
    }

    private void object(long offset, int type, int flags, long size) throws JournalException {
        file.putLong(offset + Layout.OBJECT_SIZE, size);
        file.putLong(offset, (flags << 8) | type);
    }

    /** Makes room behind the tail; returns false if the file would become too large. */
    private boolean reserve(long bytes) throws JournalException {
        long needed = tail + bytes;
        if (needed <= file.size()) {
            return true;
        }
        if (needed > options.maxFileSize()) {
            return false;
        }
        allocate(needed);
        return true;
    }

    private void allocate(long needed) throws JournalException {
        long whole = MappedFile.WINDOW - 1L;
        long most = Math.max((options.maxFileSize() + whole) & ~whole, (needed + whole) & ~whole);
        long wanted = Math.min((needed + step - 1) / step * step, most);
        file.allocate(wanted);
        file.putLong(Layout.ARENA_SIZE, wanted - Layout.NEWEST_HEADER);
    }

    /** Makes all entries durable. */
    void sync() throws IOException {
        file.sync();
    }

    /** Closes the file for good, without the space behind its tail. */
    void archive() throws IOException {
        file.sync();
        file.putByte(Layout.STATE, Layout.STATE_ARCHIVED);
        file.putLong(Layout.ARENA_SIZE, tail - Layout.NEWEST_HEADER);
        file.truncate(tail);
        file.sync();
    }

    /** Closes the file so that a writer can continue it. */
    void offline() throws IOException {
        file.sync();
        file.putByte(Layout.STATE, Layout.STATE_OFFLINE);
        file.sync();
    }

    /** Releases the file, in whatever state it is. */
    @Override
    public void close() {
        file.close();
    }
}
