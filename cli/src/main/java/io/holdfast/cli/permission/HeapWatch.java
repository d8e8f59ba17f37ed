package io.holdfast.cli.permission;

import io.holdfast.core.EventLoop;
import java.time.Duration;

/**
 * Collects garbage after a burst, so that the heap shrinks to what it was before. The authority
 * survives without it: what callers, rules and files may hold is bounded at less than the heap. But
 * the serial collector enlarges a full heap before it looks through all of it, and so the daemon
 * would stay at its largest size, 64 MiB, after the first busy second. On the thread of the loop.
 */
final class HeapWatch {
    private static final Duration PERIOD = Duration.ofSeconds(2);

    /** By how much it may grow in peace. In bytes. */
    private static final long ROOM = 1 << 20;

    private final EventLoop loop;
    private long size = Runtime.getRuntime().totalMemory();

    private HeapWatch(EventLoop loop) {
        this.loop = loop;
    }

    /** Watches from now on, as long as the loop runs. */
    static void begin(EventLoop loop) {
        new HeapWatch(loop).look();
    }

    private void look() {
        if (Runtime.getRuntime().totalMemory() > size + ROOM) {
            System.gc();
            size = Runtime.getRuntime().totalMemory();
        }
        var _ = loop.after(PERIOD, this::look);
    }
}
