package io.holdfast.core.wait;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An executor that moves tasks from the poller's thread to virtual threads, where a task that
 * blocks delays no other.
 *
 * <p>Tasks from the poller's thread are gathered until its batch of events ends: to wake a carrier
 * from another thread costs more than most tasks, and so does a thread per task.
 */
final class HandOver implements Executor {
    private static final Thread.Builder.OfVirtual THREADS =
            Thread.ofVirtual().name("holdfast-event-", 0);

    private volatile @Nullable Thread poller;
    private List<Runnable> batch = new ArrayList<>(); // only for the poller's thread

    /** Sets the thread whose tasks are gathered. */
    void batchesOf(Thread thread) {
        poller = thread;
    }

    /** May be called by any thread. */
    @Override
    @SuppressWarnings("ReferenceEquality") // the same thread
    public void execute(Runnable task) {
        if (Thread.currentThread() == poller) {
            batch.add(task);
        } else {
            Thread ignored = THREADS.start(task);
        }
    }

    /** Starts the gathered tasks. Only for the poller's thread. */
    void endBatch() {
        List<Runnable> all = batch;
        if (all.isEmpty()) {
            return;
        }
        batch = new ArrayList<>();
        Thread ignored = THREADS.start(new Batch(all));
    }

    /**
     * Tasks that one thread runs one after the other, as long as none blocks. Each thread first
     * starts a successor, which takes the remaining tasks once it is scheduled: because the first
     * has blocked or failed and left its carrier, or because another carrier is free.
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
                boolean _ = Thread.interrupted(); // an interrupt must not reach the next task
            }
        }

        private @Nullable Runnable take() {
            int mine = next.getAndIncrement();
            if (mine >= tasks.length) {
                return null;
            }
            Runnable task = tasks[mine];
            tasks[mine] = null; // so that a batch that blocks does not keep it reachable
            return task;
        }
    }
}
