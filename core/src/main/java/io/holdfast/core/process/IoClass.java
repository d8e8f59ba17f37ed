package io.holdfast.core.process;

/**
 * The I/O scheduling classes: how the kernel orders what processes read from and write to disks.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/ioprio_set.2.html">ioprio_set(2)</a>
 */
public enum IoClass {
    /** No class of its own: derived from the nice value. */
    NONE(0),
    /** Served first, before all other classes. */
    REALTIME(1),
    /** The default class. */
    BEST_EFFORT(2),
    /** Served only when no other process needs the disk. */
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
