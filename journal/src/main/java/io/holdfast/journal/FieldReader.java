package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.journal.compression.Codec;
import io.holdfast.journal.compression.CodecException;
import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the fields and entries of a file, and finds fields by its hash tables. A chain of a table
 * must ascend and a list of values descend, as writers make them, so that none is a cycle.
 */
final class FieldReader {
    private static final Codec[] CODECS = {
        Codec.XZ, Codec.LZ4, Codec.ZSTD
    }; // in order of the flags
    private static final int COMPRESSED = 7;

    /** The longest chain that is followed; writers rotate a file when one has 100 objects. */
    private static final int MAX_CHAIN = 4096;

    private final ObjectFile file;
    private final FieldCache cache;
    private final Consumer<JournalException> problems;
    private long[] items = new long[64];

    FieldReader(ObjectFile file, FieldCache cache, Consumer<JournalException> problems) {
        this.file = file;
        this.cache = cache;
        this.problems = problems;
    }

    /** Reads an entry whose head is valid. Fields that cannot be read are left out and reported. */
    Entry entry(EntryHead head) throws JournalException {
        int count = items(head);
        Field[] fields = new Field[count];
        long left = JournalLimits.ENTRY_SIZE.value();
        int read = 0;
        for (int i = 0; i < count; i++) {
            Field field = cache.find(file.number, items[i]);
            if (field == null) {
                try {
                    field = load(items[i], left);
                } catch (JournalException e) {
                    problems.accept(e);
                    continue;
                }
            }
            left -= field.payload().length;
            if (left < 0) {
                problems.accept(
                        file.damage(
                                head.offset,
                                "the fields of this entry are too large; "
                                        + JournalLimits.ENTRY_SIZE.remedy()));
                break;
            }
            fields[read++] = field;
        }
        return new Entry(
                head.seqnumId,
                head.seqnum,
                head.bootId(),
                head.monotonic,
                head.realtime,
                head.xorHash,
                read == count ? fields : Arrays.copyOf(fields, read));
    }

    /** Reads the offsets of the fields of an entry into {@link #items}; returns their number. */
    private int items(EntryHead head) throws JournalException {
        int step = file.isCompact() ? 4 : 16;
        long claimed = (head.size - Layout.ENTRY_ITEMS) / step;
        int count = (int) Math.min(claimed, JournalLimits.ENTRY_FIELDS.value());
        if (count < claimed) {
            problems.accept(
                    file.damage(
                            head.offset,
                            "this entry has "
                                    + claimed
                                    + " fields, and the limit is "
                                    + count
                                    + "; "
                                    + JournalLimits.ENTRY_FIELDS.remedy()));
        }
        if (items.length < count) {
            items = new long[count];
        }
        int at = file.locate(head.offset + Layout.ENTRY_ITEMS, count * step);
        byte[] bytes = file.bytes;
        for (int i = 0; i < count; i++, at += step) {
            items[i] = step == 4 ? Bytes.getUnsigned(bytes, at) : Bytes.getLong(bytes, at);
        }
        return count;
    }

    /** Reads the field of a DATA object. */
    Field load(long offset) throws JournalException {
        Field known = cache.find(file.number, offset);
        return known != null ? known : load(offset, JournalLimits.FIELD_SIZE.value());
    }

    private Field load(long offset, long room) throws JournalException {
        long size = file.sizeOf(offset, Layout.DATA);
        int payloadAt = file.dataPayload();
        long length = size - payloadAt;
        if (length <= 0) {
            throw size < 0
                    ? file.invalid(offset, Layout.DATA)
                    : file.damage(offset, "the DATA object is empty");
        }
        long limit = Math.min(JournalLimits.FIELD_SIZE.value(), Math.max(room, 0));
        if (length > limit) {
            throw tooLarge(offset, length, limit);
        }
        byte[] payload;
        int object = file.locate(offset, Layout.OBJECT_HEADER); // changes file.bytes
        int flags = file.bytes[object + Layout.OBJECT_FLAGS] & COMPRESSED;
        if (length > WindowCache.WINDOW) {
            payload = new byte[(int) length];
            file.copy(offset + payloadAt, payload, payload.length);
        } else {
            int at = file.locate(offset + payloadAt, (int) length);
            payload = Arrays.copyOfRange(file.bytes, at, at + (int) length);
        }
        if (flags != 0) {
            payload =
                    decompress(
                            offset, flags, payload, (int) Math.min(limit, Integer.MAX_VALUE - 64));
        }
        int equals = 0;
        int nameEnd = Math.min(payload.length, 1 << 16);
        while (equals < nameEnd && payload[equals] != '=') {
            equals++;
        }
        if (equals == nameEnd || equals == 0) {
            throw file.damage(offset, "the DATA object has no name of a field");
        }
        Field field = new Field(payload, equals);
        cache.put(file.number, offset, field);
        return field;
    }

    private JournalException tooLarge(long offset, long length, long limit) {
        return file.damage(
                offset,
                "a field has "
                        + length
                        + " bytes, and "
                        + limit
                        + " are allowed; "
                        + JournalLimits.FIELD_SIZE.remedy());
    }

    private byte[] decompress(long offset, int flags, byte[] compressed, int limit)
            throws JournalException {
        if (Integer.bitCount(flags) != 1) {
            throw file.damage(offset, "the DATA object has several compressions");
        }
        try {
            return CODECS[Integer.numberOfTrailingZeros(flags)].decompress(
                    compressed, 0, compressed.length, limit);
        } catch (CodecException e) {
            throw file.damage(
                    offset,
                    "cannot read a compressed field: "
                            + e.getMessage()
                            + "; "
                            + JournalLimits.FIELD_SIZE.remedy());
        }
    }

    /** Returns the offset of the DATA object of a field; 0 if the file has none. */
    long find(Field field) throws JournalException {
        byte[] payload = field.payload();
        long hash = file.hash(payload, 0, payload.length);
        FileHeader header = file.header();
        long at = bucket(header.dataHashTableOffset(), header.dataHashTableSize(), hash);
        long before = 0;
        int depth = 0;
        while (at != 0) {
            if (at <= before || file.sizeOf(at, Layout.DATA) < file.dataPayload()) {
                problems.accept(chainDamage(at, before, Layout.DATA));
                return 0;
            }
            if (++depth > MAX_CHAIN) {
                problems.accept(file.damage(at, "a chain has " + MAX_CHAIN + " objects or more"));
                return 0;
            }
            int object = file.locate(at, Layout.DATA_PAYLOAD);
            long next = Bytes.getLong(file.bytes, object + Layout.DATA_NEXT_HASH);
            if (Bytes.getLong(file.bytes, object + Layout.DATA_HASH) == hash
                    && hasPayload(at, field)) {
                return at;
            }
            before = at;
            at = next;
        }
        return 0;
    }

    private boolean hasPayload(long data, Field field) {
        try {
            return load(data).equals(field);
        } catch (JournalException e) {
            problems.accept(e);
            return false;
        }
    }

    private JournalException chainDamage(long at, long before, int type) throws JournalException {
        return at <= before
                ? file.damage(before, "the chain of its hash bucket goes back to " + at)
                : file.invalid(at, type);
    }

    /** Returns whether a hash table is within the file. */
    private boolean isTable(long table, long size) {
        if (size >= Layout.HASH_ITEM
                && size <= file.end()
                && table >= file.header().headerSize()
                && table <= file.end() - size) {
            return true;
        }
        problems.accept(file.damage(table, "the hash table is not within the file"));
        return false;
    }

    /** Returns the first object of the bucket of a hash; 0 if there is none. */
    private long bucket(long table, long size, long hash) throws JournalException {
        if (!isTable(table, size)) {
            return 0;
        }
        long buckets = size / Layout.HASH_ITEM;
        return file.longAt(table + Long.remainderUnsigned(hash, buckets) * Layout.HASH_ITEM);
    }

    /** Returns the entries that have a field. */
    EntrySource source(Field field, long lastEntry) throws JournalException {
        long data = find(field);
        return data == 0
                ? new EntrySource.None()
                : new EntrySource.Listed(EntryList.ofData(file, data), lastEntry);
    }

    /** Calls back with the DATA objects of all values of a name, the newest first. */
    void values(String name, LongConsumer each) throws JournalException {
        byte[] payload = name.getBytes(ISO_8859_1);
        long hash = file.hash(payload, 0, payload.length);
        FileHeader header = file.header();
        long at = bucket(header.fieldHashTableOffset(), header.fieldHashTableSize(), hash);
        long before = 0;
        while (at != 0) {
            long size = at <= before ? -1 : file.sizeOf(at, Layout.FIELD);
            if (size < 0) {
                problems.accept(chainDamage(at, before, Layout.FIELD));
                return;
            }
            before = at;
            if (Arrays.equals(payload, name(at, size))) {
                chain(file.longAt(at + Layout.FIELD_HEAD_DATA), each);
                return;
            }
            at = file.longAt(at + Layout.FIELD_NEXT_HASH);
        }
    }

    private void chain(long head, LongConsumer each) throws JournalException {
        long after = Long.MAX_VALUE;
        for (long data = head; data != 0; ) {
            if (data >= after || file.sizeOf(data, Layout.DATA) < 0) {
                problems.accept(
                        data >= after
                                ? file.damage(after, "the list of values goes back to " + data)
                                : file.invalid(data, Layout.DATA));
                return;
            }
            each.accept(data);
            after = data;
            data = file.longAt(data + Layout.DATA_NEXT_FIELD);
        }
    }

    /** Calls back with all names of fields. */
    void names(Consumer<String> each) throws JournalException {
        FileHeader header = file.header();
        long table = header.fieldHashTableOffset();
        if (!isTable(table, header.fieldHashTableSize())) {
            return;
        }
        long left = file.end() / Layout.FIELD_PAYLOAD; // each name is in one chain
        long buckets = header.fieldHashTableSize() / Layout.HASH_ITEM;
        for (long bucket = 0; bucket < buckets; bucket++) {
            long at = file.longAt(table + bucket * Layout.HASH_ITEM);
            long before = 0;
            while (at != 0) {
                long size = at <= before ? -1 : file.sizeOf(at, Layout.FIELD);
                if (size < 0) {
                    problems.accept(chainDamage(at, before, Layout.FIELD));
                    break;
                }
                if (--left < 0) {
                    problems.accept(file.damage(table, "the chains of the hash table overlap"));
                    return;
                }
                byte[] name = name(at, size);
                if (name != null) {
                    each.accept(new String(name, UTF_8));
                }
                before = at;
                at = file.longAt(at + Layout.FIELD_NEXT_HASH);
            }
        }
    }

    /** Returns the name in a FIELD object; null if it is too long. */
    private byte @Nullable [] name(long at, long size) throws JournalException {
        long length = size - Layout.FIELD_PAYLOAD;
        if (length > WindowCache.WINDOW) {
            return null;
        }
        int index = file.locate(at + Layout.FIELD_PAYLOAD, (int) length);
        return Arrays.copyOfRange(file.bytes, index, index + (int) length);
    }
}
