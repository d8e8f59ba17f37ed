package io.holdfast.authority.rules;

import com.sun.management.ThreadMXBean;
import io.holdfast.core.linux.Readiness;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/**
 * What one evaluation, or the load of one file, may still take. Asked about every {@link
 * #INSTRUCTIONS} of the interpreter, and by the built-in functions that take or make a lot at once.
 */
final class Budget {
    /** A call counts as a hundred, a step of a regular expression as five. */
    static final int INSTRUCTIONS = 1_000;

    /**
     * Evaluations that end before are not measured: to begin to costs 40 ms once in a process, and
     * in so few instructions nothing is gathered that {@link #charge} does not see.
     */
    private static final int FIRST_MEASURED = 80;

    private final Duration time;
    private final long start = System.nanoTime();
    private final long nanos;
    private final long bytes;
    private long charged;
    private int observed;
    private long measuredFrom;
    private volatile boolean revoked;

    Budget(Duration time, long bytes) {
        this.time = time;
        this.nanos = Readiness.nanos(time);
        this.bytes = bytes;
    }

    /** Nanoseconds until it is over; negative if it is. */
    long remaining() {
        return nanos - (System.nanoTime() - start);
    }

    String overTime() {
        return "took longer than " + describe(time);
    }

    static String describe(Duration time) {
        return time.toMillis() % 1000 == 0
                ? time.toSeconds() + " seconds"
                : time.toMillis() + " ms";
    }

    /** Ends it from another thread, as soon as it is asked. */
    void revoke() {
        revoked = true;
    }

    /**
     * @throws Abort if it is used up
     */
    void check() {
        checkTime();
        if (++observed == FIRST_MEASURED) {
            measuredFrom = Allocations.ofThisThread();
        } else if (observed > FIRST_MEASURED
                && Allocations.ofThisThread() - measuredFrom > bytes - charged) {
            throw overMemory();
        }
    }

    /**
     * @throws Abort if its time is over
     */
    void checkTime() {
        if (revoked || remaining() < 0) {
            throw Abort.excess(overTime());
        }
    }

    /**
     * Of a built-in function that makes so many bytes at once.
     *
     * @throws Abort if that is too much
     */
    void charge(long amount) {
        charged += amount;
        if (charged > bytes) {
            throw overMemory();
        }
    }

    /** It goes on on this thread, after a while: what others allocated meanwhile is not its. */
    void resumed() {
        observed = Math.min(observed, FIRST_MEASURED - 1);
    }

    private Abort overMemory() {
        return Abort.excess("took more than " + bytes + " bytes of memory");
    }

    private static final class Allocations {
        private static final ThreadMXBean THREADS =
                (ThreadMXBean) ManagementFactory.getThreadMXBean();

        static long ofThisThread() {
            return THREADS.getCurrentThreadAllocatedBytes();
        }
    }
}
