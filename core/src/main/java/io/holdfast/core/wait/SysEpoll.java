package io.holdfast.core.wait;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Machine;
import io.holdfast.core.sys.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code sys/epoll.h}: one epoll instance. */
public final class SysEpoll implements AutoCloseable {
    public static final int CTL_ADD = 1;
    public static final int CTL_DEL = 2;
    public static final int CTL_MOD = 3;
    static final int EPOLLONESHOT = 1 << 30;

    // struct epoll_event: packed on x86_64
    private static final int EVENT_SIZE = Machine.ARM ? 16 : 12;
    private static final int EVENTS = 0;
    private static final int DATA = Machine.ARM ? 8 : 4;

    private static final int BATCH = 256;

    private static final Libc.Function EPOLL_CREATE1 = Libc.bind("epoll_create1");
    private static final Libc.Function EPOLL_CTL = Libc.bind("epoll_ctl");
    private static final Libc.Function EPOLL_WAIT = Libc.bind("epoll_wait");

    private final Fd epoll;

    public SysEpoll() {
        epoll =
                Fd.adopt(
                        Libc.intCall(EPOLL_CREATE1, Fcntl.O_CLOEXEC, 0, 0, 0, 0, 0),
                        "epoll_create1",
                        "");
    }

    /** Memory for the events that one wait returns. For one thread at a time. */
    public static final class Events {
        private final ByteBuffer memory; // not a segment, for the reason at Scratch.bytes
        private final long address;
        private final MemorySegment errno;

        public Events() {
            Arena arena = Arena.ofAuto();
            MemorySegment segment = arena.allocate((long) BATCH * EVENT_SIZE, 8);
            memory = segment.asByteBuffer().order(ByteOrder.nativeOrder());
            address = segment.address();
            errno = arena.allocate(Libc.ERRNO_LAYOUT);
        }

        /** The ready events: bits of {@code EPOLLIN} and others. */
        public int events(int index) {
            return memory.getInt(index * EVENT_SIZE + EVENTS);
        }

        /** The data with which the descriptor was registered. */
        public long data(int index) {
            return memory.getLong(index * EVENT_SIZE + DATA);
        }
    }

    /** {@code epoll_ctl(2)}: 0, or -errno. May be called by any thread. */
    public int control(int operation, int number, int interest, long data) {
        Scratch scratch = Scratch.take();
        int self = epoll.acquire();
        try {
            scratch.bytes.putInt(EVENTS, interest);
            scratch.bytes.putLong(DATA, data);
            return Libc.intCall(
                    EPOLL_CTL, scratch.errno, self, operation, number, scratch.address, 0, 0);
        } finally {
            epoll.release();
            scratch.release();
        }
    }

    /**
     * {@code epoll_wait(2)}: the number of events, 0 after the time-out or a signal.
     *
     * @param milliseconds -1 for no limit
     */
    public int await(Events into, int milliseconds) {
        int self = epoll.acquire();
        try {
            int n =
                    Libc.intCall(
                            EPOLL_WAIT, into.errno, self, into.address, BATCH, milliseconds, 0, 0);
            return n == -Errno.EINTR ? 0 : ErrnoException.check(n, "epoll_wait", epoll);
        } finally {
            epoll.release();
        }
    }

    @Override
    public void close() {
        epoll.close();
    }
}
