package io.holdfast.journal;

import io.holdfast.core.file.FileException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the entries of one or several journal files as one stream, in the order of {@code
 * journalctl}, and follows it.
 *
 * <pre>{@code
 * try (JournalReader reader = JournalReader.openSystem()) {
 *     reader.filter(Match.field("_SYSTEMD_UNIT", "web.service"));
 *     reader.seekTail();
 *     while (true) {
 *         Entry entry = reader.next(Duration.ofMinutes(1));
 *         if (entry != null) {
 *             IO.println(entry.text("MESSAGE").orElse(""));
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>The place of a reader is a gap between two entries, as that of a {@link
 * java.util.ListIterator}: {@link #next()} after {@link #previous()} returns the same entry again.
 * A new reader is at the head.
 *
 * <p>Damage does not end the stream: the reader skips what it cannot read, reports it in {@link
 * #problems}, and continues behind it. Its memory is bounded by the limits {@code
 * io.holdfast.journal.cache}, {@code entrySize} and {@code fieldSize}, whatever the files contain.
 * It reads with pread(2), so that a file that is truncated meanwhile is damage like any other.
 *
 * <p>Not thread-safe.
 */
public final class JournalReader implements AutoCloseable {
    private final WindowCache windows = new WindowCache(JournalLimits.CACHE.value());
    private final FieldCache cache = new FieldCache();
    private final List<JournalException> problems = new ArrayList<>();
    private final JournalFiles files;
    private final List<FileCursor> cursors = new ArrayList<>();
    private @Nullable Match match;
    private @Nullable Cursor lastPassed; // for files that appear while the reader follows
    private @Nullable FolderNotice notice;

    private JournalReader(JournalFiles files) {
        this.files = files;
    }

    /**
     * Opens files.
     *
     * @param paths the files
     * @return the reader, owned by the caller
     * @throws JournalException if one of them cannot be opened or is no journal file
     */
    public static JournalReader openFiles(Collection<Path> paths) throws JournalException {
        JournalReader reader = new JournalReader(JournalFiles.of(paths));
        try {
            for (Path path : paths) {
                reader.add(ObjectFile.open(path, reader.windows));
            }
        } catch (JournalException | RuntimeException | Error e) {
            reader.close();
            throw e;
        }
        return reader;
    }

    /**
     * Opens a file.
     *
     * @param path the file
     * @return the reader, owned by the caller
     * @throws JournalException if it cannot be opened or is no journal file
     */
    public static JournalReader openFile(Path path) throws JournalException {
        return openFiles(List.of(path));
    }

    /**
     * Opens the files of folders: those whose names end with {@code .journal} or {@code .journal~},
     * also those in subfolders that are named like a machine. Files that appear later are read,
     * too. A file that cannot be opened is a {@linkplain #problems problem}.
     *
     * @param folders the folders, which need not exist
     * @return the reader, owned by the caller
     */
    public static JournalReader openFolders(Collection<Path> folders) {
        JournalReader reader = new JournalReader(JournalFiles.in(folders));
        reader.open();
        return reader;
    }

    /**
     * Opens the journal of this machine, in {@code /run/log/journal} and {@code /var/log/journal}.
     *
     * @return the reader, owned by the caller
     * @throws IOException if the identifier of the machine cannot be read
     */
    public static JournalReader openSystem() throws IOException {
        return openFolders(systemFolders());
    }

    /**
     * Returns the folders of the journal files of this machine; one or both may be missing.
     *
     * @throws IOException if the machine has no id
     */
    public static List<Path> systemFolders() throws IOException {
        String machine = Id128.machine().toString();
        return List.of(Path.of("/run/log/journal", machine), Path.of("/var/log/journal", machine));
    }

    private void add(ObjectFile file) throws JournalException {
        try {
            FileCursor cursor = new FileCursor(file, cache, this::report);
            cursor.filter(match);
            cursors.add(cursor);
        } catch (JournalException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** Opens the files that are not open yet; returns whether there were any. */
    private boolean open() {
        boolean isNew = false;
        for (Path path : files.paths(this::report)) {
            try {
                if (cursors.size() >= JournalLimits.FILES.value()) {
                    report(
                            new JournalException(
                                    path,
                                    -1,
                                    cursors.size()
                                            + " files are open; "
                                            + JournalLimits.FILES.remedy()));
                    break;
                }
                if (files.isNew(path, cursors)) {
                    add(ObjectFile.open(path, windows));
                    isNew = true;
                    placeNew(cursors.getLast());
                }
            } catch (JournalException e) {
                boolean isGone = e.getCause() instanceof FileException file && file.isMissing();
                if (!isGone && !e.isUnbegun()) { // a file that is begun later reports a change
                    report(e);
                }
            }
        }
        return isNew;
    }

    /** A file that appears while the reader is at some place is read from that place on. */
    private void placeNew(FileCursor cursor) throws JournalException {
        if (lastPassed != null) {
            cursor.to(lastPassed);
            EntryHead next = cursor.next();
            EntryHead passed = new EntryHead();
            passed.set(lastPassed);
            if (next != null && EntryHead.compare(next, passed) == 0) {
                cursor.passNext();
            }
        }
    }

    private void report(JournalException problem) {
        if (problems.size() < JournalLimits.PROBLEMS) {
            problems.add(problem);
        }
    }

    /**
     * {@return what could not be read so far: at most 100 problems, in the order in which the
     * reader met them}
     */
    public List<JournalException> problems() {
        return List.copyOf(problems);
    }

    /**
     * Sets a condition on the entries that {@link #next()} and {@link #previous()} return. The
     * place stays.
     *
     * @param condition the condition; null for all entries
     */
    public void filter(@Nullable Match condition) {
        match = condition;
        for (FileCursor cursor : cursors) {
            cursor.filter(condition);
        }
    }

    /** Moves before the first entry. */
    public void seekHead() {
        lastPassed = null;
        cursors.forEach(FileCursor::toHead);
    }

    /** Moves behind the last entry. */
    public void seekTail() {
        lastPassed = null;
        cursors.forEach(FileCursor::toTail);
    }

    /** A movement in one file. */
    private interface Seek {
        void in(FileCursor cursor) throws JournalException;
    }

    private void seek(Seek seek) {
        lastPassed = null;
        for (FileCursor cursor : cursors) {
            try {
                seek.in(cursor);
            } catch (JournalException e) {
                report(e);
            }
        }
    }

    /**
     * Moves before the first entry at a time or later.
     *
     * @param time the time at which the journal received the entry
     */
    public void seekRealtime(Instant time) {
        long micros =
                Math.addExact(
                        Math.multiplyExact(time.getEpochSecond(), 1_000_000L),
                        time.getNano() / 1000);
        seek(cursor -> cursor.toRealtime(micros));
    }

    /**
     * Moves before the first entry of a boot at a time or later.
     *
     * @param boot the boot
     * @param sinceBoot the time since that boot, CLOCK_MONOTONIC
     */
    public void seekMonotonic(Id128 boot, Duration sinceBoot) {
        long micros = sinceBoot.toNanos() / 1000;
        seek(cursor -> cursor.toMonotonic(boot, micros));
    }

    /**
     * Moves before the entry of a cursor; if the entry is gone, before the one that followed it.
     *
     * @param position the cursor
     */
    public void seek(Cursor position) {
        seek(cursor -> cursor.to(position));
    }

    /**
     * Moves behind the entry of a cursor; if the entry is gone, before the one that followed it.
     *
     * @param position the cursor
     */
    public void seekAfter(Cursor position) {
        seek(position);
        EntryHead sought = new EntryHead();
        sought.set(position);
        for (FileCursor cursor : cursors) {
            EntryHead next = nextOf(cursor);
            if (next != null && EntryHead.compare(next, sought) == 0) {
                cursor.passNext();
            }
        }
        lastPassed = position;
    }

    private @Nullable EntryHead nextOf(FileCursor cursor) {
        try {
            return cursor.next();
        } catch (JournalException e) {
            report(e);
            cursor.toTail();
            return null;
        }
    }

    private @Nullable EntryHead previousOf(FileCursor cursor) {
        try {
            return cursor.previous();
        } catch (JournalException e) {
            report(e);
            cursor.toHead();
            return null;
        }
    }

    /**
     * Returns the next entry and moves behind it.
     *
     * @return the entry; null at the end
     */
    public @Nullable Entry next() {
        while (true) {
            FileCursor best = null;
            EntryHead first = null;
            for (int i = 0; i < cursors.size(); i++) {
                FileCursor cursor = cursors.get(i);
                EntryHead head = nextOf(cursor);
                if (head == null) {
                    continue;
                }
                int order = first == null ? -1 : EntryHead.compare(head, first);
                if (order < 0) {
                    best = cursor;
                    first = head;
                } else if (order == 0) {
                    cursor.passNext(); // a copy
                }
            }
            if (best == null || first == null) {
                return null;
            }
            Entry entry = read(best, first);
            best.passNext();
            if (entry != null) {
                if (files.mayGrow()) {
                    lastPassed = entry.cursor();
                }
                return entry;
            }
        }
    }

    /**
     * Returns the entry before this place and moves before it.
     *
     * @return the entry; null at the head
     */
    public @Nullable Entry previous() {
        while (true) {
            FileCursor best = null;
            EntryHead last = null;
            for (FileCursor cursor : cursors) {
                EntryHead head = previousOf(cursor);
                if (head == null) {
                    continue;
                }
                int order = last == null ? 1 : EntryHead.compare(head, last);
                if (order > 0) {
                    best = cursor;
                    last = head;
                } else if (order == 0) {
                    cursor.passPrevious(); // a copy
                }
            }
            if (best == null || last == null) {
                return null;
            }
            Entry entry = read(best, last);
            best.passPrevious();
            if (entry != null) {
                return entry;
            }
        }
    }

    private @Nullable Entry read(FileCursor cursor, EntryHead head) {
        try {
            return cursor.fields.entry(head);
        } catch (JournalException e) {
            report(e);
            return null;
        }
    }

    /**
     * Returns the next entry and moves behind it; waits for one at the end. The kernel reports new
     * entries (inotify(7)) of writers on this machine.
     *
     * @param timeout how long to wait
     * @return the entry; null if there was none in that time
     * @throws IOException if the kernel refuses an inotify instance
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public @Nullable Entry next(Duration timeout) throws IOException, InterruptedException {
        Entry entry = next();
        if (entry != null) {
            return entry;
        }
        long start = System.nanoTime();
        while (true) {
            FolderNotice changes = watch();
            if (refresh()) {
                entry = next();
                if (entry != null) {
                    return entry;
                }
            }
            long left = timeout.toNanos() - (System.nanoTime() - start);
            if (!changes.await(left)) {
                return null;
            }
        }
    }

    /** Watches the folders; the folder of a machine may have appeared since the last call. */
    private FolderNotice watch() throws IOException {
        while (true) { // again after each change: one that comes before the watch is missed
            Set<Path> folders = files.watched();
            FolderNotice last = notice;
            if (last != null) {
                if (last.folders().equals(folders)) {
                    return last;
                }
                last.close();
            }
            notice = new FolderNotice(folders);
        }
    }

    /**
     * Looks for new entries and, in folders, for new files, which {@link #next()} then returns.
     *
     * @return whether there are any
     */
    public boolean refresh() {
        boolean hasNew = false;
        for (FileCursor cursor : cursors) {
            try {
                hasNew |= cursor.refresh();
            } catch (JournalException e) {
                report(e);
            }
        }
        if (files.mayGrow()) {
            closeRemoved();
            hasNew |= open();
        }
        return hasNew;
    }

    /** Closes files that were removed and of which nothing is left to read. */
    private void closeRemoved() {
        for (FileCursor cursor : List.copyOf(cursors)) {
            if (cursor.file.isRemoved() && nextOf(cursor) == null) {
                cursors.remove(cursor);
                cursor.close();
            }
        }
    }

    /**
     * Calls back with each value that a field has in any entry, once for each value. The condition
     * of {@link #filter} does not apply.
     *
     * @param name the name of the field
     * @param each called with the field
     */
    public void uniqueValues(String name, Consumer<Field> each) {
        for (int i = 0; i < cursors.size(); i++) {
            FileCursor cursor = cursors.get(i);
            List<FileCursor> before = cursors.subList(0, i);
            try {
                cursor.fields.values(
                        name,
                        data -> {
                            try {
                                Field field = cursor.fields.load(data);
                                if (field.hasName(name) && !isIn(before, field)) {
                                    each.accept(field);
                                }
                            } catch (JournalException e) {
                                report(e);
                            }
                        });
            } catch (JournalException e) {
                report(e);
            }
        }
    }

    private boolean isIn(List<FileCursor> before, Field field) {
        for (FileCursor cursor : before) {
            try {
                if (cursor.fields.find(field) != 0) {
                    return true;
                }
            } catch (JournalException e) {
                report(e);
            }
        }
        return false;
    }

    /** {@return the names of all fields, in alphabetical order} */
    public Set<String> fieldNames() {
        Set<String> names = new TreeSet<>();
        for (FileCursor cursor : cursors) {
            try {
                cursor.fields.names(names::add);
            } catch (JournalException e) {
                report(e);
            }
        }
        return names;
    }

    /**
     * Lists the boots of which there are entries, in the order of their first entries. The place
     * and the condition of this reader stay.
     *
     * @return the boots
     */
    public List<Boot> boots() {
        List<Field> ids = new ArrayList<>();
        uniqueValues("_BOOT_ID", ids::add);
        List<Boot> boots = new ArrayList<>();
        try (JournalReader other = copy()) {
            for (Field id : ids) {
                other.filter(new Match.Equal(id));
                other.seekHead();
                Entry first = other.next();
                other.seekTail();
                Entry last = other.previous();
                if (first != null && last != null) {
                    boots.add(new Boot(first.bootId(), first.realtime(), last.realtime()));
                }
            }
        }
        boots.sort(Comparator.comparing(Boot::first));
        return boots;
    }

    private JournalReader copy() {
        JournalReader copy = new JournalReader(files);
        for (FileCursor cursor : cursors) {
            try {
                copy.add(ObjectFile.open(cursor.file.path, copy.windows));
            } catch (JournalException e) {
                report(e);
            }
        }
        return copy;
    }

    /** {@return the files that are open, in no order} */
    public List<Path> files() {
        return cursors.stream().map(cursor -> cursor.file.path).toList();
    }

    /** Closes the files and ends the watch. Idempotent. */
    @Override
    public void close() {
        if (notice != null) {
            notice.close();
        }
        cursors.forEach(FileCursor::close);
        cursors.clear();
    }

    @Override
    public String toString() {
        return "reader of " + files;
    }
}
