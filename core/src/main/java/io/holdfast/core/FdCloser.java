package io.holdfast.core;

import io.holdfast.core.limit.FairShare;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.socket.SysSocket;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes descriptors of others on threads of its own.
 *
 * <p>The last {@code close(2)} of a file can take as long as somebody else likes: of a file on a
 * file system that a user serves (FUSE), of a TCP socket that lingers (SO_LINGER), and of a socket
 * with unread messages, or connections that nobody accepted, that hold such descriptors. A thread
 * that closes one hangs in the kernel: an event loop with all that it serves, a virtual thread
 * together with its carrier. So descriptors of these kinds are closed on other threads, those of
 * one owner one after the other: an owner delays only the descriptors of its own.
 *
 * <p>A descriptor that waits here still counts: it is charged to its owner's share, if the closer
 * was given one.
 *
 * <p>An {@link Fd} that another process sent, and a socket to which others send or connect, come
 * here automatically when they are closed. Their owner is then the file itself, or its file system.
 * A daemon that knows the users behind them uses a closer of its own. Safe for use by any thread.
 *
 * @param <K> the owner of descriptors, such as a user
 */
public final class FdCloser<K> implements AutoCloseable {
    /** Descriptors of one owner that may wait; a caller refuses further ones ({@link #isFull}). */
    public static final int MAX_WAITING = 4_096;

    /** Owners whose descriptors are closed at once; those of more wait. */
    private static final int MAX_THREADS = 64;

    private static final long IDLE_SECONDS = 10;
    private static final int AF_UNIX = 1;

    /** For what others sent, and for sockets into which they put something. */
    private static final class Received {
        static final FdCloser<Source> CLOSER = new FdCloser<>("holdfast-close");
    }

    /**
     * What decides how long a close takes: a socket decides for itself, a file system or a device
     * for all of its files.
     */
    private record Source(long device, long special, long socket) {
        static Source of(SysStat.Stat stat) {
            return new Source(stat.device(), stat.special(), stat.isSocket() ? stat.inode() : 0);
        }
    }

    // guarded by this
    private final Map<K, ArrayDeque<Fd>> waiting = new HashMap<>(); // each has a task

    private final ThreadPoolExecutor slow;
    private final @Nullable FairShare<K> share;

    /**
     * Makes a closer, whose threads are daemons.
     *
     * @param name of its threads, which are made when they are needed
     */
    public FdCloser(String name) {
        this(name, null);
    }

    /**
     * Makes a closer, whose threads are daemons.
     *
     * @param name of its threads, which are made when they are needed
     * @param share of descriptors; what waits is charged to its owner, also beyond his share
     */
    public FdCloser(String name, @Nullable FairShare<K> share) {
        this.share = share;
        slow =
                new ThreadPoolExecutor(
                        MAX_THREADS,
                        MAX_THREADS,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(), // one for each owner at most
                        Thread.ofPlatform().name(name).daemon().factory(),
                        (task, _) -> { // its daemon has ended, and waits for nothing
                            var _ = Thread.ofPlatform().name(name).daemon().start(task);
                        });
        slow.allowCoreThreadTimeOut(true);
    }

    /**
     * Closes descriptors of one owner. Never waits for that.
     *
     * @param owner whose descriptors they are
     * @param fds the descriptors; owned from now on
     */
    public void close(K owner, List<Fd> fds) {
        fds.forEach(fd -> close(owner, fd));
    }

    /**
     * Closes a descriptor, on this thread if that cannot take long.
     *
     * @param owner whose descriptors they are
     * @param fd the descriptor; owned from now on
     */
    public void close(K owner, Fd fd) {
        if (!fd.isOpen()) {
            fd.close(); // moved, or closed before
        } else if (!mayBlock(fd, stat(fd))) {
            fd.closeHere();
        } else {
            closeLater(owner, fd);
        }
    }

    /** Closes what another process sent, or a socket into which others put something. */
    static void closeReceived(Fd fd) {
        SysStat.Stat stat = stat(fd);
        if (mayBlock(fd, stat)) {
            Received.CLOSER.closeLater(stat == null ? new Source(0, 0, 0) : Source.of(stat), fd);
        } else {
            fd.closeHere();
        }
    }

    private void closeLater(K owner, Fd fd) {
        if (share != null) {
            share.take(owner, 1);
        }
        if (isFirst(owner, fd)) {
            slow.execute(() -> closeAll(owner));
        }
    }

    /**
     * {@return whether too many descriptors of an owner wait}
     *
     * @param owner whose descriptors they are
     */
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
            fd.closeHere();
            if (share != null) {
                share.release(owner, 1);
            }
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

    /** Without asking a file system, which would wait, too; null if the kernel does not say. */
    private static SysStat.@Nullable Stat stat(Fd fd) {
        try {
            return SysStat.cachedStat(fd);
        } catch (ErrnoException e) {
            return null;
        }
    }

    private static boolean mayBlock(Fd fd, SysStat.@Nullable Stat stat) {
        if (stat == null) {
            return true;
        }
        return stat.isSocket()
                ? SysSocket.option(fd, SysSocket.SO_DOMAIN) != AF_UNIX || hasUnread(fd)
                : !stat.isPipe() && !stat.isAnonymous();
    }

    /** Whether messages lie unread in a socket, or connections that nobody accepted. */
    private static boolean hasUnread(Fd socket) {
        if ((SysPoll.now(socket, Readiness.IN) & Readiness.IN) == 0) {
            return false;
        }
        boolean isStream = SysSocket.option(socket, SysSocket.SO_TYPE) == SysSocket.SOCK_STREAM;
        int n = SysSocket.recv(socket, new byte[1], 0, 1, SysSocket.MSG_PEEK);
        return n != 0 || !isStream; // 0: the end of the stream
    }

    /** What waits is still closed. */
    @Override
    public void close() {
        slow.shutdown();
    }
}
