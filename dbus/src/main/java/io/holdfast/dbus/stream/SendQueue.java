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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The messages that wait to be sent on one connection, in order. A sending thread writes its
 * message to the socket while the socket has room; the rest waits here, and a virtual thread sends
 * it when the socket has room again. So an interrupt never cuts a message, and the reader thread,
 * which must not wait, can send.
 */
public final class SendQueue {
    private static final int KEPT_ON_HEAP = 8192; // the most that trySend takes of an array

    private final UnixSocket socket;
    private final long limit;
    private final String threadName;
    private final Consumer<Throwable> ended;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /**
     * A message, or the rest of one.
     *
     * @param charge closed when all of the message is sent, or dropped
     * @param offered whether it counts toward {@link #offered}
     * @param dropped called if the kernel refuses the descriptors
     */
    private record Part(
            ByteBuffer bytes,
            List<Fd> descriptors,
            @Nullable Charge<?> charge,
            boolean offered,
            Consumer<ErrnoException> dropped) {
        /** Closes the descriptors, which the kernel has taken with the first byte. */
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

    /**
     * The part of {@link #bytes} that neither waited for room nor is charged to a caller: {@link
     * #offer}.
     */
    @GuardedBy("lock")
    private long offered;

    @GuardedBy("lock")
    private boolean sending;

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param limit the bytes that may wait; while more wait, senders wait too
     * @param ended called by any thread, and must not wait, before the queue is closed since the
     *     kernel refuses to send, though the peer has not disconnected
     */
    public SendQueue(UnixSocket socket, long limit, String threadName, Consumer<Throwable> ended) {
        this.socket = socket;
        this.limit = limit;
        this.threadName = threadName;
        this.ended = ended;
    }

    /**
     * Sends a message; waits while more than the limit waits to be sent.
     *
     * @param message the message, which must not change afterwards
     * @param descriptors the descriptors, lent until this returns
     * @param charge closed when the message is sent, or never will be
     * @param hasRoom run when the message has room, before any of it is sent
     * @param dropped called if the kernel refuses the descriptors after the message waited
     * @return false if nothing can be sent any more
     */
    public boolean send(
            byte[] message,
            List<Fd> descriptors,
            @Nullable Charge<?> charge,
            Runnable hasRoom,
            Consumer<ErrnoException> dropped)
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
                return put(message, descriptors, charge, false, dropped);
            } finally {
                lock.unlock();
            }
        } finally {
            if (!kept && charge != null) {
                charge.close();
            }
        }
    }

    /**
     * Sends a message, waiting for a limited time; returns false also if the time passes.
     *
     * @param dropped called if the kernel refuses the descriptors after the message waited
     */
    public boolean send(
            byte[] message, List<Fd> descriptors, Duration time, Consumer<ErrnoException> dropped)
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
            return put(message, descriptors, null, false, dropped);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends a message without waiting. Returns false if the messages that were sent in this way
     * exceed the limit, or if nothing can be sent any more. Messages that waited for room and
     * messages that are charged to a caller do not count: one large message may exceed the limit
     * alone.
     *
     * @param descriptors the descriptors, lent until this returns
     * @param charge closed when the message is sent, or never will be
     * @param dropped called if the kernel refuses the descriptors after the message waited
     */
    public boolean offer(
            byte[] message,
            List<Fd> descriptors,
            @Nullable Charge<?> charge,
            Consumer<ErrnoException> dropped) {
        lock.lock();
        try {
            return (charge != null || offered <= limit)
                    && put(message, descriptors, charge, charge == null, dropped);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean put(
            byte[] message,
            List<Fd> descriptors,
            @Nullable Charge<?> charge,
            boolean isOffer,
            Consumer<ErrnoException> dropped) {
        boolean waits = false;
        try {
            waits = sendOrKeep(message, descriptors, charge, isOffer, dropped);
            return !closed;
        } finally {
            if (!waits && charge != null) {
                charge.close();
            }
        }
    }

    /** Sends what the socket takes, and queues the rest; returns whether a rest was queued. */
    @GuardedBy("lock")
    private boolean sendOrKeep(
            byte[] message,
            List<Fd> descriptors,
            @Nullable Charge<?> charge,
            boolean isOffer,
            Consumer<ErrnoException> dropped) {
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
                fail(e);
                return false;
            }
        }
        if (rest.hasRemaining()) {
            boolean begun = rest.position() > 0;
            List<Fd> kept = begun ? List.of() : Outgoing.duplicates(descriptors);
            parts.add(new Part(rest, kept, charge, isOffer, dropped));
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
     * Returns whether the failure is the fault of these descriptors, and not a broken connection.
     */
    private static boolean isOf(List<Fd> descriptors, RuntimeException e) {
        if (e instanceof ErrnoException refused && !descriptors.isEmpty()) {
            return refused.errno() == Errno.EBADF
                    || refused.errno() == Errno.ETOOMANYREFS
                    || refused.errno() == Errno.EPERM; // the peer accepts none (SO_PASSRIGHTS)
        }
        return descriptors.stream().anyMatch(fd -> !fd.isOpen());
    }

    private static ByteBuffer buffer(byte[] message) {
        return message.length <= KEPT_ON_HEAP
                ? ByteBuffer.wrap(message)
                : ByteBuffer.allocateDirect(message.length).put(message).flip();
    }

    /** Sends as much as the socket takes now; the descriptors go with the first byte. */
    private void sendSome(ByteBuffer rest, List<Fd> descriptors) {
        if (!descriptors.isEmpty()
                && rest.position() == 0
                && socket.trySend(rest, descriptors) == UnixSocket.WOULD_BLOCK) {
            return;
        }
        while (rest.hasRemaining() && socket.trySend(rest) != UnixSocket.WOULD_BLOCK) {
            // continue with the rest
        }
    }

    private void sendAll() {
        try {
            while (sendWaiting()) {
                int ignored = socket.await(Readiness.OUT);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            fail(e);
        }
    }

    /** Closes the queue after a failure to send. */
    private void fail(Throwable why) {
        boolean isDisconnected =
                why instanceof ErrnoException e
                        && (e.errno() == Errno.EPIPE || e.errno() == Errno.ECONNRESET);
        if (!isDisconnected) { // the reader thread sees what the peer sent before, and the end
            ended.accept(why); // before a sender finds the queue closed
        }
        close();
    }

    /** Sends messages that wait; returns whether some still wait. */
    private boolean sendWaiting() {
        lock.lock();
        try {
            Part part = parts.peek();
            while (part != null) {
                int before = part.bytes.remaining();
                ErrnoException refused = sendOrDrop(part);
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
                if (refused != null) {
                    part.dropped.accept(refused); // may add a message, or close the queue
                }
                part = parts.peek();
            }
            sending = part != null && !closed;
            changed.signalAll();
            return sending;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends as much as the socket takes now. If the kernel refuses this part alone, drops the part
     * and returns why.
     */
    private @Nullable ErrnoException sendOrDrop(Part part) {
        try {
            sendSome(part.bytes, part.descriptors);
            return null;
        } catch (ErrnoException e) {
            if (part.bytes.position() > 0 || !isOf(part.descriptors, e)) {
                throw e;
            }
            part.bytes.position(part.bytes.limit());
            return e;
        }
    }

    /** Waits until everything is sent, nothing can be sent any more, or the time passes. */
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

    /** Drops the messages that wait; nothing more is sent. */
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
