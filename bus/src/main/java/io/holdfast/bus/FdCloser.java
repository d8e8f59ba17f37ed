package io.holdfast.bus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes descriptors that clients have sent, and sockets with something unread. To close some kinds
 * of files can take as long as somebody else likes: one on a file system that a client serves
 * itself (FUSE), or a TCP socket that lingers, or that lies unread in a socket. Those are closed on
 * other threads, those of one user one after the other: it can only hold up its own.
 */
final class FdCloser implements AutoCloseable {
    /** What may wait of one user; its clients are put off that send more. */
    static final int MAX_WAITING = 4_096;

    /** Users whose descriptors are closed at once; those of more wait. */
    private static final int MAX_THREADS = 64;

    private static final long IDLE_SECONDS = 10;

    @GuardedBy("this")
    private final Map<Long, ArrayDeque<Fd>> waiting = new HashMap<>(); // each has a task

    private final ThreadPoolExecutor slow =
            new ThreadPoolExecutor(
                    MAX_THREADS,
                    MAX_THREADS,
                    IDLE_SECONDS,
                    TimeUnit.SECONDS,
                    new LinkedBlockingQueue<>(), // one for each user at most
                    Thread.ofPlatform().name("holdfast-bus-close").daemon().factory(),
                    (task, pool) -> task.run()); // the bus has ended

    FdCloser() {
        slow.allowCoreThreadTimeOut(true);
    }

    void close(long user, List<Fd> fds) {
        fds.forEach(fd -> close(user, fd));
    }

    /**
     * @param user on whose account
     */
    void close(long user, Fd fd) {
        if (!mayBlock(fd)) {
            fd.close();
        } else if (isFirst(user, fd)) {
            slow.execute(() -> closeAll(user));
        }
    }

    /** Whether too much of a user's waits. */
    synchronized boolean isFull(long user) {
        ArrayDeque<Fd> queue = waiting.get(user);
        return queue != null && queue.size() >= MAX_WAITING;
    }

    private synchronized boolean isFirst(long user, Fd fd) {
        ArrayDeque<Fd> queue = waiting.get(user);
        boolean first = queue == null;
        if (queue == null) {
            queue = new ArrayDeque<>();
            waiting.put(user, queue);
        }
        queue.addLast(fd);
        return first;
    }

    private void closeAll(long user) {
        for (Fd fd = next(user); fd != null; fd = next(user)) {
            fd.close();
        }
    }

    private synchronized @Nullable Fd next(long user) {
        ArrayDeque<Fd> queue = waiting.get(user);
        Fd fd = queue == null ? null : queue.pollFirst();
        if (fd == null) {
            waiting.remove(user);
        }
        return fd;
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
