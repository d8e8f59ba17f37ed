package io.holdfast.core.wait;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Unistd;

/** {@code sys/eventfd.h}: a counter that wakes a waiter. */
public final class SysEventfd implements AutoCloseable {
    private static final Libc.Function EVENTFD = Libc.bind("eventfd");

    private final Fd fd;
    private final int number;

    public SysEventfd() {
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        number = ErrnoException.check(Libc.intCall(EVENTFD, 0, flags, 0, 0, 0, 0), "eventfd", "");
        fd = Fd.adopt(number);
    }

    public Fd fd() {
        return fd;
    }

    /** Returns the number without a pin: only its owner, which also closes it, may use it. */
    int number() {
        return number;
    }

    public void signal() {
        byte[] one = new byte[Long.BYTES];
        one[0] = 1; // both processors are little-endian
        int ignored = Unistd.write(fd, one, 0, one.length); // EAGAIN: already signalled
    }

    public void drain() {
        int ignored = Unistd.read(fd, new byte[Long.BYTES], 0, Long.BYTES);
    }

    @Override
    public void close() {
        fd.close();
    }
}
