package io.holdfast.authority.rules.sandbox;

import com.sun.management.ThreadMXBean;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.Readiness;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The time and the memory that one evaluation, or the load of one file, may still take. The
 * interpreter asks it at every function that it enters, every object that it makes, every built-in
 * function that it calls and after every {@value #INSTRUCTIONS} of its instructions; a built-in
 * function that is about to make much at once reserves that first.
 *
 * <p>Memory is what the thread allocates, whether or not it is garbage by now. It is taken in units
 * from {@link EvaluationMemory}, which all evaluations share, and given back at the end.
 *
 * <p>A budget that has once refused refuses for ever: whatever a script does on its way out, it
 * comes to no answer. For one thread at a time, apart from {@link #revoke} and {@link #release}.
 */
public final class Budget {
    /** A call counts as a hundred, a step of a regular expression as five. */
    static final int INSTRUCTIONS = 500;

    private final Duration time;
    private final long start = System.nanoTime();
    private final long nanos;
    private final long most;
    private final @Nullable EvaluationMemory memory;
    private final long user;
    private long before; // allocated on the threads that went on with it before this one
    private long since; // what this thread had allocated when it began
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
     * @param user in whose share its memory is
     * @throws Abort if that share is used up
     */
    public static Budget ofEvaluation(Sandbox sandbox, long user) {
        RuleLimits limits = sandbox.limits();
        EvaluationMemory memory = sandbox.memory();
        Budget budget = new Budget(limits.evaluation(), limits.allocated(), memory, user);
        if (!budget.take()) {
            throw Abort.of(memory.refusal(user));
        }
        return budget;
    }

    /**
     * Begins the load of a file on this thread. It takes from nobody's share, and so no user can
     * keep a rule from being loaded.
     */
    public static Budget ofFile(RuleLimits limits) {
        return new Budget(limits.load(), limits.allocated(), null, 0);
    }

    /** Nanoseconds until its time is over; negative if it is. */
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

    /** Ends it from another thread, as soon as the interpreter asks. */
    public void revoke() {
        revoked = true;
    }

    /**
     * Verifies that there is time and memory left.
     *
     * @throws Abort if there is not
     */
    public void check() {
        reserve(0);
    }

    /**
     * Verifies that there is time left, and memory for so many bytes more.
     *
     * @throws Abort if there is not
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
     * Verifies that it has never refused.
     *
     * @throws Abort if it has
     */
    public void requireNotEnded() {
        if (end != null) {
            throw end;
        }
    }

    /** The evaluation leaves this thread; it may go on on another. */
    public void suspended() {
        before += Allocations.ofThisThread() - since;
    }

    /** It goes on on this thread. */
    public void resumed() {
        since = Allocations.ofThisThread();
    }

    /** Gives the memory back: nothing holds any more what was allocated. Idempotent. */
    public synchronized void release() {
        if (memory != null && !released) {
            released = true;
            memory.release(user, units);
        }
    }

    /** Loads what measures, which takes some 40 ms once in a process. */
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
