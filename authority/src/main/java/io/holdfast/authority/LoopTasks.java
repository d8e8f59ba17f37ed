package io.holdfast.authority;

import static java.lang.System.Logger.Level.ERROR;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.linux.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * What others want done on the loop. What begins something is refused when too much waits. What
 * ends something always gets in: there is no more of it than has begun. Safe for use by any thread.
 */
final class LoopTasks implements Executor {
    /** How many tasks that begin something may wait. */
    static final int MAX = Integer.getInteger("io.holdfast.authority.tasks", 16_384);

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final EventLoop loop;

    @GuardedBy("this")
    private Deque<Runnable> waiting = new ArrayDeque<>();

    @GuardedBy("this")
    private int begins;

    @GuardedBy("this")
    private boolean closed;

    /**
     * @param loop on which nobody else posts: one task of ours waits there at a time
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
        if (begins >= MAX) {
            throw new RejectedExecutionException(
                    "the authority has %d tasks waiting, which is the limit (%s)"
                            .formatted(begins, "io.holdfast.authority.tasks"));
        }
        begins++;
        add(work);
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
            add(work);
        }
    }

    @GuardedBy("this")
    private void add(Runnable task) {
        waiting.add(task);
        if (waiting.size() == 1) {
            loop.post(this::run);
        }
    }

    /** Those that are there now: what they add comes in the next turn. */
    private void run() {
        Deque<Runnable> turn;
        synchronized (this) {
            turn = waiting;
            waiting = new ArrayDeque<>();
            begins = 0;
        }
        for (Runnable task : turn) {
            try {
                task.run();
            } catch (RuntimeException | Error e) { // it harms no other
                LOG.log(ERROR, "a task of the authority failed", e);
            }
        }
    }

    /** Runs what still waits, on this thread, and takes nothing more. When the loop has ended. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        run();
    }
}
