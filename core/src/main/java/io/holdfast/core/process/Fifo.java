package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.time.Duration;

/**
 * Opens a FIFO as {@code open(2)} does: returns once its other end is open. The wait can be
 * interrupted and pins no carrier thread. No event reports that a process has opened a FIFO, so the
 * wait looks every few milliseconds.
 */
final class Fifo {
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final int ACCESS_MODE = 3; // O_ACCMODE

    private Fifo() {}

    /** Returns whether {@code open(2)} of this path with these flags waits for another process. */
    static boolean isWaitedFor(String path, int flags) {
        return (flags & ACCESS_MODE) != Fcntl.O_RDWR
                && (flags & Fcntl.O_NONBLOCK) == 0
                && SysStat.type(path) == SysStat.S_IFIFO;
    }

    /**
     * Opens a FIFO, blocking, for reading or for writing.
     *
     * @throws ErrnoException with the error of {@code open(2)}; EINTR if the thread is or gets
     *     interrupted, and keeps its interrupt status
     */
    static Fd open(String path, int flags, int mode) {
        try {
            boolean reads = (flags & ACCESS_MODE) == Fcntl.O_RDONLY;
            Fd fd = reads ? openForReading(path, flags) : openForWriting(path, flags, mode);
            try {
                Fcntl.setBlocking(fd, true);
                return fd;
            } catch (RuntimeException e) {
                fd.close();
                throw e;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(
                    "open", path, Errno.EINTR, "no process has the other end of this FIFO open");
        }
    }

    private static Fd openForReading(String path, int flags) throws InterruptedException {
        Fd fd = Fcntl.open(path, flags | Fcntl.O_NONBLOCK);
        try {
            awaitWriter(fd);
            return fd;
        } catch (RuntimeException | InterruptedException e) {
            fd.close();
            throw e;
        }
    }

    /** Waits until a process has opened the FIFO for writing, even if it has closed it since. */
    private static void awaitWriter(Fd fd) throws InterruptedException {
        Fd[] ends = Unistd.pipe2(0);
        try (Fd _ = ends[0];
                Fd copy = ends[1]) {
            int left = Readiness.NONE; // by an earlier writer: data, or only a hang-up
            while (left == Readiness.NONE && Fcntl.teeByte(fd, copy) == 0) { // no writer now
                left = Readiness.await(fd, Readiness.IN, PAUSE);
            }
        }
    }

    private static Fd openForWriting(String path, int flags, int mode) throws InterruptedException {
        for (; ; ) {
            int number = Fcntl.openat(null, path, flags | Fcntl.O_NONBLOCK, mode);
            if (number != -Errno.ENXIO || SysStat.type(path) != SysStat.S_IFIFO) {
                return Fd.adopt(number, "openat", path);
            }
            Thread.sleep(PAUSE); // it has no reader yet
        }
    }
}
