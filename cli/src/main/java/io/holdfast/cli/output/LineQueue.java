package io.holdfast.cli.output;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.limit.Limit;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue of lines for a stream whose reader may stall, such as a full pipe or a stopped
 * terminal.
 *
 * <p>A thread of the queue writes the lines, so that {@link #add} never waits for the reader, and
 * an event loop may call it. The numbers of waiting lines and of their characters are limited.
 * Further lines are dropped, and a line in their place reports how many. Thread-safe.
 */
public final class LineQueue {
    public static final Limit LINES =
            Limit.count("io.holdfast.waitingLines", 8192, "lines that wait for a stalled reader");

    public static final Limit CHARACTERS =
            Limit.count(
                    "io.holdfast.waitingCharacters",
                    1 << 20,
                    "characters of lines that wait for a stalled reader");

    /** The maximum length of a line in characters; the code that creates the line cuts it. */
    static final int LINE = 8192;

    /**
     * Lines that arrive within this time after a write are written together, which wakes the reader
     * once.
     */
    private static final long GATHERING_MILLIS = 5;

    /** The characters of one write: a pipe takes as many bytes atomically (PIPE_BUF). */
    private static final int AT_ONCE = 4096;

    private final PrintStream stream;
    private final String prefix;

    @GuardedBy("this")
    private final Deque<String> lines = new ArrayDeque<>();

    @GuardedBy("this")
    private int characters;

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private long droppedEver;

    @GuardedBy("this")
    private boolean writing;

    @GuardedBy("this")
    private @Nullable Thread writer;

    /**
     * Creates an empty queue.
     *
     * @param prefix the prefix of the queue's own lines
     */
    LineQueue(PrintStream stream, String prefix) {
        this.stream = stream;
        this.prefix = prefix;
    }

    /** Takes a line without its line end, or drops it if too many wait. */
    public synchronized void add(String line) {
        reportDropped();
        if (dropped > 0 || !hasRoom()) {
            dropped++;
            droppedEver++;
        } else {
            put(line);
        }
    }

    @GuardedBy("this")
    private boolean hasRoom() {
        return lines.size() < LINES.value() && characters < CHARACTERS.value();
    }

    @GuardedBy("this")
    private void put(String line) {
        if (writer == null) {
            writer = Thread.ofPlatform().daemon().name("holdfast-lines").start(this::write);
        }
        lines.addLast(line);
        characters += line.length();
        if (lines.size() == 1) {
            notifyAll();
        }
    }

    /**
     * Queues a line with the number of dropped lines as soon as there is room, after the last line
     * that was kept.
     */
    @GuardedBy("this")
    private void reportDropped() {
        if (dropped > 0 && hasRoom()) {
            putDropped();
        }
    }

    @GuardedBy("this")
    private void putDropped() {
        put(prefix + "dropped " + dropped + " lines here: the output is not read fast enough");
        dropped = 0;
    }

    private void write() {
        try {
            while (true) {
                String batch = take();
                stream.print(batch);
                stream.flush();
                if (written()) {
                    Thread.sleep(GATHERING_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // no code interrupts this thread
        }
    }

    /** Waits for lines, and takes as many as fit into one write. */
    private synchronized String take() throws InterruptedException {
        while (lines.isEmpty()) {
            wait();
        }
        writing = true;
        StringBuilder batch = new StringBuilder();
        String next = lines.getFirst();
        do {
            batch.append(next).append('\n');
            lines.removeFirst();
            characters -= next.length();
            next = lines.peekFirst();
        } while (next != null && batch.length() + next.length() < AT_ONCE);
        reportDropped();
        return batch.toString();
    }

    /** Ends a write; returns whether no more lines wait. */
    private synchronized boolean written() {
        writing = false;
        if (lines.isEmpty()) {
            notifyAll();
        }
        return lines.isEmpty();
    }

    /**
     * Waits until the reader has all lines.
     *
     * @return false if it does not have them within that time
     */
    public synchronized boolean flush(Duration atMost) throws InterruptedException {
        if (dropped > 0) {
            putDropped();
        }
        long end = System.nanoTime() + atMost.toNanos();
        while (writing || !lines.isEmpty()) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    /** {@return how many lines were dropped since the start} */
    public synchronized long dropped() {
        return droppedEver;
    }

    /** {@return whether writing to the reader has failed} */
    public boolean hasFailed() {
        return stream.checkError();
    }

    /** Returns whether the writer has not been started, or waits for another line. */
    synchronized boolean isIdle() {
        return writer == null || writer.getState() == Thread.State.WAITING;
    }
}
