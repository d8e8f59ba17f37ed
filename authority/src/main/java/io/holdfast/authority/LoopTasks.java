package io.holdfast.authority;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * What others want done on the loop, to the close and not behind it. Safe for use by any thread.
 */
final class LoopTasks implements Executor {
    /** How many tasks that begin something may wait. */
    static final int MAX = AuthorityLimits.TASKS.intValue();

    private final EventLoop loop;

    @GuardedBy("this")
    private boolean closed;

    /**
     * @param loop on which nobody else posts
     */
    LoopTasks(EventLoop loop) {
        this.loop = loop;
    }

    /**
     * Runs what begins something.
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
     * Runs what begins something.
     *
     * @return fails with {@link AuthorityException} if too much waits, or this is closed
     */
    CompletableFuture<Void> submit(Runnable work) {
        try {
            return CompletableFuture.runAsync(work, this);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(
                    AuthorityException.failed(String.valueOf(e.getMessage())));
        }
    }

    /** Runs what ends something. Does nothing once this is closed: all has ended then. */
    synchronized void end(Runnable work) {
        if (!closed) {
            loop.postEnding(work);
        }
    }

    /** Runs what still waits, on this thread, and takes nothing more. When the loop has ended. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        int ignored = loop.runTasks();
    }
}
