package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct ucred} of {@code unix(7)}.
 *
 * @param pid a number that may belong to somebody else by now: for people, and for nothing else
 */
public record Ucred(int pid, long uid, long gid) {
    static final int SIZE = 12;

    static Ucred read(MemorySegment memory, long at) {
        return new Ucred(
                memory.get(JAVA_INT, at),
                Integer.toUnsignedLong(memory.get(JAVA_INT, at + 4)),
                Integer.toUnsignedLong(memory.get(JAVA_INT, at + 8)));
    }

    void write(MemorySegment memory, long at) {
        memory.set(JAVA_INT, at, pid);
        memory.set(JAVA_INT, at + 4, (int) uid);
        memory.set(JAVA_INT, at + 8, (int) gid);
    }
}
