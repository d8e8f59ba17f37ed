package io.holdfast.core.sys.process;

import java.nio.ByteBuffer;

/** {@code struct rusage} of {@code sys/resource.h}, which is all words; indexes of its fields. */
public final class Rusage {
    /** Seconds; the microseconds follow. */
    public static final int UTIME = 0;

    /** Seconds; the microseconds follow. */
    public static final int STIME = 2;

    public static final int MAXRSS = 4;
    public static final int MINFLT = 8;
    public static final int MAJFLT = 9;
    public static final int INBLOCK = 11;
    public static final int OUBLOCK = 12;
    public static final int NVCSW = 16;
    public static final int NIVCSW = 17;

    static final int WORDS = 18;

    private final long[] words = new long[WORDS];

    Rusage(ByteBuffer memory, int at) {
        for (int i = 0; i < WORDS; i++) {
            words[i] = memory.getLong(at + Long.BYTES * i);
        }
    }

    /** A field. */
    public long get(int index) {
        return words[index];
    }
}
