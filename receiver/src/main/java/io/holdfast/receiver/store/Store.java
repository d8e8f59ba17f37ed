package io.holdfast.receiver.store;

import io.holdfast.journal.Entry;
import io.holdfast.journal.FileHeader;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalException;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.SequenceNumbers;
import io.holdfast.journal.WriterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Writes entries into journal files, on a thread of its own, since a disk may take long: {@code
 * system.journal}, and for each ordinary user {@code user-UID.journal}, which only that user and
 * those who may read all logs can read. All files share one sequence of numbers.
 *
 * <p>At most {@link StorePlace#waitingBytes} of entries wait; while there are more, {@link #offer}
 * refuses, and its caller leaves messages in their sockets. Entries that the disk refuses are
 * counted and dropped: a full disk must not stop those who log. Thread-safe.
 */
public final class Store implements AutoCloseable {
    private static final String SYSTEM = "system.journal";
    private static final Pattern USER_FILE = Pattern.compile("user-([0-9]{1,10})\\.journal");
    private static final int MAY_READ = 0640;
    private static final int STEP = 512; // entries until the next progress
    private static final long FIRST_ORDINARY_USER = 1000; // smaller ids belong to the system,
    private static final long LAST_ORDINARY_USER = 60_513; // larger ones to containers and services
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final StorePlace place;
    private final Consumer<String> warnings;
    private final Vacuum vacuum;
    private final AtomicBoolean rotated;
    private final SequenceNumbers sequence;
    private final Id128 boot;
    private final Map<Long, JournalWriter> writers =
            new LinkedHashMap<>(16, 0.75f, true); // of the thread; by user, 0 is the system
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Condition emptied = lock.newCondition();
    private final Thread thread;
    private Deque<StoredEntry> waiting = new ArrayDeque<>(); // under the lock, as all below
    private long waitingBytes;
    private @Nullable Runnable roomWanted;
    private Progress progress;
    private @Nullable Runnable onProgress;
    private boolean writing;
    private long rotationsWanted;
    private long rotationsDone;
    private boolean closed;
    private long stored;
    private long lost;
    private long complainedAt; // of the thread, as all below
    private long failedAt; // to open a file; 0 if that did not fail
    private long lostInSeries;

    /**
     * How far the store is.
     *
     * @param entries how many entries that were offered are in the files, or lost
     * @param sequence the last sequence number; entries that are offered later get larger ones
     */
    public record Progress(long entries, long sequence) {
        /**
         * Returns the sequence number of an entry that is stored; after the disk has refused
         * entries, possibly a smaller one.
         *
         * @param entry counted from 1
         */
        public long sequenceOf(long entry) {
            return Math.max(0, sequence - (entries - entry));
        }
    }

    private Store(
            StorePlace place,
            @Nullable JournalWriter system,
            SequenceNumbers sequence,
            AtomicBoolean rotated,
            Consumer<String> warnings)
            throws IOException {
        this.place = place;
        this.rotated = rotated;
        this.warnings = warnings;
        this.vacuum = new Vacuum(place);
        this.sequence = sequence;
        this.progress = new Progress(0, sequence.last());
        this.boot = Id128.boot();
        if (system != null) {
            writers.put(0L, system);
        }
        thread = Thread.ofPlatform().name("holdfast-store").daemon().unstarted(this::run);
    }

    /**
     * Opens a store, and begins. On a full disk it begins without the system's file, and loses
     * entries until there is room.
     *
     * @param warnings receives one line about what cannot be written; called by any thread
     * @throws IOException if the system's file cannot be opened for another reason
     */
    public static Store open(StorePlace place, Consumer<String> warnings) throws IOException {
        Files.createDirectories(place.folder());
        AtomicBoolean rotated = new AtomicBoolean();
        Path file = place.folder().resolve(SYSTEM);
        WriterOptions options = options(place, rotated);
        if (!isBegun(file)) { // a writer was killed while it made it, or all begins
            SequenceNumbers known = newest(place.folder());
            options = known == null ? options : options.sequence(known);
        }
        JournalWriter system = openOrWarn(file, options, place, warnings);
        SequenceNumbers sequence =
                system != null
                        ? system.sequence()
                        : options.sequence().orElseGet(SequenceNumbers::fresh);
        if (system != null) {
            permitReaders(file, warnings);
        }
        continueUsers(place, options.sequence(sequence), warnings);
        Store store = new Store(place, system, sequence, rotated, warnings);
        store.thread.start();
        return store;
    }

    private static void permitReaders(Path file, Consumer<String> warnings) {
        try {
            AccessList.permitReading(file, 0);
        } catch (IOException e) {
            warnings.accept(file + " can be read by root alone: " + e.getMessage());
        }
    }

    /** Returns whether a file says which sequence it continues. */
    private static boolean isBegun(Path file) {
        try {
            FileHeader _ = FileHeader.read(file);
            return true;
        } catch (JournalException e) {
            return false;
        }
    }

    /** Opens the system's file; null if the disk is full, and no file has grown too large. */
    private static @Nullable JournalWriter openOrWarn(
            Path file, WriterOptions options, StorePlace place, Consumer<String> warnings)
            throws IOException {
        try {
            return JournalWriter.open(file, options);
        } catch (JournalException e) {
            if (!e.isDiskFull()) {
                throw e;
            }
        }
        int _ = new Vacuum(place).run();
        try {
            return JournalWriter.open(file, options);
        } catch (JournalException e) {
            if (!e.isDiskFull()) {
                throw e;
            }
            warnings.accept("entries are lost: " + e.getMessage());
            return null;
        }
    }

    /** Returns the sequence of the newest entry of a folder; null if there is none. */
    private static @Nullable SequenceNumbers newest(Path folder) {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            reader.seekTail();
            Entry last = reader.previous();
            return last == null ? null : new SequenceNumbers(last.seqnumId(), last.seqnum());
        }
    }

    /**
     * Opens the files of users for a moment: those of a store that was killed are archived, and the
     * sequence continues behind the numbers in all of them.
     */
    private static void continueUsers(
            StorePlace place, WriterOptions options, Consumer<String> warnings) throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(place.folder(), "user-*.journal")) {
            for (Path file : files) {
                Matcher name = USER_FILE.matcher(String.valueOf(file.getFileName()));
                if (name.matches()) {
                    try {
                        JournalWriter.open(file, options).close();
                        AccessList.permitReading(file, Long.parseLong(name.group(1)));
                    } catch (IOException e) {
                        warnings.accept(file + " cannot be continued: " + e.getMessage());
                    }
                }
            }
        }
    }

    private static WriterOptions options(StorePlace place, AtomicBoolean rotated) {
        return WriterOptions.standard()
                .maxFileSize(place.fileBytes())
                .maxAge(place.fileAge())
                .syncInterval(place.syncInterval())
                .mode(MAY_READ)
                .onRotation((_, _) -> rotated.set(true));
    }

    /**
     * Takes an entry, which is written once {@link #wake} is called.
     *
     * @return false if too many entries wait: it was not taken
     */
    public boolean offer(StoredEntry entry) {
        lock.lock();
        try {
            if (closed) {
                return true; // nobody could read it any more
            }
            if (waitingBytes > 0 && waitingBytes + entry.bytes() > place.waitingBytes()) {
                return false;
            }
            waiting.add(entry);
            waitingBytes += entry.bytes();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Has the entries written that were taken; called once for all of a turn. */
    public void wake() {
        lock.lock();
        try {
            if (!waiting.isEmpty()) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Calls back once when there is room again; at once if there is.
     *
     * @param task run by the thread of the store: it must not block
     */
    public void whenThereIsRoom(Runnable task) {
        lock.lock();
        try {
            if (waitingBytes > place.waitingBytes() / 2) {
                roomWanted = task;
                return;
            }
        } finally {
            lock.unlock();
        }
        task.run();
    }

    /** {@return how far the store is: after a SIGKILL, such entries are there} */
    public Progress progress() {
        lock.lock();
        try {
            return progress;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sets a task that is run whenever there is {@link #progress}.
     *
     * @param task run by the thread of the store: it must not block
     */
    public void onProgress(Runnable task) {
        lock.lock();
        try {
            onProgress = task;
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many entries the disk has refused} */
    public long lost() {
        lock.lock();
        try {
            return lost;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all entries that were offered so far are in the files. */
    public void flush() throws InterruptedException {
        lock.lock();
        try {
            while (!closed && (writing || !waiting.isEmpty())) {
                arrived.signal();
                emptied.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Begins new files, once all entries that were offered so far are in the old ones, and waits
     * until that is done. A file without entries stays.
     */
    public void rotate() throws InterruptedException {
        lock.lock();
        try {
            long wanted = ++rotationsWanted;
            arrived.signal();
            while (!closed && rotationsDone < wanted) {
                emptied.await();
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- its thread

    private void run() {
        try {
            while (true) {
                Deque<StoredEntry> batch = take();
                if (batch == null) {
                    break;
                }
                do { // also if a sync or a rotation is due without entries
                    writeSome(batch);
                } while (!batch.isEmpty());
                rotateIfWanted();
                sync();
                vacuum();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            writers.values().forEach(this::close);
        }
    }

    private void writeSome(Deque<StoredEntry> batch) {
        int count = 0;
        int refused = 0;
        long bytes = 0;
        for (; count < STEP && !batch.isEmpty(); count++) {
            StoredEntry entry = batch.removeFirst();
            bytes += entry.bytes();
            refused += write(entry) ? 0 : 1;
        }
        writers.values().forEach(JournalWriter::announce);
        written(count - refused, refused, bytes, batch.isEmpty());
    }

    /** Waits for entries, or until a sync is due; null when the store is closed and empty. */
    private @Nullable Deque<StoredEntry> take() throws InterruptedException {
        long nanos = syncDueIn().map(Duration::toNanos).orElse(Long.MAX_VALUE);
        lock.lock();
        try {
            while (waiting.isEmpty() && !mustRotate() && !closed && nanos > 0) {
                nanos = arrived.awaitNanos(nanos);
            }
            if (waiting.isEmpty() && closed) {
                return null;
            }
            Deque<StoredEntry> batch = waiting;
            waiting = new ArrayDeque<>();
            writing = true;
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private boolean mustRotate() { // under the lock
        return rotationsDone < rotationsWanted;
    }

    private void rotateIfWanted() {
        long wanted;
        lock.lock();
        try {
            if (!mustRotate() || !waiting.isEmpty()) {
                return;
            }
            wanted = rotationsWanted;
        } finally {
            lock.unlock();
        }
        Map.copyOf(writers)
                .forEach((user, writer) -> {
                    try {
                        Optional<Path> _ = writer.rotate();
                    } catch (IOException | RuntimeException | InternalError e) {
                        complain(writer.path() + " is not rotated: " + e.getMessage());
                        drop(user, writer);
                    }
                });
        lock.lock();
        try {
            rotationsDone = wanted;
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void written(int count, int refused, long bytes, boolean isAll) {
        Runnable waiter = null;
        Runnable progressed;
        lock.lock();
        try {
            stored += count;
            lost += refused;
            progress = new Progress(stored + lost, sequence.last());
            progressed = onProgress;
            waitingBytes -= bytes;
            writing = !isAll;
            if (waitingBytes <= place.waitingBytes() / 2) {
                waiter = roomWanted;
                roomWanted = null;
            }
            if (waiting.isEmpty() && !writing) {
                emptied.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (progressed != null) {
            progressed.run();
        }
        if (waiter != null) {
            waiter.run();
        }
    }

    private boolean write(StoredEntry entry) {
        boolean isOrdinary =
                entry.owner() >= FIRST_ORDINARY_USER && entry.owner() <= LAST_ORDINARY_USER;
        long user = place.splitUsers() && isOrdinary ? entry.owner() : 0;
        try {
            append(entry, user);
            if (lostInSeries > 0) {
                warnings.accept("entries are stored again; " + lostInSeries + " are lost");
                lostInSeries = 0;
            }
            return true;
        } catch (IOException | RuntimeException e) {
            if (lostInSeries++ == 0) {
                warnings.accept("entries are lost: " + e.getMessage());
            }
            rotated.set(true); // removing old files may make room
            return false;
        }
    }

    private void append(StoredEntry entry, long user) throws IOException {
        JournalWriter writer = writer(user);
        try {
            append(entry, writer);
        } catch (IllegalStateException e) { // its last rotation has failed
            drop(user, writer);
            append(entry, writer(user));
        }
    }

    private void append(StoredEntry entry, JournalWriter writer) throws IOException {
        long _ =
                writer.appendQuietly(
                        entry.realtimeMicros(), entry.monotonicMicros(), boot, entry.fields());
    }

    private JournalWriter writer(long user) throws IOException {
        JournalWriter open = writers.get(user);
        if (open == null) {
            if (failedAt != 0 && System.nanoTime() - failedAt < RETRY.toNanos()) {
                throw new IOException("no file could be opened a moment ago");
            }
            failedAt = System.nanoTime();
            if (writers.size() > place.userFiles()) {
                closeOldest();
            }
            String name = user == 0 ? SYSTEM : "user-" + user + ".journal";
            Path file = place.folder().resolve(name);
            open = JournalWriter.open(file, options(place, rotated).sequence(sequence));
            failedAt = 0;
            writers.put(user, open); // also if the user cannot read it
            AccessList.permitReading(file, user);
        }
        return open;
    }

    private void closeOldest() {
        for (Long user : writers.keySet()) {
            if (user != 0) {
                JournalWriter oldest = writers.remove(user);
                if (oldest != null) {
                    close(oldest);
                }
                return;
            }
        }
    }

    /** Lets users read their new files, and removes old ones, if a new one was begun. */
    private void vacuum() {
        if (!rotated.getAndSet(false)) {
            return;
        }
        try {
            for (Map.Entry<Long, JournalWriter> each : writers.entrySet()) {
                AccessList.permitReading(each.getValue().path(), each.getKey()); // a new file's
            }
            int _ = vacuum.run();
        } catch (IOException | UncheckedIOException e) {
            complain("after a rotation: " + e.getMessage());
        }
    }

    private Optional<Duration> syncDueIn() {
        return writers.values().stream()
                .flatMap(writer -> writer.syncDueIn().stream())
                .min(Duration::compareTo);
    }

    private void sync() {
        Map.copyOf(writers)
                .forEach((user, writer) -> {
                    try {
                        if (writer.syncDueIn().filter(Duration::isZero).isPresent()) {
                            writer.sync();
                        }
                    } catch (IOException | RuntimeException e) {
                        complain(writer.path() + " cannot be synced: " + e.getMessage());
                        drop(user, writer); // its sync would be due all the time
                    }
                });
    }

    /** Closes a writer that cannot go on; the next entry opens another one. */
    private void drop(long user, JournalWriter writer) {
        writers.remove(user);
        rotated.set(true); // removing old files may make room
        close(writer);
    }

    private void complain(String text) {
        long now = System.nanoTime();
        if (complainedAt == 0 || now - complainedAt > RETRY.toNanos()) {
            complainedAt = now;
            warnings.accept(text);
        }
    }

    private void close(JournalWriter writer) {
        try {
            writer.close();
        } catch (IOException | RuntimeException | InternalError e) {
            complain(writer.path() + " is not closed well: " + e.getMessage());
        }
    }

    /** Writes what waits, syncs and closes the files. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            boolean _ = thread.join(Duration.ofSeconds(TimeUnit.MINUTES.toSeconds(1)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
