package io.holdfast.core.process;

/**
 * How the kernel orders what processes read and write on disks.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/ioprio_set.2.html">ioprio_set(2)</a>
 */
public enum IoClass {
    /** None of its own: it follows the nice value. */
    NONE(0),
    /** First, whatever others wait for. */
    REALTIME(1),
    /** The usual one. */
    BEST_EFFORT(2),
    /** When nobody else wants the disk. */
    IDLE(3);

    private final int number;

    IoClass(int number) {
        this.number = number;
    }

    /** {@return the number of {@code linux/ioprio.h}} */
    public int number() {
        return number;
    }
}
