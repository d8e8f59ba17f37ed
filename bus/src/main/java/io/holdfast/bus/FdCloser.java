package io.holdfast.bus;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Closes descriptors that clients have sent. To close some kinds of files can take as long as
 * somebody else likes: one on a file system that a client serves itself (FUSE), or a TCP socket
 * that lingers, or that lies unread in a socket. Those are closed on threads of their own, so that
 * no client stops the bus.
 */
final class FdCloser implements AutoCloseable {
    private static final int THREADS = 8;
    private static final int WAITING = 16_384;
    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor slow =
            new ThreadPoolExecutor(
                    THREADS,
                    THREADS,
                    IDLE_SECONDS,
                    TimeUnit.SECONDS,
                    new ArrayBlockingQueue<>(WAITING),
                    Thread.ofPlatform().name("holdfast-bus-close").daemon().factory(),
                    (task, pool) -> task.run()); // full: better slow than out of descriptors

    FdCloser() {
        slow.allowCoreThreadTimeOut(true);
    }

    void close(List<Fd> fds) {
        fds.forEach(this::close);
    }

    void close(Fd fd) {
        if (mayBlock(fd)) {
            slow.execute(fd::close);
        } else {
            fd.close();
        }
    }

    private static boolean mayBlock(Fd fd) {
        try {
            SysStat.Stat stat = SysStat.cachedStat(fd); // to ask would wait, too
            return !stat.isPipe() && !stat.isAnonymous();
        } catch (ErrnoException e) {
            return true;
        }
    }

    /** Those that wait are still closed. */
    @Override
    public void close() {
        slow.shutdown();
    }
}
