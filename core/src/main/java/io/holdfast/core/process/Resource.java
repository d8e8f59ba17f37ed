package io.holdfast.core.process;

/** What {@code getrlimit(2)} limits. */
public enum Resource {
    CPU(0),
    FSIZE(1),
    DATA(2),
    STACK(3),
    CORE(4),
    RSS(5),
    NPROC(6),
    NOFILE(7),
    MEMLOCK(8),
    AS(9),
    LOCKS(10),
    SIGPENDING(11),
    MSGQUEUE(12),
    NICE(13),
    RTPRIO(14),
    RTTIME(15);

    /** No limit. */
    public static final long INFINITY = -1;

    private final int number; // asm-generic/resource.h

    Resource(int number) {
        this.number = number;
    }

    /** Its number (asm-generic/resource.h). */
    public int number() {
        return number;
    }
}
