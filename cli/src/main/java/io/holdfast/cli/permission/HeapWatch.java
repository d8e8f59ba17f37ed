package io.holdfast.cli.permission;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Collects garbage after a burst of requests, so that the heap shrinks to its size before the
 * burst. The authority does not need this to survive: the limits of callers, rules and files add up
 * to less than the heap. But the serial collector enlarges a full heap before it collects all of
 * it, so that after the first busy second the daemon would stay at its maximum size, 64 MiB. Runs
 * on the thread of the loop.
 */
final class HeapWatch {
    private static final Duration PERIOD = Duration.ofSeconds(2);

    /** The growth of the heap that causes no collection, in bytes. */
    private static final long ROOM = 1 << 20;

    private final EventLoop loop;
    private long size = Runtime.getRuntime().totalMemory();

    private HeapWatch(EventLoop loop) {
        this.loop = loop;
    }

    /** Checks the heap periodically from now on, as long as the loop runs. */
    static void begin(EventLoop loop) {
        new HeapWatch(loop).check();
    }

    private void check() {
        if (Runtime.getRuntime().totalMemory() > size + ROOM) {
            System.gc();
            size = Runtime.getRuntime().totalMemory();
        }
        var _ = loop.after(PERIOD, this::check);
    }
}
