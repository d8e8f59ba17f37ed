package io.holdfast.journal;

import io.holdfast.journal.EntrySource.Listed;
import io.holdfast.journal.format.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The place of a reader in one file: a gap between two entries. {@link #next} and {@link #previous}
 * show the entries on both sides, {@link #passNext} and {@link #passPrevious} move the gap.
 */
final class FileCursor implements AutoCloseable {
    final ObjectFile file;
    final FieldReader fields;
    private final Consumer<JournalException> problems;
    private EntryList all;
    private long last; // the last entry of the snapshot
    private long seen; // the number of entries of the snapshot
    private @Nullable Match match;
    private @Nullable EntrySource source;

    /** The gap is directly behind this offset. */
    private long gap;

    private final EntryHead next = new EntryHead();
    private final EntryHead previous = new EntryHead();
    private boolean hasNext;
    private boolean hasPrevious;
    private boolean isAtEnd; // nothing follows in this snapshot

    FileCursor(ObjectFile file, FieldCache cache, Consumer<JournalException> problems)
            throws JournalException {
        this.file = file;
        this.problems = problems;
        this.fields = new FieldReader(file, cache, problems);
        this.all = new EntryList(file, 0, 0, 0);
        snapshot();
    }

    private void snapshot() throws JournalException {
        FileHeader header = file.header();
        seen = header.entries();
        all = new EntryList(file, 0, header.entryArrayOffset(), header.entries());
        last = 0;
        long index = seen - 1;
        EntryHead head = new EntryHead();
        for (int tries = 0; index >= 0 && tries <= EntryList.MAX_DAMAGED; tries++, index--) {
            long entry = all.get(index);
            if (index >= all.count()) {
                problems.accept(
                        file.damage(
                                header.entryArrayOffset(),
                                seen + " entries are claimed, and " + all.count() + " are listed"));
                index = all.count();
                continue;
            }
            if (entry != 0 && file.head(entry, head)) {
                last = entry;
                break;
            }
        }
        source = null;
        forget();
    }

    /** Takes a new snapshot if the file has grown; returns whether it has. */
    boolean refresh() throws JournalException {
        if (file.entriesNow() == seen) {
            return false;
        }
        file.refresh();
        snapshot();
        return true;
    }

    private void forget() {
        hasNext = false;
        hasPrevious = false;
        isAtEnd = false;
    }

    void filter(@Nullable Match condition) {
        match = condition;
        source = null;
        forget();
    }

    private EntrySource source() throws JournalException {
        EntrySource known = source;
        if (known == null) {
            known = match == null ? new Listed(all, last) : source(match);
            source = known;
        }
        return known;
    }

    private EntrySource source(Match condition) throws JournalException {
        return switch (condition) {
            case Match.Equal(Field field) -> fields.source(field, last);
            case Match.All(List<Match> terms) -> new EntrySource.Both(sources(terms));
            case Match.Any(List<Match> terms) -> new EntrySource.Either(sources(terms));
        };
    }

    private List<EntrySource> sources(List<Match> terms) throws JournalException {
        List<EntrySource> sources = new ArrayList<>(terms.size());
        for (Match term : terms) {
            sources.add(source(term));
        }
        return sources;
    }

    /** Returns the entry behind the gap; null if there is none. */
    @Nullable EntryHead next() throws JournalException {
        while (!hasNext) {
            if (isAtEnd) {
                return null;
            }
            long entry = source().atOrAfter(gap + 1);
            if (entry == 0) {
                isAtEnd = true;
                return null;
            }
            hasNext = file.head(entry, next);
            if (!hasNext) {
                problems.accept(file.invalid(entry, Layout.ENTRY));
                gap = entry;
                hasPrevious = false;
            }
        }
        return next;
    }

    /** Returns the entry before the gap; null if there is none. */
    @Nullable EntryHead previous() throws JournalException {
        while (!hasPrevious) {
            long entry = gap <= 0 ? 0 : source().atOrBefore(gap);
            if (entry == 0) {
                return null;
            }
            hasPrevious = file.head(entry, previous);
            if (!hasPrevious) {
                problems.accept(file.invalid(entry, Layout.ENTRY));
                gap = entry - 1;
                hasNext = false;
                isAtEnd = false;
            }
        }
        return previous;
    }

    /** Moves the gap over the entry that {@link #next} returned. */
    void passNext() {
        gap = next.offset;
        forget();
    }

    /** Moves the gap over the entry that {@link #previous} returned. */
    void passPrevious() {
        gap = previous.offset - 1;
        forget();
    }

    void toHead() {
        gap = 0;
        forget();
    }

    void toTail() {
        gap = last;
        forget();
    }

    /** Moves the gap before the first entry at that time or later. */
    void toRealtime(long micros) throws JournalException {
        EntryHead head = new EntryHead();
        to(all, entry -> !file.head(entry, head) ? -1 : head.realtime >= micros ? 1 : 0);
    }

    /** Moves the gap before the first entry of a boot at that time or later. */
    void toMonotonic(Id128 boot, long micros) throws JournalException {
        EntryList list = ofBoot(boot);
        EntryHead head = new EntryHead();
        if (list == null) {
            toTail();
        } else {
            to(list, entry -> !file.head(entry, head) ? -1 : head.monotonic >= micros ? 1 : 0);
        }
    }

    private @Nullable EntryList ofBoot(Id128 boot) throws JournalException {
        long data = fields.find(Field.of("_BOOT_ID", boot.toString()));
        return data == 0 ? null : EntryList.ofData(file, data);
    }

    /** Moves the gap before the first entry that is not before a position. */
    void to(Cursor cursor) throws JournalException {
        EntryHead head = new EntryHead();
        if (file.header().seqnumId().equals(cursor.seqnumId())) {
            to(
                    all,
                    entry ->
                            !file.head(entry, head)
                                    ? -1
                                    : Long.compareUnsigned(head.seqnum, cursor.seqnum()) >= 0
                                            ? 1
                                            : 0);
            return;
        }
        EntryList boot = ofBoot(cursor.bootId());
        if (boot != null) {
            to(
                    boot,
                    entry ->
                            !file.head(entry, head)
                                    ? -1
                                    : head.monotonic >= cursor.monotonic() ? 1 : 0);
            if (gap < last) {
                return;
            }
        }
        toRealtime(cursor.realtime());
    }

    private void to(EntryList list, EntryList.Test test) throws JournalException {
        long index = list.first(test);
        if (index >= list.count()) {
            toTail();
            return;
        }
        gap = Math.max(0, list.get(index) - 1);
        forget();
    }

    @Override
    public void close() {
        file.close();
    }
}
