package io.holdfast.core.process;

/** The resources that {@code setrlimit(2)} limits. */
public enum Resource {
    /** Seconds of CPU time. */
    CPU(0),
    /** Size in bytes of a file that the process writes. */
    FSIZE(1),
    /** Bytes of the data segment. */
    DATA(2),
    /** Bytes of the stack. */
    STACK(3),
    /** Bytes of a core dump. */
    CORE(4),
    /** Bytes of resident memory; Linux ignores it. */
    RSS(5),
    /** Processes and threads of the user. */
    NPROC(6),
    /** Descriptors: one more than the highest number. */
    NOFILE(7),
    /** Bytes that are locked in memory. */
    MEMLOCK(8),
    /** Bytes of address space. */
    AS(9),
    /** File locks; Linux ignores it. */
    LOCKS(10),
    /** Queued signals of the user. */
    SIGPENDING(11),
    /** Bytes in message queues of the user. */
    MSGQUEUE(12),
    /** 20 minus the lowest nice value. */
    NICE(13),
    /** The highest real-time priority. */
    RTPRIO(14),
    /** Microseconds of real-time scheduling without a blocking call. */
    RTTIME(15);

    /** No limit. */
    public static final long INFINITY = -1;

    private final int number; // asm-generic/resource.h

    Resource(int number) {
        this.number = number;
    }

    /** {@return its number (asm-generic/resource.h)} */
    public int number() {
        return number;
    }
}
