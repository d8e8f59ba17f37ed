package io.holdfast.varlink.server;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.ERROR;
import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.Peer;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.TypeCheck;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.CallMessage.Mode;
import io.holdfast.varlink.wire.Frame;
import io.holdfast.varlink.wire.ReplyMessage;
import io.holdfast.varlink.wire.ReplyQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A call, for its handler. The return value or exception of the handler is the last reply; {@link
 * #send} sends earlier replies.
 *
 * <p>Safe for use by any thread.
 */
public final class Call {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    private final CallMessage message;
    private final Service.Served served;
    private final ServerConnection connection;
    private final ReplyQueue outbox;

    // guarded by this
    private final List<Fd> received;

    // guarded by this
    private final List<Fd> attached = new ArrayList<>();

    // guarded by this
    private final List<Runnable> hangupTasks = new ArrayList<>();

    private volatile boolean hungUp;
    private volatile boolean succeeded;

    // guarded by this
    private boolean over;

    /**
     * @param received the descriptors of the call, which closes those that its handler does not
     *     take
     */
    Call(
            CallMessage message,
            Service.Served served,
            ServerConnection connection,
            ReplyQueue outbox,
            List<Fd> received) {
        this.message = message;
        this.served = served;
        this.connection = connection;
        this.outbox = outbox;
        this.received = new ArrayList<>(received);
    }

    /** {@return the qualified name of the method} */
    public String method() {
        return message.method();
    }

    /** {@return the parameters, which fit the method's definition} */
    public JsonObject parameters() {
        return message.parameters();
    }

    /**
     * {@return the process that opened the connection, held by pidfd if the kernel provides one
     * (Linux 6.5)} It is lent until the connection ends.
     */
    public Peer peer() {
        return connection.peer();
    }

    /** {@return whether the client accepts replies before the last one ({@code more})} */
    public boolean wantsMore() {
        return message.mode() == Mode.MORE;
    }

    /** {@return whether the client expects no reply ({@code oneway})} */
    public boolean isOneway() {
        return message.mode() == Mode.ONEWAY;
    }

    /**
     * {@return the number of descriptors that came with the call; 0 unless the method takes them}
     */
    public synchronized int descriptorCount() {
        return received.size();
    }

    /**
     * Takes a descriptor that came with the call; the handler owns it from then on. Returns empty
     * if there is no descriptor with that index, or it was taken before.
     *
     * @param index the index, from 0
     * @return the descriptor, or empty
     */
    public synchronized Optional<Fd> takeDescriptor(int index) {
        if (index < 0 || index >= received.size() || !received.get(index).isOpen()) {
            return Optional.empty();
        }
        return Optional.of(received.get(index).move());
    }

    /**
     * Attaches a descriptor to the next reply; the call owns it from now on. If that reply is an
     * error, it carries no descriptors, and the call closes this one.
     *
     * @param descriptor the descriptor, owned by the call from now on
     * @return its index among the descriptors of that reply
     */
    @CanIgnoreReturnValue
    public int attach(Fd descriptor) {
        Fd owned = descriptor.move();
        synchronized (this) {
            if (over) {
                owned.close();
                return 0;
            }
            attached.add(owned);
            return attached.size() - 1;
        }
    }

    /**
     * Sends a reply that others follow. On the handler's own thread it waits until the client
     * reads, up to the server's write time-out. If the server has an executor, or on any other
     * thread, it queues the reply and never waits. If the queued replies exceed the limits, the
     * connection is closed.
     *
     * @param parameters the parameters of the reply
     * @return false if the client will not read it: it has hung up, or the call has been answered
     * @throws IllegalStateException unless the client {@linkplain #wantsMore() wants more}
     * @throws IllegalArgumentException if the parameters do not fit the method's definition
     */
    @CanIgnoreReturnValue
    public boolean send(JsonObject parameters) {
        if (!wantsMore()) {
            throw new IllegalStateException("the client of " + method() + " expects one reply");
        }
        Frame frame = frame(ReplyMessage.continuing(parameters));
        try {
            return connection.put(outbox, frame);
        } catch (TimeoutException _) {
            connection.closeUnread();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ErrnoException | IllegalStateException _) {
            // gone, or closed
        }
        hangUp();
        return false;
    }

    /** {@return whether the client has closed the connection} */
    public boolean isHungUp() {
        return hungUp;
    }

    /**
     * Runs a task if the client closes the connection before the last reply, or if the server is
     * closed. The task runs on the server's executor, or without one on the connection's thread.
     *
     * @param task the task
     */
    public void onHangup(Runnable task) {
        synchronized (this) {
            if (!over) {
                hangupTasks.add(task);
                return;
            }
        }
        if (hungUp) {
            connection.execute(task);
        }
    }

    /** Ends the call with its last reply. */
    void finish(JsonObject parameters) {
        if (!outbox.isOpen()) {
            return;
        }
        Frame reply;
        try {
            reply = isOneway() ? null : frame(ReplyMessage.success(parameters));
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        succeeded = true;
        end(reply);
    }

    /** Ends the call with an error. The descriptors belong to the reply that the error replaces. */
    void fail(Throwable failure) {
        takeAttached().forEach(Fd::close);
        if (!outbox.isOpen()) {
            return;
        }
        VarlinkException error = explain(failure);
        Frame reply;
        try {
            reply = isOneway() ? null : connection.frame(ReplyMessage.failure(error), List.of());
        } catch (RuntimeException e) {
            if (failure instanceof VarlinkException) {
                fail(e); // too long: reply that the call failed
            } else {
                hangUp();
            }
            return;
        }
        end(reply);
    }

    private void end(@Nullable Frame reply) {
        if (!outbox.end(reply)) {
            connection.logUnread();
            hangUp();
        }
    }

    /** Returns the error for the client, and logs what that error does not say. */
    private VarlinkException explain(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof VarlinkException error) {
            mismatch(error)
                    .ifPresent(reason ->
                            LOG.log(
                                    WARNING,
                                    "varlink: {0}: error reply does not match the interface: {1}",
                                    method(),
                                    reason));
            return error;
        }
        if (cause instanceof InterruptedException && (hungUp || connection.isClosing())) {
            LOG.log(DEBUG, "varlink: {0} was interrupted", method());
        } else {
            LOG.log(
                    ERROR,
                    "varlink: " + method() + ", called by " + connection.peerName() + ", failed",
                    cause);
        }
        int errno = cause instanceof ErrnoException e ? e.errno() : Errno.EIO;
        return new VarlinkException(
                "io.systemd.System",
                JsonObject.builder()
                        .put("origin", "linux")
                        .put("errnoName", Errno.name(errno))
                        .put("errno", errno)
                        .build());
    }

    /** Returns whether the last reply is a success. */
    boolean hasSucceeded() {
        return succeeded;
    }

    /** Returns what is wrong with an error of the method's own interface. */
    private Optional<String> mismatch(VarlinkException error) {
        String prefix = served.definition().name() + ".";
        if (!error.error().startsWith(prefix)) {
            return Optional.empty();
        }
        Optional<Definition.NamedError> defined =
                served.definition().error(error.error().substring(prefix.length()));
        if (defined.isEmpty()) {
            return Optional.of(error.error() + " is not defined");
        }
        return Optional.ofNullable(
                        new TypeCheck(served.definition(), false)
                                .mismatch(defined.get().parameters(), error.parameters()))
                .map(mismatch -> error.error() + ": " + mismatch);
    }

    /** Returns the frame of a reply that is no error, with the attached descriptors. */
    private Frame frame(ReplyMessage reply) {
        List<Fd> descriptors = takeAttached();
        Definition.Mismatch mismatch =
                new TypeCheck(served.definition(), false)
                        .mismatch(served.method().output(), reply.parameters());
        if (mismatch != null) {
            descriptors.forEach(Fd::close);
            throw new IllegalArgumentException(
                    "the reply to " + method() + " does not match its definition: " + mismatch);
        }
        return connection.frame(reply, descriptors);
    }

    private synchronized List<Fd> takeAttached() {
        List<Fd> taken = List.copyOf(attached);
        attached.clear();
        return taken;
    }

    /** Notes that the client is gone. May be called by any thread; does not block. */
    void hangUp() {
        hungUp = true;
        outbox.abandon();
    }

    /** Releases what the call holds, after the connection has finished with it. */
    void close() {
        List<Runnable> tasks;
        synchronized (this) {
            over = true;
            received.forEach(Fd::close);
            attached.forEach(Fd::close);
            attached.clear();
            tasks = List.copyOf(hangupTasks);
            hangupTasks.clear();
        }
        outbox.abandon();
        if (hungUp) {
            tasks.forEach(connection::execute);
        }
    }
}
