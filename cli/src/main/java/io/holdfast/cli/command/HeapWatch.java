package io.holdfast.cli.command;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Collects garbage after a burst of requests, so that the heap shrinks to its size before the
 * burst. A daemon does not need this to survive: its limits add up to less than its heap. But the
 * serial collector enlarges a full heap before it collects all of it, and collects nothing while
 * the daemon is idle, so that the daemon would keep the size of its busiest second. While requests
 * still come, nothing is collected here: that would stop all callers for a tenth of a second each
 * time, and the heap would grow again. Runs on the thread of the loop.
 */
public final class HeapWatch {
    /** The growth of the heap that causes no collection, and what an idle daemon allocates. */
    private static final long ROOM = 1 << 20;

    private final EventLoop loop;
    private final Duration period;
    private long size = Runtime.getRuntime().totalMemory();
    private long used;

    private HeapWatch(EventLoop loop, Duration period) {
        this.loop = loop;
        this.period = period;
    }

    /**
     * Checks the heap periodically from now on, as long as the loop runs.
     *
     * @param period the shortest time between two collections, each of which stops the process
     */
    public static void begin(EventLoop loop, Duration period) {
        new HeapWatch(loop, period).check();
    }

    private void check() {
        Runtime heap = Runtime.getRuntime();
        long before = used;
        used = heap.totalMemory() - heap.freeMemory();
        boolean isIdle = Math.abs(used - before) <= ROOM;
        if (isIdle && heap.totalMemory() > size + ROOM) {
            System.gc();
            size = heap.totalMemory();
        }
        var _ = loop.after(period, this::check);
    }
}
