package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Readiness;
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
final class Outbox {
    private static final int KEPT_ON_HEAP = 8192; // what one call of send takes of an array

    private final UnixSocket socket;
    private final long limit;
    private final String threadName;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** A message, or what is left of it. */
    private record Part(ByteBuffer bytes, List<Fd> descriptors) {
        void close() {
            descriptors.forEach(Fd::close);
        }
    }

    @GuardedBy("lock")
    private final Deque<Part> parts = new ArrayDeque<>();

    @GuardedBy("lock")
    private long bytes;

    @GuardedBy("lock")
    private boolean sending;

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param limit the bytes that wait before senders are made to wait
     */
    Outbox(UnixSocket socket, long limit, String threadName) {
        this.socket = socket;
        this.limit = limit;
        this.threadName = threadName;
    }

    /**
     * Sends, waiting while more waits than may.
     *
     * @param message not changed afterwards
     * @param descriptors lent until this returns
     * @return false if nothing can be sent any more
     */
    boolean send(byte[] message, List<Fd> descriptors) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (bytes > limit && !closed) {
                changed.await();
            }
            return put(message, descriptors);
        } finally {
            lock.unlock();
        }
    }

    /** The same, waiting at most so long: false also when the time is over. */
    boolean send(byte[] message, List<Fd> descriptors, Duration time) throws InterruptedException {
        long nanos = Readiness.nanos(time);
        lock.lockInterruptibly();
        try {
            while (bytes > limit && !closed) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = changed.awaitNanos(nanos);
            }
            return put(message, descriptors);
        } finally {
            lock.unlock();
        }
    }

    /** Sends without waiting: false if twice as much waits as may, or nothing can be sent. */
    boolean offer(byte[] message) {
        lock.lock();
        try {
            return bytes <= 2 * limit && put(message, List.of());
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean put(byte[] message, List<Fd> descriptors) {
        if (closed) {
            return false;
        }
        ByteBuffer rest = buffer(message);
        if (parts.isEmpty()) {
            try {
                sendSome(rest, descriptors);
            } catch (ErrnoException | IllegalStateException e) {
                close(); // the reader sees why
                return false;
            }
        }
        if (rest.hasRemaining()) {
            boolean begun = rest.position() > 0;
            parts.add(new Part(rest, begun ? List.of() : Subscriptions.duplicates(descriptors)));
            bytes += rest.remaining();
            if (!sending) {
                sending = true;
                var _ = Thread.ofVirtual().name(threadName).start(this::sendAll);
            }
        }
        return true;
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
                bytes -= before - part.bytes.remaining();
                if (part.bytes.position() > 0) {
                    part.close();
                }
                if (part.bytes.hasRemaining()) {
                    break;
                }
                var _ = parts.remove();
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
    void flush(Duration time) throws InterruptedException {
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

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Drops what waits; nothing more is sent. */
    void close() {
        lock.lock();
        try {
            closed = true;
            @Nullable Part part;
            while ((part = parts.poll()) != null) {
                part.close();
            }
            bytes = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
