package io.holdfast.core.wait;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * What others want run on a loop, in the order in which it came. What begins something is refused
 * when too much waits; what ends something gets in, since there is no more of it than has begun.
 * Safe for use by any thread.
 */
public final class TaskQueue {
    private final int limit;

    @GuardedBy("this")
    private Deque<Runnable> waiting = new ArrayDeque<>();

    @GuardedBy("this")
    private int begins;

    private Deque<Runnable> drained = new ArrayDeque<>(); // by who drains, for the next time

    /**
     * @param limit how many that begin something may wait
     * @throws IllegalArgumentException if it is not positive
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

    /** Adds what begins something: false if as many wait as the limit allows. */
    public synchronized boolean offer(Runnable task) {
        if (begins >= limit) {
            return false;
        }
        begins++;
        waiting.add(task);
        return true;
    }

    /** Adds what ends something. */
    public synchronized void add(Runnable task) {
        waiting.add(task);
    }

    /**
     * Takes out all that is there now, and hands it over; what comes meanwhile stays. By one thread
     * at a time.
     *
     * @return how many there were
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
