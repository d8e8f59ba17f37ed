package io.holdfast.journal;

import java.util.List;

/** The entries of a file that match a condition, found by offset. 0 means that there is none. */
sealed interface EntrySource {
    /** Returns the first entry at an offset or behind it. */
    long atOrAfter(long offset) throws JournalException;

    /** Returns the last entry at an offset or before it. */
    long atOrBefore(long offset) throws JournalException;

    /** No entries. */
    record None() implements EntrySource {
        @Override
        public long atOrAfter(long offset) {
            return 0;
        }

        @Override
        public long atOrBefore(long offset) {
            return 0;
        }
    }

    /** The entries of one list. Remembers its place, so that steps need no search. */
    final class Listed implements EntrySource {
        private final EntryList list;
        private final long last; // the last entry of the snapshot
        private long index = -1; // of the entry that was returned last

        Listed(EntryList list, long last) {
            this.list = list;
            this.last = last;
        }

        @Override
        public long atOrAfter(long offset) throws JournalException {
            long next = index + 1;
            boolean isNext =
                    next < list.count()
                            && list.get(next) >= offset
                            && (next == 0 || isBefore(list.get(index), offset));
            long found = isNext ? next : list.firstAt(offset);
            long end = Math.min(list.count(), found + EntryList.MAX_DAMAGED);
            for (; found < end; found++) {
                long entry = list.get(found);
                if (entry >= offset) { // damaged lists may be unordered or have zeros
                    index = found;
                    return entry > last ? 0 : entry;
                }
            }
            return 0;
        }

        private static boolean isBefore(long entry, long offset) {
            return entry != 0 && entry < offset;
        }

        @Override
        public long atOrBefore(long offset) throws JournalException {
            long limit = Math.min(offset, last);
            long previous = index - 1;
            boolean isPrevious =
                    previous >= 0
                            && isBefore(list.get(previous), limit + 1)
                            && list.get(index) > limit;
            long found = isPrevious ? previous : list.firstAt(limit + 1) - 1;
            long end = Math.max(0, found - EntryList.MAX_DAMAGED);
            for (; found >= end; found--) {
                long entry = list.get(found);
                if (isBefore(entry, limit + 1)) {
                    index = found;
                    return entry;
                }
            }
            return 0;
        }
    }

    /** The entries that are in all of several sources. */
    record Both(List<EntrySource> sources) implements EntrySource {
        @Override
        public long atOrAfter(long offset) throws JournalException {
            long at = offset;
            int agreed = 0;
            for (int i = 0; agreed < sources.size(); i = (i + 1) % sources.size()) {
                long entry = sources.get(i).atOrAfter(at);
                if (entry == 0) {
                    return 0;
                }
                agreed = entry == at ? agreed + 1 : 1;
                at = entry;
            }
            return at;
        }

        @Override
        public long atOrBefore(long offset) throws JournalException {
            long at = offset;
            int agreed = 0;
            for (int i = 0; agreed < sources.size(); i = (i + 1) % sources.size()) {
                long entry = sources.get(i).atOrBefore(at);
                if (entry == 0) {
                    return 0;
                }
                agreed = entry == at ? agreed + 1 : 1;
                at = entry;
            }
            return at;
        }
    }

    /** The entries that are in one of several sources. */
    record Either(List<EntrySource> sources) implements EntrySource {
        @Override
        public long atOrAfter(long offset) throws JournalException {
            long best = 0;
            for (EntrySource source : sources) {
                long entry = source.atOrAfter(offset);
                if (entry != 0 && (best == 0 || entry < best)) {
                    best = entry;
                }
            }
            return best;
        }

        @Override
        public long atOrBefore(long offset) throws JournalException {
            long best = 0;
            for (EntrySource source : sources) {
                best = Math.max(best, source.atOrBefore(offset));
            }
            return best;
        }
    }
}
