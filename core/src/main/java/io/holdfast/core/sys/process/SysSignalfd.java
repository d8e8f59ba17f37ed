package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.Unistd;

/**
 * {@code sys/signalfd.h}: a descriptor that is readable while a signal is pending for this process.
 * A signal stays pending only if all threads block it, those of the JVM too, so only the program
 * that starts this process can block it. The JVM starts a thread for each signal that it handles
 * itself; this needs none.
 */
public final class SysSignalfd implements AutoCloseable {
    private static final int NEW = -1;
    private static final int INFO_BYTES = 128; // of one struct signalfd_siginfo

    private static final Libc.Function SIGNALFD = Libc.bind("signalfd");

    private final Fd fd;

    /**
     * Opens a descriptor for a signal that {@link SignalDispositions#isBlocked is blocked}.
     *
     * @throws ErrnoException EMFILE
     */
    public SysSignalfd(Signal signal) {
        Scratch scratch = Scratch.take();
        try {
            scratch.bytes.putLong(0, SignalDispositions.set(signal));
            int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
            int number =
                    Libc.intCall(SIGNALFD, scratch.errno, NEW, scratch.address, flags, 0, 0, 0);
            fd = Fd.adopt(number, "signalfd", signal.toString());
        } finally {
            scratch.release();
        }
    }

    public Fd fd() {
        return fd;
    }

    /** Takes what is pending: the signal of the process, and at most one of this thread. */
    public void drain() {
        byte[] infos = new byte[2 * INFO_BYTES];
        int ignored = Unistd.read(fd, infos, 0, infos.length);
    }

    @Override
    public void close() {
        fd.close();
    }
}
