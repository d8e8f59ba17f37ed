package io.holdfast.manager.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.KeptText;
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
 * The lines that a manager prints, in a file that outlives it: the next one gives its reader what
 * this one has not.
 *
 * <pre>
 *            given          end
 *   | header |  lines that wait | ◀── lines, then one commit: { end, dropped, file of a unit, told }
 *                └── sendfile ──▶ reader
 * </pre>
 *
 * <p>What counts is before the end that was committed, and a commit says at once how far the output
 * of a unit is in it. The position of the file is what the reader has; the kernel moves it with the
 * transfer. A reader that takes no transfer (a file that is open for appending, some terminals) is
 * written to, and may get up to 4096 bytes twice if the manager is killed between two system calls.
 *
 * <p>A thread of its own gives the lines. Their number and their bytes are bounded: further lines
 * are dropped, and a line in their place reports how many. Thread-safe.
 */
public final class PrintedLines implements LineSink {
    /** Lines that arrive this soon after others leave together: one wake-up for all. */
    private static final long GATHERING_MILLIS = 5;

    /** Bytes of whole lines in one transfer: of more a pipe might have room for the first part. */
    private static final int AT_ONCE = 4096;

    /**
     * Bytes behind the position that stay in the file: a pipe or a socket has no copy, but the
     * pages themselves.
     */
    private static final int STAYING = 256 << 10;

    /**
     * Bytes after which the file begins anew as soon as nothing waits, for RLIMIT_FSIZE may be
     * finite: so many that whoever had the last pages has passed them on when they are written
     * again.
     */
    static final int LONG = 64 << 20;

    // the numbers of the file
    private static final int END = 0;
    private static final int DROPPED = 1;
    private static final int FILE = 2;
    private static final int TOLD = 3;

    /**
     * How much may wait for the reader.
     *
     * @param prefix stands before the lines about dropped ones
     */
    public record Bounds(int lines, int bytes, String prefix) {}

    private final Fd reader;
    private final KeptText text;
    private final Charset charset;
    private final Bounds bounds;
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();

    @GuardedBy("this")
    private final Deque<Long> ends = new ArrayDeque<>(); // of the lines that wait

    @GuardedBy("this")
    private long taken; // by the thread, up to here

    @GuardedBy("this")
    private long end;

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private long droppedEver;

    @GuardedBy("this")
    private long file;

    @GuardedBy("this")
    private long told;

    @GuardedBy("this")
    private boolean giving;

    private volatile boolean failed;
    private boolean copies; // of the thread

    private PrintedLines(KeptText text, Fd reader, Charset charset, Bounds bounds) {
        this.text = text;
        this.reader = reader;
        this.charset = charset;
        this.bounds = bounds;
        long[] numbers = text.committed();
        end = numbers[END];
        dropped = numbers[DROPPED];
        file = numbers[FILE];
        told = numbers[TOLD];
        if (text.position() > end) {
            text.position(end); // the manager was killed when it had the file begin anew
        }
        taken = text.position();
        findEnds();
    }

    /** Those of an earlier manager. */
    private synchronized void findEnds() {
        byte[] bytes = new byte[AT_ONCE];
        for (long at = taken; at < end; ) {
            int n = text.read(at, bytes, (int) Math.min(bytes.length, end - at));
            if (n == 0) {
                throw new IllegalArgumentException("it ends before its end");
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
     * What earlier managers of the keeper have printed and their reader does not have yet, and what
     * is to come.
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
                KeptText text = KeptText.open(kept.getFirst());
                lines = new PrintedLines(text, reader, charset, bounds);
            } catch (IllegalArgumentException e) {
                refusals.add("what was printed is not adopted: " + e.getMessage());
            }
        }
        if (lines == null) {
            KeptText text = KeptText.make("holdfast-lines", KeptText.START, 0, 0, 0);
            lines = new PrintedLines(text, reader, charset, bounds);
            keep(store, text)
                    .ifPresent(why -> refusals.add("printed lines do not outlive a crash: " + why));
        }
        for (String refusal : refusals) {
            lines.add(bounds.prefix() + refusal);
        }
        Thread _ = Thread.ofPlatform().daemon().name("holdfast-lines").start(lines::give);
        return lines;
    }

    private static Optional<String> keep(DescriptorStore store, KeptText text) {
        try {
            return store.put(Keeper.PRINTED_LINES, List.of(text.file()));
        } catch (ErrnoException e) {
            return Optional.ofNullable(e.getMessage());
        }
    }

    /** How far the lines of a unit's file are in this one; 0 if that is not known here. */
    public synchronized long told(long unitFile) {
        return unitFile == file ? told : 0;
    }

    @Override
    public synchronized void add(String line) {
        add(List.of(line), file, told);
    }

    /**
     * Takes lines of a unit: with them, its output is here up to a position.
     *
     * @param unitFile 0 if that does not outlive the manager
     */
    public synchronized void add(List<String> lines, long unitFile, long position) {
        if (lines.isEmpty() && unitFile == 0) {
            return;
        }
        if (unitFile != 0) {
            file = unitFile;
            told = position;
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
        text.commit(end, dropped, file, told);
        notifyAll();
    }

    @GuardedBy("this")
    private void write() {
        try {
            text.write(end, batch.toByteArray(), batch.size());
            end += batch.size();
        } catch (ErrnoException e) { // there is no memory
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

    private void give() {
        try {
            while (true) {
                giveUpTo(take());
                if (given()) {
                    Thread.sleep(GATHERING_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does that
        }
    }

    /** Waits for lines, and takes as many as one transfer may have: up to where. */
    private synchronized long take() throws InterruptedException {
        while (ends.isEmpty()) {
            wait();
        }
        giving = true;
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

    private void giveUpTo(long to) throws InterruptedException {
        while (text.position() < to) {
            long left = to - text.position();
            int n = copies ? text.giveCopy(reader, left) : text.give(reader, left);
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

    /** Whether nothing else waits. */
    private synchronized boolean given() {
        giving = false;
        if (ends.isEmpty()) {
            if (end > KeptText.START + LONG) {
                beginAnew();
            }
            notifyAll();
        }
        return ends.isEmpty();
    }

    /** Only in between is the position behind the end. */
    @GuardedBy("this")
    private void beginAnew() {
        end = KeptText.START;
        taken = end;
        text.commit(end, dropped, file, told);
        text.position(end);
    }

    @Override
    public synchronized boolean flush(Duration atMost) throws InterruptedException {
        if (dropped > 0) {
            putDropped();
            commit();
        }
        long deadline = System.nanoTime() + atMost.toNanos();
        while (giving || !ends.isEmpty()) {
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
