package io.holdfast.cli.command;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Collects garbage after a burst of requests, so that the heap shrinks to its size before the
 * burst. A daemon does not need this to survive: its limits add up to less than its heap. But the
 * serial collector enlarges a full heap before it collects all of it, and collects nothing while
 * the daemon is idle, so that the daemon would keep the size of its busiest second. Runs on the
 * thread of the loop.
 */
public final class HeapWatch {
    /** The growth of the heap that causes no collection, in bytes. */
    private static final long ROOM = 1 << 20;

    private final EventLoop loop;
    private final Duration period;
    private long size = Runtime.getRuntime().totalMemory();

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
        if (Runtime.getRuntime().totalMemory() > size + ROOM) {
            System.gc();
            size = Runtime.getRuntime().totalMemory();
        }
        var _ = loop.after(period, this::check);
    }
}
