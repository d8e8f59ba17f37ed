package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** {@code poll.h}: polls the readiness of one descriptor. To wait, use {@link Readiness}. */
public final class SysPoll {
    // struct pollfd
    private static final int FD = 0;
    private static final int EVENTS = 4;
    private static final int REVENTS = 6;
    private static final int POLLFD_SIZE = 8;

    private static final int POLLNVAL = 0x20;

    // struct timespec, behind two of them
    private static final int TIMESPEC = 2 * POLLFD_SIZE;
    private static final int TV_SEC = 0;
    private static final int TV_NSEC = 8;
    private static final long NANOS_A_SECOND = 1_000_000_000;

    private static final Libc.Function PPOLL = Libc.bind("ppoll");

    private SysPoll() {}

    /**
     * {@code poll(2)} without waiting.
     *
     * @param events bits of {@link Readiness}
     * @return the events that the descriptor is ready for, or -errno
     */
    public static int now(Fd fd, int events) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            ByteBuffer memory = scratch.bytes;
            put(memory, 0, number, events);
            time(memory, 0);
            int r;
            do {
                r = poll(scratch.address, scratch.errno, 1, true);
            } while (r == -Errno.EINTR);
            return r < 0 ? r : memory.getShort(REVENTS) & 0xFFFF;
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * {@code ppoll(2)}: waits until a descriptor is ready, the time is over, a signal arrives, or
     * the waker is readable. The caller pins both descriptors. For platform threads only.
     *
     * @param events bits of {@link Readiness}
     * @param waker the number of the eventfd that ends the wait
     * @param nanos the time limit in nanoseconds, {@link Long#MAX_VALUE} for none
     * @return the events that the descriptor is ready for, 0 if for none, or -errno
     */
    public static int await(int number, int events, int waker, long nanos) {
        Scratch scratch = Scratch.take();
        ByteBuffer memory = scratch.bytes;
        put(memory, 0, number, events);
        put(memory, POLLFD_SIZE, waker, Readiness.IN);
        boolean limited = nanos != Long.MAX_VALUE;
        if (limited) {
            time(memory, Math.max(0, nanos));
        }
        int r = poll(scratch.address, scratch.errno, 2, limited);
        int ready = memory.getShort(REVENTS) & 0xFFFF;
        scratch.release();
        if (r < 0) {
            return r == -Errno.EINTR ? 0 : r;
        }
        return (ready & POLLNVAL) != 0 ? Readiness.ERR : ready; // the next call fails with EBADF
    }

    private static void put(ByteBuffer memory, int at, int number, int events) {
        memory.putInt(at + FD, number);
        memory.putShort(at + EVENTS, (short) events);
        memory.putShort(at + REVENTS, (short) 0);
    }

    private static void time(ByteBuffer memory, long nanos) {
        memory.putLong(TIMESPEC + TV_SEC, nanos / NANOS_A_SECOND);
        memory.putLong(TIMESPEC + TV_NSEC, nanos % NANOS_A_SECOND);
    }

    private static int poll(long address, MemorySegment errno, int n, boolean limited) {
        long limit = limited ? address + TIMESPEC : 0;
        return Libc.intCall(PPOLL, errno, address, n, limit, 0, 0, 0);
    }
}
