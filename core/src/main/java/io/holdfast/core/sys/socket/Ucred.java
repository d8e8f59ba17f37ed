package io.holdfast.core.sys.socket;

import java.nio.ByteBuffer;

/**
 * {@code struct ucred} of {@code unix(7)}.
 *
 * @param pid a number that may belong to somebody else by now: for people, and for nothing else
 */
public record Ucred(int pid, long uid, long gid) {
    static final int SIZE = 12;

    static Ucred read(ByteBuffer memory, int at) {
        return new Ucred(
                memory.getInt(at),
                Integer.toUnsignedLong(memory.getInt(at + 4)),
                Integer.toUnsignedLong(memory.getInt(at + 8)));
    }

    void write(ByteBuffer memory, int at) {
        memory.putInt(at, pid);
        memory.putInt(at + 4, (int) uid);
        memory.putInt(at + 8, (int) gid);
    }
}
