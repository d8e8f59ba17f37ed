package io.holdfast.core.wait;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.sys.Faults;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.socket.SysSocket;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** The closer for {@link #automatic}; loaded when the first close may block. */
    private static final class Automatic {
        static final FdCloser<Object> CLOSER = new FdCloser<>("holdfast-close");
    }

    private final String name;
    private final @Nullable FairShare<K> share;

    // all guarded by this; in comments, since users of public classes lack the annotation
    private final Map<K, ArrayDeque<Fd>> waiting = new HashMap<>();

    /** The owners in {@link #waiting} whose descriptors no thread is closing. */
    private final ArrayDeque<K> ready = new ArrayDeque<>();

    private int threads;

    private int idle; // the threads that will take the next owner

    private boolean retrying; // a virtual thread tries to start a thread

    private boolean closed;

    /** Makes a closer with daemon threads, which are started when they are needed. */
    public FdCloser(String name) {
        this(name, null);
    }

    /**
     * Makes a closer with daemon threads, which are started when they are needed.
     *
     * @param share the share of descriptors; each one that waits is charged to its owner, even
     *     beyond the owner's share
     */
    public FdCloser(String name, @Nullable FairShare<K> share) {
        this.name = name;
        this.share = share;
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
                closeHere(fd);
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
     * @param fds the descriptors; this closer takes them over
     */
    public void close(K owner, List<Fd> fds) {
        fds.forEach(fd -> close(owner, fd));
    }

    /**
     * Closes a descriptor: on the calling thread if that cannot take long, otherwise later.
     *
     * @param fd the descriptor; this closer takes it over
     */
    public void close(K owner, Fd fd) {
        if (!fd.isOpen()) {
            fd.close(); // moved or closed before: does nothing
        } else if (!mayBlock(fd)) {
            closeHere(fd);
        } else {
            closeLater(owner, fd);
        }
    }

    private void closeLater(K owner, Fd fd) {
        if (share != null) {
            share.take(owner, 1);
        }
        enqueue(owner, fd);
        if (!startThreads()) {
            retryLater();
        }
    }

    /** {@return whether {@link #MAX_WAITING} descriptors of an owner wait} */
    public synchronized boolean isFull(K owner) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        return queue != null && queue.size() >= MAX_WAITING;
    }

    private synchronized void enqueue(K owner, Fd fd) {
        ArrayDeque<Fd> queue = waiting.get(owner);
        if (queue == null) {
            queue = new ArrayDeque<>();
            waiting.put(owner, queue);
            ready.add(owner);
            notify();
        }
        queue.addLast(fd);
    }

    /** Starts a thread for each owner that no idle one takes; returns false if that fails. */
    private boolean startThreads() {
        while (isThreadNeeded()) {
            try {
                Thread _ = Thread.ofPlatform().name(name).daemon().start(this::run);
            } catch (OutOfMemoryError e) { // the limit of threads of the user or the cgroup
                endThread();
                return false;
            }
        }
        return true;
    }

    /** Returns whether a thread is to be started, and counts it. */
    private synchronized boolean isThreadNeeded() {
        if (ready.size() <= idle || threads == MAX_THREADS) {
            return false;
        }
        threads++;
        idle++;
        return true;
    }

    private synchronized void endThread() {
        threads--;
        idle--;
    }

    /**
     * Tries again to start a thread until that succeeds. The descriptors wait meanwhile, as behind
     * a slow close: on the caller's thread, a close could take for ever.
     */
    private void retryLater() {
        synchronized (this) {
            if (retrying) {
                return;
            }
            retrying = true;
        }
        try {
            Thread _ = Thread.ofVirtual().name(name + "-retry").start(this::retry);
        } catch (OutOfMemoryError e) { // not even a carrier thread: the next close tries again
            endRetry();
        }
    }

    /**
     * Pauses in the kernel, on a carrier thread: a timed wait of a virtual thread may need a thread
     * of the JDK that cannot be started either, and then never ends.
     */
    @SuppressWarnings("ThreadPriorityCheck") // the pause blocks a carrier that others wait for
    private void retry() {
        try {
            do {
                int ignored = SysPoll.await(-1, 0, -1, RETRY_NANOS); // no descriptor: a pause
                Thread.yield();
            } while (!startThreads());
        } finally {
            endRetry();
        }
    }

    private synchronized void endRetry() {
        retrying = false;
    }

    private void run() {
        for (K owner = nextOwner(); owner != null; owner = nextOwner()) {
            closeAll(owner);
            becomeIdle();
        }
    }

    private synchronized void becomeIdle() {
        idle++;
    }

    /** Waits for an owner; returns null if this idle thread ends. */
    private synchronized @Nullable K nextOwner() {
        long start = System.nanoTime();
        long left = IDLE_NANOS;
        while (ready.isEmpty() && left > 0 && !closed) {
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                // no code interrupts this thread
            }
            left = IDLE_NANOS - (System.nanoTime() - start);
        }
        idle--;
        if (ready.isEmpty()) {
            threads--;
        }
        return ready.poll();
    }

    private void closeAll(K owner) {
        for (Fd fd = next(owner); fd != null; fd = next(owner)) {
            try {
                closeHere(fd);
            } catch (RuntimeException | Error e) { // must not stop the others
                Faults.log("a descriptor could not be closed", e);
            }
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

    /** Closes on this thread, which waits for {@code close(2)}. */
    private static void closeHere(Fd fd) {
        fd.closeWith(null);
        fd.close();
    }

    private static boolean mayBlock(Fd fd) {
        FileStatus stat;
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
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
