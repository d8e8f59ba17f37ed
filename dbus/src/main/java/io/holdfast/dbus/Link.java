package io.holdfast.dbus;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Deadline;
import io.holdfast.dbus.ConnectionLostException.Reason;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.ProtocolException;
import io.holdfast.dbus.marshal.ReceivedMessage;
import io.holdfast.dbus.stream.ConnectedSocket;
import io.holdfast.dbus.stream.Handshake;
import io.holdfast.dbus.stream.Inbox;
import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.stream.SendQueue;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One authenticated stream of messages and the calls under way on it. A single thread reads; it
 * completes calls and gives everything else to a {@link Receiver}, and never waits for anything but
 * the socket.
 */
final class Link {
    private static final Logger LOG = System.getLogger(Link.class.getName());
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(2);
    private static final long MAX_NANOS = Long.MAX_VALUE / 4;

    /** The messages that are read before a task that was left for later. */
    private static final int READ_AHEAD = 64;

    /** Receives the messages that are no replies. Called by the reader thread; must not wait. */
    interface Receiver {
        /** Receives a call, which it owns. */
        void call(Message call);

        /**
         * @param descriptors the descriptors of the signal, owned by the receiver
         */
        void signal(MessageView signal, List<Fd> descriptors);

        /** Receives a call that must be refused; the receiver owns it. */
        void refuse(Message call, DBusException why);

        /** Called once, when the connection has ended: no message follows. */
        void disconnected(ConnectionLostException why);
    }

    private final ConnectedSocket connected;
    private final ConnectionOptions options;
    private final Handshake handshake;
    private final Receiver receiver;
    private final String name;
    private final Inbox inbox;
    private final SendQueue outbox;
    private final Semaphore calls;
    private final AtomicInteger lastSerial = new AtomicInteger();
    private final Map<Integer, CompletableFuture<Message>> pending = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable ConnectionLostException> endReason =
            new AtomicReference<>();
    private final CompletableFuture<Void> authenticated = new CompletableFuture<>();
    private final Thread reader;

    /** What the reader thread does when nothing is left to be read. For that thread alone. */
    private final Deque<Runnable> later = new ArrayDeque<>();

    /** The messages that were read since the last of these. */
    private int readAhead;

    /**
     * @param connected the connected socket, owned
     * @param name the name of the connection, for messages and threads
     */
    Link(
            ConnectedSocket connected,
            ConnectionOptions options,
            Handshake handshake,
            Receiver receiver,
            String name) {
        this.connected = connected;
        this.options = options;
        this.handshake = handshake;
        this.receiver = receiver;
        this.name = name;
        this.inbox = new Inbox(connected.socket(), options.messageBytes, this::runLater);
        this.outbox =
                new SendQueue(
                        connected.socket(),
                        options.outgoingBytes,
                        "D-Bus writer " + name,
                        this::sendingEnded);
        this.calls = new Semaphore(options.calls);
        this.reader = options.reader.newThread(this::read);
        reader.setName("D-Bus reader " + name);
    }

    /**
     * Authenticates.
     *
     * @param deadline the end of the time to connect
     * @throws ConnectionLostException if the other side refuses, or the time limit passes
     */
    void start(Deadline deadline) throws InterruptedException {
        reader.start();
        try {
            authenticated.get(nanos(deadline.left()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            end(
                    new ConnectionLostException(
                            Reason.REFUSED,
                            name + ": no authentication within " + deadline.limit()));
            throw endException();
        } catch (ExecutionException e) {
            throw endException();
        } catch (InterruptedException e) {
            end(new ConnectionLostException(Reason.CLOSED, name + ": interrupted"));
            throw e;
        }
    }

    private static long nanos(Duration time) {
        return Math.min(Readiness.nanos(time), MAX_NANOS);
    }

    boolean descriptorsAgreed() {
        return handshake.descriptorsAgreed();
    }

    String guid() {
        return handshake.guid();
    }

    /** Returns the process at the other end of the socket; the caller closes it. */
    Peer peer() {
        return connected.socket().peer();
    }

    // The reader thread

    private void read() {
        ConnectionLostException why;
        try {
            authenticate();
            authenticated.complete(null);
            while (inbox.next()) {
                readAhead++;
                if (inbox.tooLong().isPresent()) {
                    inbox.takeDescriptors().forEach(Fd::close);
                    receiveCut(inbox.view(), tooLong(inbox.tooLong().getAsInt()));
                } else if (inbox.descriptorsAreLost()) {
                    receiveCut(inbox.view(), descriptorsLost());
                } else {
                    receive(inbox.view(), inbox.takeDescriptors());
                }
                if (readAhead >= READ_AHEAD) {
                    var _ = runLater();
                }
            }
            why = ended("peer closed the connection");
        } catch (ProtocolException e) {
            why =
                    new ConnectionLostException(
                            Reason.PROTOCOL, name + ": invalid message: " + e.getMessage(), e);
        } catch (ErrnoException e) {
            why = ended(e.getMessage());
        } catch (IllegalStateException | InterruptedException e) {
            why = new ConnectionLostException(Reason.CLOSED, name + ": closed");
        } catch (ConnectionLostException e) {
            why = e;
        } catch (RuntimeException | Error e) { // for example OutOfMemoryError
            why = new ConnectionLostException(Reason.PROTOCOL, name + ": " + e, e);
        }
        end(why);
        inbox.close();
        connected.close();
        ConnectionLostException first = endException();
        authenticated.completeExceptionally(first);
        pending.values().forEach(reply -> reply.completeExceptionally(first));
        runAllLater(); // what has arrived is handled, and its charges end
        receiver.disconnected(first);
    }

    /**
     * Leaves a task for when all messages that have arrived are read, or many of them: so they wait
     * in queues of their users and not one behind the other in the socket. Called by the reader
     * thread.
     */
    void later(Runnable task) {
        later.add(task);
    }

    /** Runs the next of these tasks; returns whether there was one. */
    private boolean runLater() {
        readAhead = 0;
        Runnable task = later.poll();
        if (task == null) {
            return false;
        }
        task.run();
        return true;
    }

    /** Runs all of these tasks: one that fails must not keep the connection from its end. */
    private void runAllLater() {
        boolean more = true;
        while (more) {
            try {
                more = runLater();
            } catch (RuntimeException | Error e) { // for example OutOfMemoryError
                LOG.log(Level.WARNING, name + ": a call was not answered", e);
            }
        }
    }

    private ConnectionLostException ended(@Nullable String how) {
        return new ConnectionLostException(Reason.DISCONNECTED, name + ": " + how);
    }

    private void authenticate() throws InterruptedException {
        connected.socket().sendFully(ByteBuffer.wrap(handshake.opening()));
        while (!handshake.isDone()) {
            if (!inbox.receive(handshake::read)) {
                throw new ConnectionLostException(
                        Reason.REFUSED, name + ": closed while authenticating");
            }
            byte[] answers = handshake.takeAnswers();
            if (answers.length > 0) {
                connected.socket().sendFully(ByteBuffer.wrap(answers));
            }
            if (!handshake.refusal().isEmpty()) {
                throw new ConnectionLostException(
                        Reason.REFUSED, name + ": " + handshake.refusal());
            }
        }
    }

    private static DBusException descriptorsLost() {
        return new DBusException(
                DBusException.LIMITS_EXCEEDED,
                "descriptors lost in recvmsg (MSG_CTRUNC); RLIMIT_NOFILE may be too low");
    }

    private DBusException tooLong(int length) {
        return new DBusException(
                DBusException.LIMITS_EXCEEDED,
                "message of %d bytes exceeds messageBytes=%d"
                        .formatted(length, options.messageBytes));
    }

    /** Fails this message alone; the messages after it are read as usual. */
    private void receiveCut(MessageView view, DBusException why) {
        switch (view.type()) {
            case MessageType.METHOD_RETURN, MessageType.ERROR -> {
                CompletableFuture<Message> waiting = pending.remove(view.replySerial());
                if (waiting != null) {
                    boolean ignored = waiting.completeExceptionally(why);
                }
            }
            case MessageType.METHOD_CALL -> receiver.refuse(ReceivedMessage.of(view), why);
            default -> {} // no caller waits for it
        }
    }

    private void receive(MessageView view, List<Fd> descriptors) {
        switch (view.type()) {
            case MessageType.METHOD_RETURN, MessageType.ERROR -> {
                Message reply = ReceivedMessage.of(view, descriptors);
                CompletableFuture<Message> waiting = pending.remove(view.replySerial());
                if (waiting == null || !waiting.complete(reply)) {
                    reply.close(); // too late
                }
            }
            case MessageType.METHOD_CALL -> receiver.call(ReceivedMessage.of(view, descriptors));
            case MessageType.SIGNAL -> receiver.signal(view, descriptors);
            default -> descriptors.forEach(Fd::close); // a message type of a later specification
        }
    }

    // Sending

    private int nextSerial() {
        return lastSerial.updateAndGet(last -> last == -1 ? 1 : last + 1);
    }

    /**
     * Calls a method and waits for the reply, which may be an error; the caller closes it.
     *
     * @param call makes the message for a serial
     * @throws DBusException TIMEOUT, or LIMITS_EXCEEDED if the reply is too long or its descriptors
     *     are lost
     * @throws ConnectionLostException if the connection is or gets lost
     */
    Message call(IntFunction<Outgoing> call, Duration timeout) throws InterruptedException {
        long end = System.nanoTime() + nanos(timeout);
        if (!calls.tryAcquire(nanos(timeout), TimeUnit.NANOSECONDS)) {
            throw timedOut(timeout, options.calls + " others are under way");
        }
        int serial = nextSerial();
        CompletableFuture<Message> reply = new CompletableFuture<>();
        Message received = null;
        try {
            send(call.apply(serial), serial, reply, end, timeout);
            received = reply.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            return received;
        } catch (TimeoutException e) {
            throw timedOut(timeout, "no reply");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof DBusException why ? why : endException();
        } finally {
            pending.remove(serial);
            calls.release();
            if (received == null && !reply.cancel(false)) {
                closeLate(reply);
            }
        }
    }

    /**
     * Calls a method and does not wait for the reply, which may be an error. The thread waits while
     * the limit of calls is under way, and while too many bytes wait to be sent.
     *
     * @param call makes the message for a serial
     * @return completed on the reader thread, where nothing may wait: with the reply, which its
     *     receiver closes, or with a failure that {@link #exceptionFor} translates. Cancelling it
     *     ends the wait
     */
    CompletableFuture<Message> begin(IntFunction<Outgoing> call, Duration timeout)
            throws InterruptedException {
        long end = System.nanoTime() + nanos(timeout);
        if (!calls.tryAcquire(nanos(timeout), TimeUnit.NANOSECONDS)) {
            throw timedOut(timeout, options.calls + " others are under way");
        }
        int serial = nextSerial();
        CompletableFuture<Message> reply = new CompletableFuture<>();
        boolean sent = false;
        try {
            send(call.apply(serial), serial, reply, end, timeout);
            sent = true;
        } finally {
            if (!sent) {
                finished(serial);
                if (!reply.cancel(false)) {
                    closeLate(reply);
                }
            }
        }
        var _ = reply.whenComplete((_, _) -> finished(serial));
        return reply.orTimeout(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    }

    /** Sends a call whose reply completes the future. */
    private void send(
            Outgoing call, int serial, CompletableFuture<Message> reply, long end, Duration timeout)
            throws InterruptedException {
        Outgoing message = checked(call);
        pending.put(serial, reply);
        requireOpen(); // otherwise no thread would complete the reply
        Duration left = Duration.ofNanos(end - System.nanoTime());
        if (!outbox.send(message.bytes(), message.descriptors(), left, e -> refused(reply, e))) {
            throw timedOut(timeout, "it could not be sent");
        }
    }

    private static void refused(CompletableFuture<Message> reply, ErrnoException why) {
        boolean ignored = reply.completeExceptionally(descriptorsRefused(why));
    }

    /** Returns the error of a call that is not answered since descriptors cannot be sent. */
    static DBusException descriptorsRefused(ErrnoException why) {
        return new DBusException(
                why.errno() == Errno.EPERM // the receiver accepts no descriptors
                        ? DBusException.NOT_SUPPORTED
                        : DBusException.LIMITS_EXCEEDED,
                String.valueOf(why.getMessage()));
    }

    /** Called if nothing can be sent any more, though the peer has not disconnected. */
    private void sendingEnded(Throwable why) {
        String how = why instanceof ErrnoException e ? e.getMessage() : why.toString();
        end(new ConnectionLostException(Reason.DISCONNECTED, name + ": " + how, why));
    }

    /** Called if the kernel refused the descriptors of a message whose sender does not wait. */
    private void dropped(ErrnoException why) {
        LOG.log(Level.WARNING, name + ": dropped a message: " + why.getMessage());
    }

    private void finished(int serial) {
        pending.remove(serial);
        calls.release();
    }

    /** Returns the exception for the caller of a future of {@link #begin} that failed. */
    RuntimeException exceptionFor(Throwable failure, Duration timeout) {
        if (failure instanceof DBusException why) {
            return why;
        }
        try {
            return failure instanceof TimeoutException
                    ? timedOut(timeout, "no reply")
                    : endException();
        } catch (ConnectionLostException e) { // says more than a timeout
            return e;
        }
    }

    /** Closes a reply that came after its caller stopped waiting. */
    private static void closeLate(CompletableFuture<Message> reply) {
        if (!reply.isCompletedExceptionally()) {
            reply.join().close();
        }
    }

    private RuntimeException timedOut(Duration timeout, String how) {
        requireOpen();
        if (outbox.isClosed()) {
            return ended("nothing can be sent");
        }
        return new DBusException(DBusException.TIMEOUT, "within %s: %s".formatted(timeout, how));
    }

    private Outgoing checked(Outgoing message) {
        if (!message.descriptors().isEmpty() && !descriptorsAgreed()) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "descriptor passing is not negotiated on this connection");
        }
        return message;
    }

    /** Sends a message; waits while too many bytes wait to be sent. */
    void send(IntFunction<Outgoing> message) throws InterruptedException {
        send(message, () -> {});
    }

    /**
     * Sends a message; waits while too many bytes wait to be sent.
     *
     * @param hasRoom run when the message has room, before any of it is sent; must not wait
     */
    void send(IntFunction<Outgoing> message, Runnable hasRoom) throws InterruptedException {
        send(checked(message.apply(nextSerial())), null, hasRoom, this::dropped);
    }

    /**
     * Sends a reply; waits while too many bytes wait to be sent.
     *
     * @param caller charged for the reply until it is sent
     * @param dropped called if the reply waited and its descriptors cannot be sent; must not wait
     * @throws DBusException LIMITS_EXCEEDED if that is more than the caller's user may leave unread
     */
    void send(
            IntFunction<Outgoing> message,
            CallsUnderWay.Counted caller,
            Consumer<ErrnoException> dropped)
            throws InterruptedException {
        Outgoing made = checked(message.apply(nextSerial()));
        send(made, caller.answer(made.bytes().length), caller::end, dropped);
    }

    private void send(
            Outgoing made,
            @Nullable Charge<?> charge,
            Runnable hasRoom,
            Consumer<ErrnoException> dropped)
            throws InterruptedException {
        if (!outbox.send(made.bytes(), made.descriptors(), charge, hasRoom, dropped)) {
            requireOpen();
            throw ended("nothing can be sent");
        }
    }

    /**
     * Calls a method without waiting, outside the limit of calls. The future completes on the
     * reader thread, where nothing may wait; the receiver of the reply closes it.
     */
    CompletableFuture<Message> beginUnbounded(IntFunction<Outgoing> call) {
        int serial = nextSerial();
        CompletableFuture<Message> reply = new CompletableFuture<>();
        pending.put(serial, reply);
        ConnectionLostException why = endReason.get();
        byte[] bytes = checked(call.apply(serial)).bytes();
        if (why != null || !outbox.offer(bytes, List.of(), null, this::dropped)) {
            pending.remove(serial);
            boolean ignored = reply.completeExceptionally(endException());
        }
        return reply;
    }

    /**
     * Sends a message without waiting. If too many bytes of such messages wait to be sent already,
     * ends the connection.
     */
    void offer(IntFunction<Outgoing> message) {
        offer(checked(message.apply(nextSerial())), null, this::dropped);
    }

    /**
     * Sends a reply without waiting.
     *
     * @param caller charged for the reply until it is sent
     * @param dropped called if the reply waited and its descriptors cannot be sent; must not wait
     * @throws DBusException LIMITS_EXCEEDED if that is more than the caller's user may leave unread
     */
    void offer(
            IntFunction<Outgoing> message,
            CallsUnderWay.Counted caller,
            Consumer<ErrnoException> dropped) {
        Outgoing made = checked(message.apply(nextSerial()));
        Charge<?> charge = caller.answer(made.bytes().length);
        caller.end();
        offer(made, charge, dropped);
    }

    /**
     * Sends a signal that a caller causes, without waiting.
     *
     * @param caller charged for the signal until it is sent
     * @throws DBusException LIMITS_EXCEEDED if that is more than the caller's user may leave unread
     */
    void offerSignal(IntFunction<Outgoing> signal, CallsUnderWay.Counted caller) {
        Outgoing made = checked(signal.apply(nextSerial()));
        offer(made, caller.answer(made.bytes().length), this::dropped);
    }

    private void offer(
            Outgoing made, @Nullable Charge<?> charge, Consumer<ErrnoException> dropped) {
        if (outbox.offer(made.bytes(), made.descriptors(), charge, dropped)) {
            return;
        }
        end(
                outbox.isClosed()
                        ? ended("nothing can be sent")
                        : new ConnectionLostException(
                                Reason.LIMIT,
                                name
                                        + ": peer does not read: more than outgoingBytes="
                                        + options.outgoingBytes
                                        + " queued"));
    }

    // The end

    boolean isOpen() {
        return endReason.get() == null;
    }

    boolean isReady() {
        return isOpen() && authenticated.isDone();
    }

    void awaitEnd() throws InterruptedException {
        reader.join();
    }

    /**
     * @throws ConnectionLostException if the connection has ended
     */
    void requireOpen() {
        if (!isOpen()) {
            throw endException();
        }
    }

    private ConnectionLostException endException() {
        ConnectionLostException first = endReason.get();
        return first == null ? ended("lost") : first.again();
    }

    /** Ends the connection, unless it has ended already; the reader thread does the rest. */
    private void end(ConnectionLostException why) {
        if (endReason.compareAndSet(null, why)) {
            outbox.close();
            try {
                connected.socket().shutdown();
            } catch (IllegalStateException e) {
                // closed already
            }
        }
    }

    /** Sends what waits to be sent, for two seconds at most, and ends the connection. */
    void close() {
        try {
            if (isOpen()) {
                outbox.flush(FLUSH_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        end(new ConnectionLostException(Reason.CLOSED, name + ": closed"));
        if (Thread.currentThread().equals(reader)) {
            return;
        }
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
