package io.holdfast.core.linux;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes descriptors that came from others, and sockets with something unread. To close some kinds
 * of files can take as long as somebody else likes: one on a file system that a user serves (FUSE),
 * a TCP socket that lingers, or what lies unread in a socket. Those are closed on other threads,
 * and those of one owner one after the other: an owner can only hold up what is its own. Safe for
 * use by any thread.
 *
 * @param <K> whom descriptors are of, such as a user
 */
public final class FdCloser<K> implements AutoCloseable {
    /** What may wait of one owner: who closes more for it is to put it off ({@link #isFull}). */
    public static final int MAX_WAITING = 4_096;

    /** Owners whose descriptors are closed at once; those of more wait. */
    private static final int MAX_THREADS = 64;

    private static final long IDLE_SECONDS = 10;

    @GuardedBy("this")
    private final Map<K, ArrayDeque<Fd>> waiting = new HashMap<>(); // each has a task

    private final ThreadPoolExecutor slow;

    /**
     * @param name of its threads, which are made when they are needed
     */
    public FdCloser(String name) {
        slow =
                new ThreadPoolExecutor(
                        MAX_THREADS,
                        MAX_THREADS,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(), // one for each owner at most
                        Thread.ofPlatform().name(name).daemon().factory(),
                        (task, pool) -> task.run()); // its daemon has ended
        slow.allowCoreThreadTimeOut(true);
    }

    /** Closes descriptors that are of one owner. Never waits for that. */
    public void close(K owner, List<Fd> fds) {
        fds.forEach(fd -> close(owner, fd));
    }

    /** Closes a descriptor, here if that cannot take long. */
    public void close(K owner, Fd fd) {
        if (!fd.isOpen()) {
            fd.close(); // moved, or closed before
        } else if (!mayBlock(fd)) {
            fd.close();
        } else if (isFirst(owner, fd)) {
            slow.execute(() -> closeAll(owner));
        }
    }

    /** Whether too much waits of an owner. */
    public synchronized boolean isFull(K owner) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        return queue != null && queue.size() >= MAX_WAITING;
    }

    private synchronized boolean isFirst(K owner, Fd fd) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        boolean first = queue == null;
        if (queue == null) {
            queue = new ArrayDeque<>();
            waiting.put(owner, queue);
        }
        queue.addLast(fd);
        return first;
    }

    private void closeAll(K owner) {
        for (Fd fd = next(owner); fd != null; fd = next(owner)) {
            fd.close();
        }
    }

    private synchronized @Nullable Fd next(K owner) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        Fd fd = queue == null ? null : queue.pollFirst();
        if (fd == null) {
            waiting.remove(owner);
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
