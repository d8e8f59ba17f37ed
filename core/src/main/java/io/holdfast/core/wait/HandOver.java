package io.holdfast.core.wait;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Takes tasks off the poller's thread, to virtual ones, where a task that blocks keeps no other
 * waiting.
 *
 * <p>What the poller's thread gives is gathered until its batch of events ends: to wake a carrier
 * from outside costs more than most tasks, and so does a thread for each.
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
        Thread ignored = THREADS.start(new Batch(all));
    }

    /**
     * Tasks that one thread runs one after the other, for as long as none blocks. Each thread
     * starts another one behind it, which goes on with the rest when its turn comes: because the
     * first has blocked or failed and left its carrier, or because another carrier is free.
     */
    private static final class Batch implements Runnable {
        private final @Nullable Runnable[] tasks;
        private final AtomicInteger next = new AtomicInteger();

        Batch(List<Runnable> tasks) {
            this.tasks = tasks.toArray(Runnable[]::new);
        }

        @Override
        public void run() {
            if (next.get() + 1 < tasks.length) {
                Thread ignored = THREADS.start(this);
            }
            for (Runnable task = take(); task != null; task = take()) {
                task.run();
                boolean _ = Thread.interrupted(); // the task's own affair
            }
        }

        private @Nullable Runnable take() {
            int mine = next.getAndIncrement();
            if (mine >= tasks.length) {
                return null;
            }
            Runnable task = tasks[mine];
            tasks[mine] = null; // not to be held by one that blocks
            return task;
        }
    }
}
