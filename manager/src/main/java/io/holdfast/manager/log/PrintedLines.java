package io.holdfast.manager.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.DurableText;
import io.holdfast.manager.survival.Keeper;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The lines that a manager prints, in a file that outlives it: the next manager writes the lines
 * that the reader does not have yet.
 *
 * <pre>
 *           written         end
 *   | header |  lines that wait | ◀── lines, then one commit: { end, dropped, unit's file, committed }
 *                └── sendfile ──▶ reader
 * </pre>
 *
 * <p>Only lines before the committed end count, and the same commit records how much of a unit's
 * output they cover. The file position shows what the reader has; the kernel moves it together with
 * the transfer. A reader that accepts no transfer (a file that is open for appending, some
 * terminals) gets a copy, and may get up to 4096 bytes twice if the manager is killed between two
 * system calls.
 *
 * <p>A separate thread writes the lines to the reader. Their number and their bytes are bounded:
 * further lines are dropped, and a line in their place reports how many. Thread-safe.
 */
public final class PrintedLines implements LineSink {
    /** Lines that arrive within this time are written together: one wake-up for all. */
    private static final long GATHERING_MILLIS = 5;

    /** Bytes of whole lines in one transfer: a pipe might have room for only a part of more. */
    private static final int AT_ONCE = 4096;

    /**
     * Bytes before the position that stay in the file: a pipe or a socket refers to the pages
     * themselves, not to a copy.
     */
    private static final int STAYING = 256 << 10;

    /**
     * Bytes after which the file restarts at its beginning once nothing waits, because RLIMIT_FSIZE
     * may be finite. It is so large that every receiver of its first pages has passed them on
     * before they are written again.
     */
    static final int LONG = 64 << 20;

    // the numbers in the file's header
    private static final int END = 0;
    private static final int DROPPED = 1;
    private static final int FILE = 2;
    private static final int COMMITTED = 3;

    /**
     * Limits of what waits for the reader.
     *
     * @param prefix precedes the lines about dropped lines
     */
    public record Bounds(int lines, int bytes, String prefix) {}

    private final Fd reader;
    private final DurableText text;
    private final Charset charset;
    private final Bounds bounds;
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();

    @GuardedBy("this")
    private final Deque<Long> ends = new ArrayDeque<>(); // of the waiting lines

    @GuardedBy("this")
    private long taken; // by the thread, up to this position

    @GuardedBy("this")
    private long end;

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private long droppedEver;

    @GuardedBy("this")
    private long file;

    @GuardedBy("this")
    private long committed;

    @GuardedBy("this")
    private boolean writing;

    private volatile boolean failed;
    private boolean copies; // used by the thread alone

    private PrintedLines(DurableText text, Fd reader, Charset charset, Bounds bounds) {
        this.text = text;
        this.reader = reader;
        this.charset = charset;
        this.bounds = bounds;
        long[] numbers = text.committed();
        end = numbers[END];
        dropped = numbers[DROPPED];
        file = numbers[FILE];
        committed = numbers[COMMITTED];
        if (text.position() > end) {
            text.position(end); // the manager was killed while the file restarted
        }
        taken = text.position();
        findEnds();
    }

    /** Finds the line ends that an earlier manager left. */
    private synchronized void findEnds() {
        byte[] bytes = new byte[AT_ONCE];
        for (long at = taken; at < end; ) {
            int n = text.read(at, bytes, (int) Math.min(bytes.length, end - at));
            if (n == 0) {
                throw new IllegalArgumentException("truncated: shorter than its committed length");
            }
            for (int i = 0; i < n; i++) {
                if (bytes[i] == '\n') {
                    ends.addLast(at + i + 1);
                }
            }
            at += n;
        }
    }

    /**
     * Opens the lines that earlier managers of the keeper have printed and their reader does not
     * have yet, or a new file, and starts the thread.
     *
     * @param store of the keeper; lent
     * @param reader owned from now on
     */
    public static PrintedLines open(
            DescriptorStore store, Fd reader, Charset charset, Bounds bounds) {
        List<String> refusals = new ArrayList<>();
        PrintedLines lines = null;
        List<Fd> kept = store.read(Keeper.PRINTED_LINES);
        if (kept.size() == 1) {
            try {
                DurableText text = DurableText.open(kept.getFirst());
                lines = new PrintedLines(text, reader, charset, bounds);
            } catch (IllegalArgumentException e) {
                refusals.add(
                        "printed lines of the previous manager not adopted: " + e.getMessage());
            }
        }
        if (lines == null) {
            DurableText text = DurableText.make("holdfast-lines", DurableText.START, 0, 0, 0);
            lines = new PrintedLines(text, reader, charset, bounds);
            keep(store, text)
                    .ifPresent(why ->
                            refusals.add("printed lines are lost if the manager crashes: " + why));
        }
        for (String refusal : refusals) {
            lines.add(bounds.prefix() + refusal);
        }
        Thread _ = Thread.ofPlatform().daemon().name("holdfast-lines").start(lines::writeAll);
        return lines;
    }

    private static Optional<String> keep(DescriptorStore store, DurableText text) {
        try {
            return store.put(Keeper.PRINTED_LINES, List.of(text.file()));
        } catch (ErrnoException e) {
            return Optional.ofNullable(e.getMessage());
        }
    }

    /** Returns up to which position of a unit's file the lines are here; 0 if that is not known. */
    public synchronized long committedPosition(long unitFile) {
        return unitFile == file ? committed : 0;
    }

    @Override
    public synchronized void add(String line) {
        add(List.of(line), file, committed);
    }

    /**
     * Takes lines of a unit, which cover its output up to a position.
     *
     * @param unitFile 0 if the output does not outlive the manager
     */
    public synchronized void add(List<String> lines, long unitFile, long position) {
        if (lines.isEmpty() && unitFile == 0) {
            return;
        }
        if (unitFile != 0) {
            file = unitFile;
            committed = position;
        }
        reportDropped();
        for (String line : lines) {
            if (dropped > 0 || !hasRoom()) {
                dropped++;
                droppedEver++;
            } else {
                put(line);
            }
        }
        commit();
    }

    @GuardedBy("this")
    private boolean hasRoom() {
        return ends.size() < bounds.lines() && end + batch.size() - taken < bounds.bytes();
    }

    @GuardedBy("this")
    private void put(String line) {
        byte[] bytes = line.getBytes(charset);
        batch.write(bytes, 0, bytes.length);
        batch.write('\n');
        ends.addLast(end + batch.size());
    }

    @GuardedBy("this")
    private void reportDropped() {
        if (dropped > 0 && hasRoom()) {
            putDropped();
        }
    }

    @GuardedBy("this")
    private void putDropped() {
        put(
                bounds.prefix()
                        + "dropped "
                        + dropped
                        + " lines here: the output is not read fast enough");
        dropped = 0;
    }

    @GuardedBy("this")
    private void commit() {
        if (batch.size() > 0) {
            write();
        }
        text.commit(end, dropped, file, committed);
        notifyAll();
    }

    @GuardedBy("this")
    private void write() {
        try {
            text.write(end, batch.toByteArray(), batch.size());
            end += batch.size();
        } catch (ErrnoException e) { // out of memory
            while (!ends.isEmpty() && ends.getLast() > end) {
                ends.removeLast();
                dropped++;
                droppedEver++;
            }
        } finally {
            batch.reset();
        }
    }

    // ---- the thread

    private void writeAll() {
        try {
            while (true) {
                writeUpTo(take());
                if (written()) {
                    Thread.sleep(GATHERING_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // no code interrupts this thread
        }
    }

    /**
     * Waits for lines, and takes as many as fit into one transfer.
     *
     * @return the position after them
     */
    private synchronized long take() throws InterruptedException {
        while (ends.isEmpty()) {
            wait();
        }
        writing = true;
        long from = taken;
        do {
            taken = ends.removeFirst();
        } while (!ends.isEmpty() && ends.getFirst() - from <= AT_ONCE);
        if (dropped > 0) {
            reportDropped();
            commit();
        }
        return taken;
    }

    private void writeUpTo(long to) throws InterruptedException {
        while (text.position() < to) {
            long left = to - text.position();
            int n = copies ? text.sendCopy(reader, left) : text.send(reader, left);
            if (n == -Errno.EAGAIN) {
                int _ = Readiness.await(reader, Readiness.OUT);
            } else if ((n == -Errno.EINVAL || n == -Errno.ENOSYS) && !copies) {
                copies = true;
            } else if (n <= 0) {
                failed = true;
                text.position(to);
            }
        }
        text.free(to - STAYING);
    }

    /**
     * Notes that the taken lines are written.
     *
     * @return whether no others wait
     */
    private synchronized boolean written() {
        writing = false;
        if (ends.isEmpty()) {
            if (end > DurableText.START + LONG) {
                beginAnew();
            }
            notifyAll();
        }
        return ends.isEmpty();
    }

    /**
     * Restarts the file at its beginning. The position is after the end only between the two calls.
     */
    @GuardedBy("this")
    private void beginAnew() {
        end = DurableText.START;
        taken = end;
        text.commit(end, dropped, file, committed);
        text.position(end);
    }

    @Override
    public synchronized boolean flush(Duration atMost) throws InterruptedException {
        if (dropped > 0) {
            putDropped();
            commit();
        }
        long deadline = System.nanoTime() + atMost.toNanos();
        while (writing || !ends.isEmpty()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    @Override
    public synchronized long dropped() {
        return droppedEver;
    }

    @Override
    public boolean hasFailed() {
        return failed;
    }
}
