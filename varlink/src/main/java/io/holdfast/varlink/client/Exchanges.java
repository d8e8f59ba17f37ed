package io.holdfast.varlink.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Deadline;
import io.holdfast.varlink.client.ServiceLostException.Reason;
import io.holdfast.varlink.wire.MalformedMessageException;
import io.holdfast.varlink.wire.MessageChannel;
import io.holdfast.varlink.wire.ReplyMessage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a client that wait for their replies, in the order in which they were sent: Varlink
 * replies come in that order and name no call.
 *
 * <p>One of the waiting threads receives for all, and gives each reply to the oldest call; when its
 * own reply has come, or its wait has ended, another one receives. A call that was abandoned (its
 * thread was interrupted, or its time is over) keeps its place until its reply has come and was
 * discarded.
 *
 * <p>Safe for use by any thread.
 */
final class Exchanges {
    /** A reply; the thread that takes it owns the descriptors. */
    record Incoming(ReplyMessage message, List<Fd> descriptors) {}

    /** A call that was sent, or is about to be. */
    static final class Exchange {
        private @Nullable Incoming reply; // under the lock of the exchanges
        private boolean abandoned; // likewise
    }

    /** The end of the connection. */
    record Lost(Reason reason, String message, @Nullable Exception cause) {}

    private final MessageChannel channel;
    private final int limit;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final Deque<Exchange> pending = new ArrayDeque<>();

    /** Whether a thread receives; the lock is not held meanwhile. */
    @GuardedBy("lock")
    private boolean receiving;

    @GuardedBy("lock")
    private @Nullable Lost lost;

    Exchanges(MessageChannel channel, int limit) {
        this.channel = channel;
        this.limit = limit;
    }

    /** Thrown to each thread that waits when the connection has ended. */
    static final class LostException extends Exception {
        private static final long serialVersionUID = 1L;

        /** Why and how it has ended. */
        private final transient Lost lost;

        LostException(Lost lost) {
            super(lost.message(), lost.cause());
            this.lost = lost;
        }

        Lost lost() {
            return lost;
        }
    }

    /** Adds a call that is sent next, once fewer calls than the limit wait. */
    Exchange begin(Deadline deadline) throws InterruptedException, TimeoutException, LostException {
        lock.lockInterruptibly();
        try {
            receiveUntil(null, limit - 1, deadline);
            Exchange begun = new Exchange();
            pending.add(begun);
            return begun;
        } finally {
            lock.unlock();
        }
    }

    /** Removes the call that was begun last, of which nothing was sent. */
    void withdraw(Exchange unsent) {
        lock.lock();
        try {
            boolean _ = pending.removeLastOccurrence(unsent);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until no call waits for a reply. */
    void awaitIdle(Deadline deadline) throws InterruptedException, TimeoutException, LostException {
        lock.lockInterruptibly();
        try {
            receiveUntil(null, 0, deadline);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the reply of a call, and abandons the call if it does not come. */
    Incoming await(Exchange exchange, Deadline deadline)
            throws InterruptedException, TimeoutException, LostException {
        lock.lock();
        try {
            receiveUntil(exchange, 0, deadline);
            return taken(exchange);
        } catch (InterruptedException | TimeoutException e) {
            if (exchange.reply == null) {
                exchange.abandoned = true;
                throw e;
            }
            if (e instanceof InterruptedException) { // the reply has come as well
                Thread.currentThread().interrupt();
            }
            return taken(exchange);
        } finally {
            lock.unlock();
        }
    }

    private static Incoming taken(Exchange exchange) {
        if (exchange.reply == null) {
            throw new AssertionError("a wait without a result");
        }
        return exchange.reply;
    }

    /** Waits for the next reply while no other call waits for one, such as that of a stream. */
    Incoming next(Deadline deadline, boolean exactly)
            throws InterruptedException, TimeoutException, LostException {
        lock.lock();
        try {
            return receive(deadline, exactly);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Receives for all calls, or waits while another thread does.
     *
     * @param awaited the call that must have its reply, or null
     * @param most without such a call, the number of calls that may be pending
     */
    @GuardedBy("lock")
    private void receiveUntil(@Nullable Exchange awaited, int most, Deadline deadline)
            throws InterruptedException, TimeoutException, LostException {
        while (awaited == null ? pending.size() > most : awaited.reply == null) {
            if (lost != null) {
                throw new LostException(lost);
            }
            if (!receiving) {
                give(receive(deadline, false));
            } else if (deadline.isOver()) {
                throw new TimeoutException();
            } else {
                boolean _ = changed.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS);
            }
        }
    }

    /** Gives a reply to the oldest call. */
    @GuardedBy("lock")
    private void give(Incoming incoming) throws LostException {
        Exchange oldest = pending.poll();
        if (oldest == null || incoming.message().continues()) {
            incoming.descriptors().forEach(Fd::close);
            throw end(
                    new Lost(
                            Reason.PROTOCOL,
                            "the service broke the protocol: "
                                    + (oldest == null
                                            ? "it replies without a call"
                                            : "it continues a call that expects one reply"),
                            null));
        }
        if (oldest.abandoned) {
            incoming.descriptors().forEach(Fd::close);
        } else {
            oldest.reply = incoming;
        }
        changed.signalAll();
    }

    /** Receives one reply, without the lock. */
    @GuardedBy("lock")
    private Incoming receive(Deadline deadline, boolean exactly)
            throws InterruptedException, TimeoutException, LostException {
        receiving = true;
        lock.unlock();
        Lost failure;
        try {
            MessageChannel.Message message = channel.receive(exactly, deadline);
            if (message != null) {
                return new Incoming(parsed(message), message.descriptors());
            }
            failure = new Lost(Reason.CLOSED, "the service has closed the connection", null);
        } catch (MalformedMessageException e) {
            String text = "the service broke the protocol: " + e.getMessage();
            failure = new Lost(Reason.PROTOCOL, text, e);
        } catch (ErrnoException | IllegalStateException e) {
            failure = new Lost(Reason.CLOSED, "the connection is gone: " + e.getMessage(), e);
        } finally {
            lock.lock();
            receiving = false;
            changed.signalAll(); // another waiting thread receives from here on
        }
        throw end(failure);
    }

    private static ReplyMessage parsed(MessageChannel.Message message)
            throws MalformedMessageException {
        try {
            return ReplyMessage.of(message.body());
        } catch (MalformedMessageException e) {
            message.descriptors().forEach(Fd::close);
            throw e;
        }
    }

    @GuardedBy("lock")
    private LostException end(Lost how) {
        if (lost == null) {
            lost = how;
        }
        changed.signalAll();
        channel.close();
        return new LostException(lost);
    }

    /** Closes the socket. The thread that receives, if any, closes the rest. */
    void close() {
        channel.socket().close();
        lock.lock();
        try {
            if (!receiving) {
                channel.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
