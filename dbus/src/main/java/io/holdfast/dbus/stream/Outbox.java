package io.holdfast.dbus.stream;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What is to be sent, in order. A message goes into the socket on the thread that sends it while
 * there is room; what has none waits here, and a virtual thread sends it when the socket takes it.
 * So a message is never cut by an interrupt, and the reader, which must not wait, can send.
 */
public final class Outbox {
    private static final int KEPT_ON_HEAP = 8192; // what one call of send takes of an array

    private final UnixSocket socket;
    private final long limit;
    private final String threadName;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /**
     * A message, or what is left of it.
     *
     * @param charge closed when all of it is sent, or dropped
     * @param offered whether it counts in {@link #offered}
     */
    private record Part(
            ByteBuffer bytes, List<Fd> descriptors, @Nullable Charge<?> charge, boolean offered) {
        /** Its descriptors are under way. */
        void begun() {
            descriptors.forEach(Fd::close);
        }

        void close() {
            begun();
            if (charge != null) {
                charge.close();
            }
        }
    }

    @GuardedBy("lock")
    private final Deque<Part> parts = new ArrayDeque<>();

    @GuardedBy("lock")
    private long bytes;

    /** Of these, what was neither waited for nor charged to anybody: {@link #offer}. */
    @GuardedBy("lock")
    private long offered;

    @GuardedBy("lock")
    private boolean sending;

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param limit the bytes that wait before senders are made to wait
     */
    public Outbox(UnixSocket socket, long limit, String threadName) {
        this.socket = socket;
        this.limit = limit;
        this.threadName = threadName;
    }

    /**
     * Sends, waiting while more waits than may.
     *
     * @param message not changed afterwards
     * @param descriptors lent until this returns
     * @param charge closed when the message is sent, or never will be
     * @param hasRoom run when the message waits no more, before any of it is sent
     * @return false if nothing can be sent any more
     */
    public boolean send(
            byte[] message, List<Fd> descriptors, @Nullable Charge<?> charge, Runnable hasRoom)
            throws InterruptedException {
        boolean kept = false;
        try {
            lock.lockInterruptibly();
            try {
                while (bytes > limit && !closed) {
                    changed.await();
                }
                hasRoom.run();
                kept = true;
                return put(message, descriptors, charge, false);
            } finally {
                lock.unlock();
            }
        } finally {
            if (!kept && charge != null) {
                charge.close();
            }
        }
    }

    /** The same, waiting at most so long: false also when the time is over. */
    public boolean send(byte[] message, List<Fd> descriptors, Duration time)
            throws InterruptedException {
        long nanos = Readiness.nanos(time);
        lock.lockInterruptibly();
        try {
            while (bytes > limit && !closed) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = changed.awaitNanos(nanos);
            }
            return put(message, descriptors, null, false);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends without waiting: false if too much waits that was sent so, or nothing can be sent. What
     * senders wait for and what is charged to somebody does not count: one large message may be
     * more than the limit.
     *
     * @param descriptors lent until this returns
     * @param charge closed when the message is sent, or never will be
     */
    public boolean offer(byte[] message, List<Fd> descriptors, @Nullable Charge<?> charge) {
        lock.lock();
        try {
            return (charge != null || offered <= limit)
                    && put(message, descriptors, charge, charge == null);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean put(
            byte[] message, List<Fd> descriptors, @Nullable Charge<?> charge, boolean isOffer) {
        boolean waits = false;
        try {
            waits = sendOrKeep(message, descriptors, charge, isOffer);
            return !closed;
        } finally {
            if (!waits && charge != null) {
                charge.close();
            }
        }
    }

    /** Whether a part of the message waits now. */
    @GuardedBy("lock")
    private boolean sendOrKeep(
            byte[] message, List<Fd> descriptors, @Nullable Charge<?> charge, boolean isOffer) {
        if (closed) {
            return false;
        }
        ByteBuffer rest = buffer(message);
        if (parts.isEmpty()) {
            try {
                sendSome(rest, descriptors);
            } catch (ErrnoException | IllegalStateException e) {
                if (rest.position() == 0 && isOf(descriptors, e)) {
                    throw e; // nothing was sent, and the next message can be
                }
                close(); // the reader sees why
                return false;
            }
        }
        if (rest.hasRemaining()) {
            boolean begun = rest.position() > 0;
            List<Fd> kept = begun ? List.of() : Outgoing.duplicates(descriptors);
            parts.add(new Part(rest, kept, charge, isOffer));
            bytes += rest.remaining();
            offered += isOffer ? rest.remaining() : 0;
            if (!sending) {
                sending = true;
                var _ = Thread.ofVirtual().name(threadName).start(this::sendAll);
            }
            return true;
        }
        return false;
    }

    /**
     * Whether it is these descriptors that cannot be sent, and not the connection that is broken.
     */
    private static boolean isOf(List<Fd> descriptors, RuntimeException e) {
        if (e instanceof ErrnoException refused && !descriptors.isEmpty()) {
            return refused.errno() == Errno.EBADF || refused.errno() == Errno.ETOOMANYREFS;
        }
        return descriptors.stream().anyMatch(fd -> !fd.isOpen());
    }

    private static ByteBuffer buffer(byte[] message) {
        return message.length <= KEPT_ON_HEAP
                ? ByteBuffer.wrap(message)
                : ByteBuffer.allocateDirect(message.length).put(message).flip();
    }

    /** Sends what the socket takes now; the descriptors go with the first byte. */
    private void sendSome(ByteBuffer rest, List<Fd> descriptors) {
        if (!descriptors.isEmpty()
                && rest.position() == 0
                && socket.trySend(rest, descriptors) == UnixSocket.WOULD_BLOCK) {
            return;
        }
        while (rest.hasRemaining() && socket.trySend(rest) != UnixSocket.WOULD_BLOCK) {
            // the next part
        }
    }

    private void sendAll() {
        try {
            while (sendWaiting()) {
                int ignored = socket.await(Readiness.OUT);
            }
        } catch (InterruptedException | ErrnoException | IllegalStateException e) {
            close();
        }
    }

    /** Whether something still waits. */
    private boolean sendWaiting() {
        lock.lock();
        try {
            Part part = parts.peek();
            while (part != null) {
                int before = part.bytes.remaining();
                sendSome(part.bytes, part.descriptors);
                int sent = before - part.bytes.remaining();
                bytes -= sent;
                offered -= part.offered ? sent : 0;
                if (part.bytes.position() > 0) {
                    part.begun();
                }
                if (part.bytes.hasRemaining()) {
                    break;
                }
                parts.remove().close();
                part = parts.peek();
            }
            sending = part != null && !closed;
            changed.signalAll();
            return sending;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until everything is sent, nothing can be, or the time is over. */
    public void flush(Duration time) throws InterruptedException {
        long nanos = time.toNanos();
        lock.lockInterruptibly();
        try {
            while (!parts.isEmpty() && !closed && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    public boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Drops what waits; nothing more is sent. */
    public void close() {
        lock.lock();
        try {
            closed = true;
            @Nullable Part part;
            while ((part = parts.poll()) != null) {
                part.close();
            }
            bytes = 0;
            offered = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
