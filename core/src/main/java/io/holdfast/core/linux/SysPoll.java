package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * {@code poll.h}: what a descriptor is ready for at this moment. To wait, see {@link Readiness}.
 */
public final class SysPoll {
    // struct pollfd
    private static final int FD = 0;
    private static final int EVENTS = 4;
    private static final int REVENTS = 6;

    private static final MethodHandle POLL = Libc.bind("poll");

    private SysPoll() {}

    /**
     * {@code poll(2)} without waiting.
     *
     * @param events bits of {@link Readiness}
     * @return those that hold, or -errno
     */
    public static int now(Fd fd, int events) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            MemorySegment poll = scratch.memory;
            poll.set(JAVA_INT, FD, number);
            poll.set(JAVA_SHORT, EVENTS, (short) events);
            poll.set(JAVA_SHORT, REVENTS, (short) 0);
            int r;
            do {
                r = Libc.intCall(POLL, scratch.errno, scratch.address, 1, 0, 0, 0, 0);
            } while (r == -Errno.EINTR);
            return r < 0 ? r : poll.get(JAVA_SHORT, REVENTS) & 0xFFFF;
        } finally {
            fd.release();
            scratch.give();
        }
    }
}
