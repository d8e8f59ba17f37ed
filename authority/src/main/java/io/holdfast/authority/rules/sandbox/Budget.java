package io.holdfast.authority.rules.sandbox;

import com.sun.management.ThreadMXBean;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.Readiness;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The time and memory that one evaluation, or the load of one file, has left. The interpreter
 * checks it at every function entry, every object creation, every call of a built-in function and
 * after every {@value #INSTRUCTIONS} of its instructions; a built-in function that is about to make
 * much at once reserves that in advance.
 *
 * <p>Memory is what the thread allocates, including garbage. It is taken in units from {@link
 * EvaluationMemory}, which all evaluations share, and given back at the end.
 *
 * <p>A budget that has refused once refuses for ever: whatever a script does then, it gets no
 * answer. Used by one thread at a time, except {@link #revoke} and {@link #release}.
 */
public final class Budget {
    /** Instructions between checks; a call counts as 100, a step of a regular expression as 5. */
    static final int INSTRUCTIONS = 500;

    private final Duration time;
    private final long start = System.nanoTime();
    private final long nanos;
    private final long most;
    private final @Nullable EvaluationMemory memory;
    private final long user;
    private long before; // allocated on the threads that ran the evaluation before this one
    private long since; // this thread's allocations when it began or resumed the evaluation
    private int units;
    private boolean released;
    private @Nullable Abort end;
    private volatile boolean revoked;

    private Budget(Duration time, long most, @Nullable EvaluationMemory memory, long user) {
        this.time = time;
        this.nanos = Readiness.nanos(time);
        this.most = most;
        this.memory = memory;
        this.user = user;
        this.since = Allocations.ofThisThread();
    }

    /**
     * Begins an evaluation on this thread.
     *
     * @param user the user whose share the memory is charged to
     * @throws Abort if that share is used up
     */
    public static Budget ofEvaluation(RuleSandbox sandbox, long user) {
        RuleLimits limits = sandbox.limits();
        EvaluationMemory memory = sandbox.memory();
        Budget budget = new Budget(limits.evaluation(), limits.allocated(), memory, user);
        if (!budget.take()) {
            throw Abort.of(memory.refusal(user));
        }
        return budget;
    }

    /**
     * Begins the load of a file on this thread. It is charged to no user's share, so no user can
     * keep a rule from being loaded.
     */
    public static Budget ofFile(RuleLimits limits) {
        return new Budget(limits.load(), limits.allocated(), null, 0);
    }

    /** Returns the nanoseconds until its time is over; negative if it is. */
    public long remaining() {
        return nanos - (System.nanoTime() - start);
    }

    public String overTime() {
        return "took longer than " + describe(time);
    }

    public static String describe(Duration time) {
        return time.toMillis() % 1000 == 0
                ? time.toSeconds() + " seconds"
                : time.toMillis() + " ms";
    }

    /** Ends the budget from another thread, at the next check of the interpreter. */
    public void revoke() {
        revoked = true;
    }

    /**
     * Checks that time and memory are left.
     *
     * @throws Abort if not
     */
    public void check() {
        reserve(0);
    }

    /**
     * Checks that time is left, and memory for so many bytes more.
     *
     * @throws Abort if not
     */
    void reserve(long bytes) {
        if (end != null) {
            throw end;
        }
        if (revoked || remaining() < 0) {
            throw end(overTime());
        }
        long needed = before + Allocations.ofThisThread() - since + bytes;
        if (needed > most) {
            throw end("took more than " + most + " bytes of memory");
        }
        while (memory != null && needed > units * EvaluationMemory.UNIT) {
            if (!take()) {
                throw end(memory.refusal(user));
            }
        }
    }

    private synchronized boolean take() {
        if (memory == null || released || !memory.tryTake(user)) {
            return false;
        }
        units++;
        return true;
    }

    private Abort end(String reason) {
        Abort abort = Abort.of(reason);
        end = abort;
        return abort;
    }

    /**
     * Checks that the budget has never refused.
     *
     * @throws Abort if it has
     */
    public void requireNotEnded() {
        if (end != null) {
            throw end;
        }
    }

    /** Ends the measurement on this thread; another thread may resume the evaluation. */
    public void suspended() {
        before += Allocations.ofThisThread() - since;
    }

    /** Begins the measurement on this thread, which resumes the evaluation. */
    public void resumed() {
        since = Allocations.ofThisThread();
    }

    /** Gives the memory back, when nothing references it any more. Idempotent. */
    public synchronized void release() {
        if (memory != null && !released) {
            released = true;
            memory.release(user, units);
        }
    }

    /** Loads the classes that measure memory, which takes about 40 ms once in a process. */
    public static void prepare() {
        long _ = Allocations.ofThisThread();
    }

    private static final class Allocations {
        private static final ThreadMXBean THREADS =
                (ThreadMXBean) ManagementFactory.getThreadMXBean();

        static long ofThisThread() {
            return THREADS.getCurrentThreadAllocatedBytes();
        }
    }
}
