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
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.TypeCheck;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.CallMessage.Mode;
import io.holdfast.varlink.wire.Frame;
import io.holdfast.varlink.wire.Outbox;
import io.holdfast.varlink.wire.ReplyMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A call as its handler sees it. Its last reply is what the handler returns or throws; {@link
 * #send} gives replies before that one.
 *
 * <p>Safe for use by any thread.
 */
public final class Call {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    private final CallMessage message;
    private final Service.Served served;
    private final ServerConnection connection;
    private final Outbox outbox;

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
     * @param received owned by the call, which closes what its handler does not take
     */
    Call(
            CallMessage message,
            Service.Served served,
            ServerConnection connection,
            Outbox outbox,
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
     * {@return the process that opened the connection, held by pidfd where the kernel gives one
     * (Linux 6.5)} It is lent until the connection ends.
     */
    public Peer peer() {
        return connection.peer();
    }

    /** {@return whether the client is ready for replies before the last one} */
    public boolean wantsMore() {
        return message.mode() == Mode.MORE;
    }

    /** {@return whether the client reads no reply at all} */
    public boolean isOneway() {
        return message.mode() == Mode.ONEWAY;
    }

    Mode mode() {
        return message.mode();
    }

    /** {@return how many descriptors came beside the call; 0 unless the method takes them} */
    public synchronized int descriptorCount() {
        return received.size();
    }

    /**
     * Gives a descriptor that came beside the call to the caller, who owns it from then on; empty
     * if there is none of that index, or it was taken before.
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
     * Sends a descriptor beside the next reply, and takes it over from the caller.
     *
     * @param descriptor the descriptor; owned from now on
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
     * Sends a reply that others follow. By the handler's own thread it waits for the client to
     * read, up to the server's write time-out; where the server has an executor, and by every other
     * thread, it is queued and never waits. If more are queued than the limits allow, the
     * connection is closed.
     *
     * @param parameters the parameters of the reply
     * @return false if nobody will read it: the client has hung up, or the call has been answered
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
     * Runs a task if the client closes the connection before the last reply, or the server is
     * closed: on the server's executor, or where it has none on the connection's thread.
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

    /** Ends the call with an error. */
    void fail(Throwable failure) {
        if (!outbox.isOpen()) {
            return;
        }
        VarlinkException error = explain(failure);
        Frame reply;
        try {
            reply = isOneway() ? null : frame(ReplyMessage.failure(error));
        } catch (RuntimeException e) {
            if (failure instanceof VarlinkException) {
                fail(e); // too long: say that it failed
            } else {
                hangUp();
            }
            return;
        }
        end(reply);
    }

    private void end(@Nullable Frame reply) {
        if (!outbox.end(reply)) {
            connection.tellUnread();
            hangUp();
        }
    }

    /** What the client is told about a failure; what it is not told is logged. */
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
                                    "varlink: {0} answers an error beside its definition:" + " {1}",
                                    method(),
                                    reason));
            return error;
        }
        if (cause instanceof InterruptedException && (hungUp || connection.isClosing())) {
            LOG.log(DEBUG, "varlink: {0} was interrupted", method());
        } else {
            LOG.log(
                    ERROR,
                    "varlink: " + method() + ", called by " + connection.who() + ", failed",
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

    /** Whether the last reply is no error. */
    boolean hasSucceeded() {
        return succeeded;
    }

    /** What is wrong with an error of the method's own interface. */
    private Optional<String> mismatch(VarlinkException error) {
        String prefix = served.definition().name() + ".";
        if (!error.error().startsWith(prefix)) {
            return Optional.empty();
        }
        Optional<Interface.NamedError> defined =
                served.definition().error(error.error().substring(prefix.length()));
        if (defined.isEmpty()) {
            return Optional.of(error.error() + " is not defined");
        }
        return Optional.ofNullable(
                        new TypeCheck(served.definition(), false)
                                .mismatch(defined.get().parameters(), error.parameters()))
                .map(mismatch -> error.error() + ": " + mismatch);
    }

    private Frame frame(ReplyMessage reply) {
        List<Fd> beside = takeAttached();
        if (reply.error() == null) {
            Interface.Mismatch mismatch =
                    new TypeCheck(served.definition(), false)
                            .mismatch(served.method().output(), reply.parameters());
            if (mismatch != null) {
                beside.forEach(Fd::close);
                throw new IllegalArgumentException(
                        "the reply to " + method() + " breaks its definition: " + mismatch);
            }
        }
        return connection.frame(reply, beside);
    }

    private synchronized List<Fd> takeAttached() {
        List<Fd> taken = List.copyOf(attached);
        attached.clear();
        return taken;
    }

    /** The client is gone. By any thread; does not block. */
    void hangUp() {
        hungUp = true;
        outbox.abandon();
    }

    /** The connection is done with the call. */
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
