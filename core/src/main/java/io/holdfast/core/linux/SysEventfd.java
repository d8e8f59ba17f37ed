package io.holdfast.core.linux;

/** {@code sys/eventfd.h}: a counter that wakes a waiter. */
final class SysEventfd implements AutoCloseable {
    private static final Libc.Function EVENTFD = Libc.bind("eventfd");

    private final Fd fd;
    private final int number;

    SysEventfd() {
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        number = ErrnoException.check(Libc.intCall(EVENTFD, 0, flags, 0, 0, 0, 0), "eventfd", "");
        fd = Fd.adopt(number);
    }

    Fd fd() {
        return fd;
    }

    /** Its number, for a call of the only one who closes it. */
    int number() {
        return number;
    }

    void signal() {
        byte[] one = new byte[Long.BYTES];
        one[0] = 1; // both processors are little-endian
        int ignored = Unistd.write(fd, one, 0, one.length); // EAGAIN: it is signalled already
    }

    void drain() {
        int ignored = Unistd.read(fd, new byte[Long.BYTES], 0, Long.BYTES);
    }

    @Override
    public void close() {
        fd.close();
    }
}
