package io.holdfast.authority;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * The tasks that other threads post to the event loop. A task is accepted until this is closed, and
 * none after that. Thread-safe.
 */
final class LoopTasks implements Executor {
    /** The maximum number of tasks that may wait, not counting those that {@link #end} posts. */
    static final int MAX = AuthorityLimits.TASKS.intValue();

    private final EventLoop loop;

    @GuardedBy("this")
    private boolean closed;

    /**
     * Makes the tasks of this loop.
     *
     * @param loop a loop to which only this object posts tasks
     */
    LoopTasks(EventLoop loop) {
        this.loop = loop;
    }

    /**
     * Runs a task that begins something.
     *
     * @throws RejectedExecutionException if as many wait as the limit allows, or this is closed
     */
    @Override
    public synchronized void execute(Runnable work) {
        if (closed) {
            throw new RejectedExecutionException("the authority has ended");
        }
        try {
            loop.post(work);
        } catch (RejectedExecutionException e) {
            throw new RejectedExecutionException(
                    "%s, which is the limit; %s"
                            .formatted(e.getMessage(), AuthorityLimits.TASKS.remedy()),
                    e);
        }
    }

    /**
     * Runs a task that begins something.
     *
     * @return fails with {@link AuthorityException} if too many tasks wait, or this is closed
     */
    CompletableFuture<Void> submit(Runnable work) {
        try {
            return CompletableFuture.runAsync(work, this);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(
                    AuthorityException.failed(String.valueOf(e.getMessage())));
        }
    }

    /** Runs a task that ends something. Does nothing once this is closed: all has ended then. */
    synchronized void end(Runnable work) {
        if (!closed) {
            loop.postEnding(work);
        }
    }

    /** Rejects new tasks, and runs the waiting ones on this thread. Called after the loop's end. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        int ignored = loop.runTasks();
    }
}
