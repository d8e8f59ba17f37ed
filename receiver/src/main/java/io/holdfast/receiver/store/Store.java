package io.holdfast.receiver.store;

import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.SequenceNumbers;
import io.holdfast.journal.WriterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
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
    private static final int MAY_READ = 0640;
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
    private boolean writing;
    private long rotationsWanted;
    private long rotationsDone;
    private boolean closed;
    private long stored;
    private long lost;
    private long complainedAt; // of the thread

    private Store(
            StorePlace place,
            JournalWriter system,
            AtomicBoolean rotated,
            Consumer<String> warnings)
            throws IOException {
        this.place = place;
        this.rotated = rotated;
        this.warnings = warnings;
        this.vacuum = new Vacuum(place);
        this.sequence = system.sequence();
        this.boot = Id128.boot();
        writers.put(0L, system);
        thread = Thread.ofPlatform().name("holdfast-store").daemon().unstarted(this::run);
    }

    /**
     * Opens a store, and begins.
     *
     * @param warnings receives one line about what cannot be written; called by any thread
     * @throws IOException if the system's file cannot be opened
     */
    public static Store open(StorePlace place, Consumer<String> warnings) throws IOException {
        Files.createDirectories(place.folder());
        AtomicBoolean rotated = new AtomicBoolean();
        JournalWriter system =
                JournalWriter.open(
                        place.folder().resolve("system.journal"), options(place, rotated));
        Store store = new Store(place, system, rotated, warnings);
        store.thread.start();
        return store;
    }

    private static WriterOptions options(StorePlace place, AtomicBoolean rotated) {
        return WriterOptions.standard()
                .maxFileSize(place.fileBytes())
                .mode(MAY_READ)
                .onRotation((_, _) -> rotated.set(true));
    }

    /**
     * Takes an entry.
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
            arrived.signal();
            return true;
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

    /** {@return how many entries were stored} */
    public long stored() {
        lock.lock();
        try {
            return stored;
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
                int refused = 0;
                for (StoredEntry entry : batch) {
                    refused += write(entry) ? 0 : 1;
                }
                writers.values().forEach(JournalWriter::announce);
                written(batch.size() - refused, refused);
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
        for (JournalWriter writer : writers.values()) {
            try {
                Optional<Path> _ = writer.rotate();
            } catch (IOException e) {
                complain(writer.path() + " is not rotated: " + e.getMessage());
            }
        }
        lock.lock();
        try {
            rotationsDone = wanted;
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void written(int count, int refused) {
        Runnable waiter = null;
        lock.lock();
        try {
            stored += count;
            lost += refused;
            waitingBytes = waiting.stream().mapToLong(StoredEntry::bytes).sum();
            writing = false;
            if (waitingBytes <= place.waitingBytes() / 2) {
                waiter = roomWanted;
                roomWanted = null;
            }
            if (waiting.isEmpty()) {
                emptied.signalAll();
            }
        } finally {
            lock.unlock();
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
            long _ =
                    writer(user)
                            .appendQuietly(
                                    entry.realtimeMicros(),
                                    entry.monotonicMicros(),
                                    boot,
                                    entry.fields());
            return true;
        } catch (IOException | RuntimeException e) {
            complain("an entry is lost: " + e.getMessage());
            return false;
        }
    }

    private JournalWriter writer(long user) throws IOException {
        JournalWriter open = writers.get(user);
        if (open == null) {
            if (writers.size() > place.userFiles()) {
                closeOldest();
            }
            Path file = place.folder().resolve("user-" + user + ".journal");
            open = JournalWriter.open(file, options(place, rotated).sequence(sequence));
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
                if (each.getKey() != 0) { // a new file has no access list yet
                    AccessList.permitReading(each.getValue().path(), each.getKey());
                }
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
        for (JournalWriter writer : writers.values()) {
            boolean due = writer.syncDueIn().filter(Duration::isZero).isPresent();
            if (due) {
                try {
                    writer.sync();
                } catch (IOException | RuntimeException e) { // of one that could not rotate
                    complain(writer.path() + " cannot be synced: " + e.getMessage());
                }
            }
        }
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
        } catch (IOException e) {
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
