package io.holdfast.journal;

import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import io.holdfast.journal.format.Lookup3;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Verifies a journal file, as {@code journalctl --verify} does: every object, every hash, every
 * reference, the order of the entries and the counters of the header. The seals of sealed files are
 * not checked, since that needs their key.
 *
 * <p>A file that a writer has open may have problems that are none: its last entry may be
 * incomplete. Uses a bit for each 8 bytes of the file.
 */
public final class JournalVerifier {
    /** Enough problems to end the verification. */
    private static final int MAX_PROBLEMS = JournalLimits.PROBLEMS;

    /** The largest file: bits are counted by an {@code int}. */
    private static final long MAX_FILE = 8L * Integer.MAX_VALUE;

    /** The number of large fields whose checksums are remembered. */
    private static final int MAX_CHECKSUMS = 100_000;

    private final ObjectFile file;
    private final FileHeader header;
    private final FieldReader fields;
    private final List<JournalException> problems = new ArrayList<>();
    private final BitSet[] starts = new BitSet[Layout.TAG + 1]; // of objects, by type
    private final Map<Long, Long> checksums = new HashMap<>(); // of large DATA objects
    private final long[] counts = new long[Layout.TAG + 1];
    private long objects;
    private long items; // of all entries
    private long values; // of all FIELD objects
    private long references; // of all DATA objects to entries
    private final EntryHead head = new EntryHead();
    private final EntryHead last = new EntryHead();

    private JournalVerifier(ObjectFile file) {
        this.file = file;
        this.header = file.header();
        this.fields = new FieldReader(file, new FieldCache(), this::report);
        for (int type = 0; type < starts.length; type++) {
            starts[type] = new BitSet();
        }
    }

    /**
     * Verifies a file.
     *
     * @param path the file
     * @return the result
     * @throws JournalException if the file cannot be read or is no journal file
     */
    public static Verification verify(Path path) throws JournalException {
        WindowCache cache = new WindowCache(JournalLimits.CACHE.value());
        try (ObjectFile file = ObjectFile.open(path, cache)) {
            if (file.end() > MAX_FILE) {
                throw file.damage(-1, "the file is too large to be verified: " + file.end());
            }
            JournalVerifier verifier = new JournalVerifier(file);
            verifier.verify();
            return new Verification(
                    verifier.objects, verifier.counts[Layout.ENTRY], verifier.problems);
        }
    }

    private void report(JournalException problem) {
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(problem);
        }
    }

    private void report(long offset, String problem) {
        report(file.damage(offset, problem));
    }

    private void verify() throws JournalException {
        if (header.arenaSize() < 0 || header.headerSize() + header.arenaSize() > file.end()) {
            report(Layout.ARENA_SIZE, "the file is shorter than its header says");
        }
        objects();
        references();
        table(Layout.DATA, header.dataHashTableOffset(), header.dataHashTableSize());
        table(Layout.FIELD, header.fieldHashTableOffset(), header.fieldHashTableSize());
        if (starts[Layout.ENTRY].isEmpty()) {
            if (header.entries() != 0) {
                report(Layout.N_ENTRIES, "entries are counted, and there are none");
            }
        } else {
            EntryList all = new EntryList(file, 0, header.entryArrayOffset(), header.entries());
            list(header.entryArrayOffset(), all, header.entries());
        }
        counters();
    }

    /** Reads all objects in the order of the file. */
    private void objects() throws JournalException {
        long tail = header.tailObjectOffset();
        long at = header.headerSize();
        while (at <= tail && problems.size() < MAX_PROBLEMS) {
            int type = typeAt(at);
            long size = type <= Layout.UNUSED || type > Layout.TAG ? -1 : file.sizeOf(at, type);
            if (size < 0) {
                report(type < 0 ? file.damage(at, "the file ends here") : file.invalid(at, type));
                return; // the place of the next object is unknown
            }
            objects++;
            counts[type]++;
            starts[type].set((int) (at >>> 3));
            switch (type) {
                case Layout.DATA -> data(at);
                case Layout.FIELD -> field(at, size);
                case Layout.ENTRY -> entry(at);
                default -> {}
            }
            if (at == tail) {
                return;
            }
            at += Layout.aligned(size);
        }
        if (problems.size() < MAX_PROBLEMS) {
            report(tail, "the last object does not begin here");
        }
    }

    private int typeAt(long at) throws JournalException {
        if (at < 0 || at > file.end() - Layout.OBJECT_HEADER) {
            return -1;
        }
        int index = file.locate(at, Layout.OBJECT_HEADER);
        return file.bytes[index] & 0xff;
    }

    private @Nullable Field load(long at) throws JournalException {
        try {
            return fields.load(at);
        } catch (JournalException e) {
            report(e);
            return null;
        }
    }

    private void data(long at) throws JournalException {
        Field field = load(at);
        if (field != null) {
            byte[] payload = field.payload();
            if (file.longAt(at + Layout.DATA_HASH) != file.hash(payload, 0, payload.length)) {
                report(at, "the hash of the DATA object is wrong");
            }
            if (payload.length > FieldCache.MAX_PAYLOAD && checksums.size() < MAX_CHECKSUMS) {
                checksums.put(at, Lookup3.of(payload, 0, payload.length));
            }
        }
    }

    private void field(long at, long size) throws JournalException {
        if (size > WindowCache.WINDOW || size == Layout.FIELD_PAYLOAD) {
            report(at, "the FIELD object has the size " + size);
            return;
        }
        long hash = file.longAt(at + Layout.FIELD_HASH);
        int length = (int) size - Layout.FIELD_PAYLOAD;
        int index = file.locate(at + Layout.FIELD_PAYLOAD, length);
        if (hash != file.hash(file.bytes, index, length)) {
            report(at, "the hash of the FIELD object is wrong");
        }
    }

    private void entry(long at) throws JournalException {
        if (!file.head(at, head)) {
            report(at, "the entry has a number or a time that is not valid");
            return;
        }
        if (last.offset == 0) {
            compare(Layout.HEAD_ENTRY_SEQNUM, header.headSeqnum(), head.seqnum);
            compare(Layout.HEAD_ENTRY_REALTIME, header.headRealtime(), head.realtime);
        } else if (Long.compareUnsigned(head.seqnum, last.seqnum) <= 0) {
            report(at, "the sequence number does not grow");
        } else if (head.bootId().equals(last.bootId()) && head.monotonic < last.monotonic) {
            report(at, "the time since boot goes back");
        }
        last.set(head);
    }

    /** Checks the references between objects, whose starts are known now. */
    private void references() throws JournalException {
        each(Layout.ENTRY, this::entryItems);
        each(
                Layout.DATA,
                at -> {
                    long claimed = file.longAt(at + Layout.DATA_N_ENTRIES);
                    references += Math.max(0, claimed);
                    if (references <= items) { // otherwise lists may overlap
                        list(at, EntryList.ofData(file, at), claimed);
                    }
                });
        each(Layout.FIELD, this::values);
        if (items != references) {
            report(
                    -1,
                    "the entries refer to fields "
                            + items
                            + " times, and the fields to entries "
                            + references
                            + " times");
        }
    }

    /** A check of one object. */
    private interface Check {
        void of(long at) throws JournalException;
    }

    private void each(int type, Check check) throws JournalException {
        BitSet all = starts[type];
        for (int bit = all.nextSetBit(0); bit >= 0; bit = all.nextSetBit(bit + 1)) {
            if (problems.size() >= MAX_PROBLEMS) {
                return;
            }
            check.of((long) bit << 3);
        }
    }

    private boolean isObject(int type, long at) {
        return at > 0 && (at & 7) == 0 && at < file.end() && starts[type].get((int) (at >>> 3));
    }

    private void entryItems(long at) throws JournalException {
        if (!file.head(at, head)) {
            return; // reported already
        }
        int step = file.isCompact() ? 4 : 16;
        long count = (head.size - Layout.ENTRY_ITEMS) / step;
        items += count;
        long xor = 0;
        for (long i = 0; i < count; i++) {
            long data = file.itemAt(at + Layout.ENTRY_ITEMS + i * step);
            if (!isObject(Layout.DATA, data)) {
                report(at, "the entry refers to offset " + data + ", where no DATA object is");
                return;
            }
            Long known = checksums.get(data);
            if (known != null) {
                xor ^= known;
                continue;
            }
            Field field = checksums.size() < MAX_CHECKSUMS ? load(data) : null;
            if (field == null) {
                return; // damaged, or too many large fields to check all
            }
            byte[] payload = field.payload();
            xor ^= Lookup3.of(payload, 0, payload.length);
        }
        if (count == 0 || xor != head.xorHash) {
            report(
                    at,
                    count == 0 ? "the entry has no fields" : "the checksum of the entry is wrong");
        }
    }

    /** Checks that a list has that many entries, in ascending order. */
    private void list(long owner, EntryList list, long claimed) throws JournalException {
        long before = 0;
        for (long i = 0; i < claimed; i++) {
            long entry = list.get(i);
            if (i >= list.count()) {
                report(
                        owner,
                        claimed + " entries are counted, and " + list.count() + " are listed");
                return;
            }
            if (entry <= before || !isObject(Layout.ENTRY, entry)) {
                report(owner, "item " + i + " of a list of entries is " + entry);
                return;
            }
            before = entry;
        }
    }

    private void values(long at) throws JournalException {
        long after = Long.MAX_VALUE;
        for (long data = file.longAt(at + Layout.FIELD_HEAD_DATA); data != 0; ) {
            if (data >= after || !isObject(Layout.DATA, data)) {
                report(at, "the list of values leads to offset " + data);
                return;
            }
            if (++values > counts[Layout.DATA]) {
                report(at, "the lists of values overlap");
                return;
            }
            after = data;
            data = file.longAt(data + Layout.DATA_NEXT_FIELD);
        }
    }

    /** Checks that each object is in the chain of its bucket. */
    private void table(int type, long table, long size) throws JournalException {
        long buckets = size / Layout.HASH_ITEM;
        if (buckets <= 0 || table < header.headerSize() || table > file.end() - size) {
            report(table, "the hash table is not within the file");
            return;
        }
        int hashAt = type == Layout.DATA ? Layout.DATA_HASH : Layout.FIELD_HASH;
        int nextAt = type == Layout.DATA ? Layout.DATA_NEXT_HASH : Layout.FIELD_NEXT_HASH;
        long found = 0;
        for (long bucket = 0; bucket < buckets && problems.size() < MAX_PROBLEMS; bucket++) {
            long at = file.longAt(table + bucket * Layout.HASH_ITEM);
            long tail = file.longAt(table + bucket * Layout.HASH_ITEM + 8);
            long before = 0;
            while (at != 0) {
                if (at <= before || !isObject(type, at)) {
                    report(table, "the chain of bucket " + bucket + " leads to offset " + at);
                    return;
                }
                if (Long.remainderUnsigned(file.longAt(at + hashAt), buckets) != bucket) {
                    report(at, "the object is in the chain of another bucket");
                    return; // chains may overlap
                }
                found++;
                before = at;
                at = file.longAt(at + nextAt);
            }
            if (tail != before) {
                report(table, "the tail of bucket " + bucket + " is " + tail + ", not " + before);
            }
        }
        if (found != counts[type]) {
            report(table, found + " of " + counts[type] + " objects are in the hash table");
        }
    }

    private void counters() throws JournalException {
        compare(Layout.N_OBJECTS, header.objects(), objects);
        compare(Layout.N_ENTRIES, header.entries(), counts[Layout.ENTRY]);
        byte[] bytes = file.headerBytes();
        int[] at = {Layout.N_DATA, Layout.N_FIELDS, Layout.N_TAGS, Layout.N_ENTRY_ARRAYS};
        int[] types = {Layout.DATA, Layout.FIELD, Layout.TAG, Layout.ENTRY_ARRAY};
        for (int i = 0; i < at.length; i++) {
            if (header.headerSize() >= at[i] + 8) {
                compare(at[i], Bytes.getLong(bytes, at[i]), counts[types[i]]);
            }
        }
        if (last.offset != 0) {
            compare(Layout.TAIL_ENTRY_SEQNUM, header.tailSeqnum(), last.seqnum);
            compare(Layout.TAIL_ENTRY_REALTIME, header.tailRealtime(), last.realtime);
        }
    }

    private void compare(long offset, long inHeader, long actual) {
        if (inHeader != actual) {
            report(offset, "the header says " + inHeader + ", and the file has " + actual);
        }
    }
}
