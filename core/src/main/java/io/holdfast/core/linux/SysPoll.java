package io.holdfast.core.linux;

import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;

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
            ByteBuffer poll = scratch.bytes;
            poll.putInt(FD, number);
            poll.putShort(EVENTS, (short) events);
            poll.putShort(REVENTS, (short) 0);
            int r;
            do {
                r = Libc.intCall(POLL, scratch.errno, scratch.address, 1, 0, 0, 0, 0);
            } while (r == -Errno.EINTR);
            return r < 0 ? r : poll.getShort(REVENTS) & 0xFFFF;
        } finally {
            fd.release();
            scratch.give();
        }
    }
}
