package io.holdfast.cli;

import io.holdfast.core.linux.EventLoop;
import java.time.Duration;

/**
 * Gives back what a burst left. The serial collector enlarges a heap that is full before it looks
 * through all of it, and so a daemon would come to the size that it may have at most, and stay
 * there. For the thread of the loop.
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
