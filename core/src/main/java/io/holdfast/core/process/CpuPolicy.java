package io.holdfast.core.process;

/**
 * How the kernel gives a process the time of processors.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/sched.7.html">sched(7)</a>
 */
public enum CpuPolicy {
    /** The usual one: fair to all, weighted by the nice value. */
    OTHER(0),
    /** Real-time: it runs until it blocks, or one of a higher priority wants to. */
    FIFO(1),
    /** Real-time, in turns among those of the same priority. */
    RR(2),
    /** As {@link #OTHER}, for what computes and need not answer soon. */
    BATCH(3),
    /** When nothing else wants to run. */
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
