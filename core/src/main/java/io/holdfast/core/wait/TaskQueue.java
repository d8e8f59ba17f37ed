package io.holdfast.core.wait;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * The queue of tasks that other threads post to an event loop, in their order. A task that begins
 * something is refused when too many wait. A task that completes something is always accepted,
 * since there are at most as many as have begun. Safe for use by any thread.
 */
public final class TaskQueue {
    private final int limit;

    @GuardedBy("this")
    private Deque<Runnable> waiting = new ArrayDeque<>();

    @GuardedBy("this")
    private int begins;

    private Deque<Runnable> drained = new ArrayDeque<>(); // only for drain, which reuses it

    /**
     * @param limit how many tasks that begin something may wait
     * @throws IllegalArgumentException if the limit is not positive
     */
    public TaskQueue(int limit) {
        if (limit <= 0) {
            throw new IllegalArgumentException("no limit of tasks: " + limit);
        }
        this.limit = limit;
    }

    public int limit() {
        return limit;
    }

    /** Adds a task that begins something; returns false if as many wait as the limit allows. */
    public synchronized boolean offer(Runnable task) {
        if (begins >= limit) {
            return false;
        }
        begins++;
        waiting.add(task);
        return true;
    }

    /** Adds a task that completes something. */
    public synchronized void add(Runnable task) {
        waiting.add(task);
    }

    /**
     * Removes all current tasks and passes them on; tasks that are added meanwhile stay. To be
     * called by one thread at a time.
     *
     * @param to receives the tasks, in their order
     * @return the number of tasks
     */
    public int drain(Consumer<Runnable> to) {
        Deque<Runnable> taken;
        synchronized (this) {
            taken = waiting;
            waiting = drained;
            begins = 0;
        }
        int count = taken.size();
        taken.forEach(to);
        taken.clear();
        drained = taken;
        return count;
    }
}
