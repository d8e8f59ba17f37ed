package io.holdfast.core.process;

/**
 * The CPU scheduling policies.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/sched.7.html">sched(7)</a>
 */
public enum CpuPolicy {
    /** The default: fair to all, weighted by the nice value. */
    OTHER(0),
    /** Real-time: it runs until it blocks, or a process of a higher priority becomes runnable. */
    FIFO(1),
    /** Real-time, round-robin among processes of the same priority. */
    RR(2),
    /** As {@link #OTHER}, for processes that compute and need not respond quickly. */
    BATCH(3),
    /** Runs only when nothing else is runnable. */
    IDLE(5);

    private final int number;

    CpuPolicy(int number) {
        this.number = number;
    }

    /** {@return the number of {@code linux/sched.h}} */
    public int number() {
        return number;
    }

    /** {@return whether it has priorities from 1 to 99} */
    public boolean isRealTime() {
        return this == FIFO || this == RR;
    }
}
