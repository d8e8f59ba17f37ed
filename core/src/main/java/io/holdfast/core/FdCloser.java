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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Closes descriptors whose {@code close(2)} may block, on threads of its own.
 *
 * <p>Another user can make the last {@code close(2)} of a file take arbitrarily long: if the file
 * is on a file system that the user serves (FUSE), a TCP socket that lingers (SO_LINGER), or a
 * socket whose unread messages or unaccepted connections hold such descriptors. The thread that
 * closes the file hangs in the kernel: an event loop with all its clients, a virtual thread
 * together with its carrier. So descriptors of these kinds are closed on other threads, and those
 * of one owner one after the other: an owner delays only its own descriptors.
 *
 * <p>An {@link Fd} that another process sent, and a socket to which other processes send or
 * connect, come to the closer of the process automatically ({@link #automatic}) when they are
 * closed. Their owner is the user at the other end of the connection (SO_PEERCRED); for a socket
 * whose other end may be anybody's, the socket itself. This closer has no share and can refuse
 * nothing, so a user can make it keep any number of descriptors open.
 *
 * <p>A server for several users therefore makes a closer with a {@link FairShare}, from which it
 * also charges the descriptors that it receives, and sets it for each connection. The descriptors
 * that arrive there are closed by it, too. One that waits stays charged to its owner, so the server
 * notices when it must refuse more:
 *
 * <pre>{@code
 * FdCloser<Long> closer = new FdCloser<>("close", share);
 * ...
 * connection.fd().closeWith(closer.of(uid));
 * }</pre>
 *
 * <p>Safe for use by any thread.
 *
 * @param <K> the owner of descriptors, such as a user
 */
public final class FdCloser<K> implements AutoCloseable {
    /** How many descriptors of one owner may wait; the caller enforces it ({@link #isFull}). */
    public static final int MAX_WAITING = 4_096;

    /** Owners whose descriptors are closed at the same time; further owners wait. */
    private static final int MAX_THREADS = 64;

    private static final long IDLE_SECONDS = 10;

    /** The closer for {@link #automatic}; loaded when the first close may block. */
    private static final class Automatic {
        static final FdCloser<Object> CLOSER = new FdCloser<>("holdfast-close");
    }

    // guarded by this
    private final Map<K, ArrayDeque<Fd>> waiting = new HashMap<>(); // each queue has a task

    private final ThreadPoolExecutor slow;
    private final @Nullable FairShare<K> share;

    /**
     * Makes a closer with daemon threads, which are started when they are needed.
     *
     * @param name the name of its threads
     */
    public FdCloser(String name) {
        this(name, null);
    }

    /**
     * Makes a closer with daemon threads, which are started when they are needed.
     *
     * @param name the name of its threads
     * @param share the share of descriptors; each one that waits is charged to its owner, even
     *     beyond the owner's share
     */
    public FdCloser(String name, @Nullable FairShare<K> share) {
        this.share = share;
        slow =
                new ThreadPoolExecutor(
                        MAX_THREADS,
                        MAX_THREADS,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(), // at most one task per owner
                        Thread.ofPlatform().name(name).daemon().factory(),
                        (task, _) -> { // after close(): no thread waits for this one
                            var _ = Thread.ofPlatform().name(name).daemon().start(task);
                        });
        slow.allowCoreThreadTimeOut(true);
    }

    /**
     * Returns what closes the descriptors of an owner with the closer of the process, which has no
     * share: they are charged to nobody.
     *
     * @param owner the owner of the descriptors, with {@code equals}
     * @return the closer of the owner's descriptors, for {@link Fd#closeWith}
     */
    public static Consumer<Fd> automatic(Object owner) {
        return fd -> {
            if (mayBlock(fd)) {
                Automatic.CLOSER.closeLater(owner, fd);
            } else {
                fd.closeHere();
            }
        };
    }

    /**
     * Returns what closes the descriptors of an owner with this closer.
     *
     * @param owner the owner of the descriptors, with {@code equals}
     * @return the closer of the owner's descriptors, for {@link Fd#closeWith}
     */
    public Consumer<Fd> of(K owner) {
        return fd -> close(owner, fd);
    }

    /**
     * Closes descriptors of one owner. Never waits for a slow close.
     *
     * @param owner the owner of the descriptors
     * @param fds the descriptors; this closer takes them over
     */
    public void close(K owner, List<Fd> fds) {
        fds.forEach(fd -> close(owner, fd));
    }

    /**
     * Closes a descriptor: on the calling thread if that cannot take long, otherwise later.
     *
     * @param owner the owner of the descriptor
     * @param fd the descriptor; this closer takes it over
     */
    public void close(K owner, Fd fd) {
        if (!fd.isOpen()) {
            fd.close(); // moved or closed before: does nothing
        } else if (!mayBlock(fd)) {
            fd.closeHere();
        } else {
            closeLater(owner, fd);
        }
    }

    private void closeLater(K owner, Fd fd) {
        if (share != null) {
            share.take(owner, 1);
        }
        if (enqueue(owner, fd)) {
            slow.execute(() -> closeAll(owner));
        }
    }

    /**
     * {@return whether {@link #MAX_WAITING} descriptors of an owner wait}
     *
     * @param owner the owner of the descriptors
     */
    public synchronized boolean isFull(K owner) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        return queue != null && queue.size() >= MAX_WAITING;
    }

    private synchronized boolean enqueue(K owner, Fd fd) {
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

    private static boolean mayBlock(Fd fd) {
        SysStat.Stat stat;
        try {
            stat = SysStat.cachedStat(fd); // cached, since the file system could block, too
        } catch (ErrnoException e) {
            return true;
        }
        return stat.isSocket()
                ? SysSocket.option(fd, SysSocket.SO_DOMAIN) != SysSocket.AF_UNIX || mayHold(fd)
                : !stat.isPipe() && !stat.isAnonymous();
    }

    /**
     * Returns whether a socket may hold unread messages or unaccepted connections. One that is only
     * at the end of its stream cannot be told apart: the kernel reports the end, too, while a byte
     * out of band (MSG_OOB) that was read keeps its descriptors in the socket.
     */
    private static boolean mayHold(Fd socket) {
        return (SysPoll.now(socket, Readiness.IN) & Readiness.IN) != 0;
    }

    /** Ends the threads once all descriptors that wait are closed. Does not wait for that. */
    @Override
    public void close() {
        slow.shutdown();
    }
}
