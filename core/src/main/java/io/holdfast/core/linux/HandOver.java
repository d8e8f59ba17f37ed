package io.holdfast.core.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Takes tasks off the poller's thread: each runs on a virtual thread of its own, so that one that
 * blocks keeps nobody else waiting.
 *
 * <p>What the poller's thread gives is gathered until its batch of events ends, and then started
 * from one virtual thread: to wake a carrier from outside costs more than all of the rest.
 */
final class HandOver implements Executor {
    private static final Thread.Builder.OfVirtual THREADS =
            Thread.ofVirtual().name("holdfast-event-", 0);

    private volatile @Nullable Thread poller;
    private List<Runnable> batch = new ArrayList<>(); // only of the poller's thread

    /** Gathers what that thread gives from now on. */
    void batchesOf(Thread thread) {
        poller = thread;
    }

    /** By any thread. */
    @Override
    @SuppressWarnings("ReferenceEquality") // the very thread
    public void execute(Runnable task) {
        if (Thread.currentThread() == poller) {
            batch.add(task);
        } else {
            Thread ignored = THREADS.start(task);
        }
    }

    /** By the poller's thread. */
    void endBatch() {
        List<Runnable> all = batch;
        if (all.isEmpty()) {
            return;
        }
        batch = new ArrayList<>();
        Thread ignored =
                THREADS.start(all.size() == 1 ? all.getFirst() : () -> all.forEach(THREADS::start));
    }
}
