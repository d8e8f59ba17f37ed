package io.holdfast.core.linux;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What others want run on a loop, in the order in which it came. What begins something is refused
 * when too much waits; what ends something gets in, since there is no more of it than has begun.
 * Safe for use by any thread.
 */
final class TaskQueue {
    private final int limit;

    @GuardedBy("this")
    private Deque<Runnable> waiting = new ArrayDeque<>();

    @GuardedBy("this")
    private int begins;

    /**
     * @param limit how many that begin something may wait
     * @throws IllegalArgumentException if it is not positive
     */
    TaskQueue(int limit) {
        if (limit <= 0) {
            throw new IllegalArgumentException("no limit of tasks: " + limit);
        }
        this.limit = limit;
    }

    int limit() {
        return limit;
    }

    /** Adds what begins something: false if as many wait as the limit allows. */
    synchronized boolean offer(Runnable task) {
        if (begins >= limit) {
            return false;
        }
        begins++;
        waiting.add(task);
        return true;
    }

    /** Adds what ends something. */
    synchronized void add(Runnable task) {
        waiting.add(task);
    }

    /** Takes all that is there now. */
    synchronized Deque<Runnable> take() {
        Deque<Runnable> taken = waiting;
        waiting = new ArrayDeque<>();
        begins = 0;
        return taken;
    }
}
