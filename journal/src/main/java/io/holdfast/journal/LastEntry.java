package io.holdfast.journal;

import io.holdfast.journal.format.Layout;

/**
 * The entry that a killed writer was linking, which is completed before the file is archived.
 *
 * <p>An entry is linked to each of its fields and then to the file. After a SIGKILL in between, a
 * reader with a condition would find the entry, and one without would not; and the next writer
 * would use its number again. Which links are there is decided by the counts of entries alone, each
 * of which is written after what it counts; so a link of which the count was not written is made
 * again, in the same place.
 *
 * <p>Only for files that were written since the boot: after a power loss any part may be missing,
 * and the file stays as it is.
 */
final class LastEntry {
    private final FileAppender appender;
    private final MappedFile file;

    LastEntry(FileAppender appender, MappedFile file) {
        this.appender = appender;
        this.file = file;
    }

    /**
     * Completes the entry, if there is one.
     *
     * @throws JournalException if the file is damaged
     */
    void complete() throws JournalException {
        long entries = file.getLong(Layout.N_ENTRIES);
        long last = file.getLong(Layout.TAIL_OBJECT_OFFSET);
        long at = entries == 0 ? Layout.NEWEST_HEADER : entryAt(entries - 1);
        for (boolean isFirst = true; at > 0 && at <= last; isFirst = false) {
            if (file.getByte(at) == Layout.ENTRY && (entries == 0 || !isFirst)) {
                complete(at);
                return;
            }
            long size = file.getLong(at + Layout.OBJECT_SIZE);
            if (size < Layout.OBJECT_HEADER || size > file.size() - at) {
                return; // damaged
            }
            at += Layout.aligned(size);
        }
    }

    private void complete(long entry) throws JournalException {
        long[] items = appender.itemsOf(entry);
        boolean isLinked = false;
        for (long data : items) {
            isLinked |= isLast(data, entry);
        }
        if (!isLinked) {
            return; // no reader can find it
        }
        for (long data : items) {
            long before = file.getLong(data + Layout.DATA_N_ENTRIES);
            if (before > 0) {
                Place next = next(file.getLong(data + Layout.DATA_ENTRY_ARRAY), before - 1);
                appender.dataTail(data, next.array, next.used);
            }
        }
        Place next = next(file.getLong(Layout.ENTRY_ARRAY_OFFSET), file.getLong(Layout.N_ENTRIES));
        file.putInt(Layout.TAIL_ENTRY_ARRAY_OFFSET, (int) next.array);
        file.putInt(Layout.TAIL_ENTRY_ARRAY_N_ENTRIES, (int) next.used);
        if (appender.hasRoomOfArrays(items)) {
            for (long data : items) {
                if (!isLast(data, entry)) {
                    appender.linkData(data, entry);
                }
            }
            appender.linkEntry(entry);
        }
    }

    private boolean isLast(long data, long entry) throws JournalException {
        long count = file.getLong(data + Layout.DATA_N_ENTRIES);
        if (count <= 1) {
            return count == 1 && file.getLong(data + Layout.DATA_ENTRY) == entry;
        }
        Place last = next(file.getLong(data + Layout.DATA_ENTRY_ARRAY), count - 2);
        return appender.item(last.array, last.used) == entry;
    }

    private long entryAt(long index) throws JournalException {
        Place place = next(file.getLong(Layout.ENTRY_ARRAY_OFFSET), index);
        return appender.item(place.array, place.used);
    }

    /** Where an item is, or belongs: the last array may be full. */
    private record Place(long array, long used) {}

    private Place next(long firstArray, long index) throws JournalException {
        long array = firstArray;
        long left = index;
        while (array != 0 && left >= appender.capacity(array)) {
            long following = file.getLong(array + Layout.ARRAY_NEXT);
            if (following == 0) {
                break;
            }
            left -= appender.capacity(array);
            array = following;
        }
        return new Place(array, array == 0 ? 0 : left);
    }
}
