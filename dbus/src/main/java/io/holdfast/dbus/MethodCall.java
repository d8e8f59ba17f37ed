package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A call of an object of ours, for its handler: used by one thread, until the handler returns. Its
 * descriptors and the caller's {@link Peer} are closed then.
 */
public final class MethodCall {
    private final BusConnection connection;
    private final Message message;
    private final List<Object> arguments;
    private final CallsUnderWay.Counted counted;
    private final @Nullable Executor executor;
    private @Nullable Peer peer;

    MethodCall(
            BusConnection connection,
            Message message,
            CallsUnderWay.Counted counted,
            @Nullable Executor executor) {
        this.connection = connection;
        this.message = message;
        this.counted = counted;
        this.executor = executor;
        this.arguments = message.values();
    }

    /** {@return the arguments, which fit the signature of the method} */
    public List<Object> arguments() {
        return arguments;
    }

    /**
     * {@return an argument of type string}
     *
     * @param index the index, from 0
     */
    public String string(int index) {
        return argument(index, String.class);
    }

    /**
     * {@return an argument}
     *
     * @param <T> the type of the argument
     * @param index the index, from 0
     * @param type the class of the argument
     * @throws ClassCastException if the argument has another type
     * @throws IndexOutOfBoundsException if there are fewer arguments
     */
    public <T> T argument(int index, Class<T> type) {
        return type.cast(arguments.get(index));
    }

    /**
     * {@return a descriptor, lent until the call ends; {@link Fd#move} keeps it}
     *
     * @param handle the handle
     * @throws DBusException INVALID_ARGS if the caller sent fewer descriptors
     */
    public Fd descriptor(Handle handle) {
        List<Fd> descriptors = message.descriptors();
        if (handle.index() < 0 || handle.index() >= descriptors.size()) {
            throw new DBusException(
                    DBusException.INVALID_ARGS,
                    "handle %d of %d descriptors".formatted(handle.index(), descriptors.size()));
        }
        return descriptors.get(handle.index());
    }

    /**
     * Charges the caller for descriptors that the handler is about to open for this call, such as
     * pidfds of processes that the caller identified by PID. They count like descriptors that the
     * caller sent, against its user's share of {@link ConnectionOptions#withIncomingDescriptors},
     * until the call is answered.
     *
     * @param descriptors the number of descriptors
     * @throws DBusException LIMITS_EXCEEDED if the user's share is used up
     * @throws IllegalStateException if the call has been answered
     */
    public void opens(int descriptors) {
        counted.opens(descriptors);
    }

    CallsUnderWay.Counted counted() {
        return counted;
    }

    /** {@return the caller's unique name; empty without a bus} */
    public String sender() {
        return connection.senderOf(message);
    }

    /**
     * {@return the caller's process, as {@link BusConnection#peer} finds it} The bus is queried
     * once per call.
     *
     * @throws DBusException if the caller is gone: then nothing can be decided about it
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Peer peer() throws InterruptedException {
        Peer known = peer;
        if (known == null) {
            known = connection.peerOf(message.sender(), counted.user());
            peer = known;
        }
        return known;
    }

    /**
     * {@return the process that owns another bus name, as {@link BusConnection#peer} finds it; the
     * handler closes it} The query is one of the caller's user, and waits behind the user's own
     * only.
     *
     * @param busName a unique or a well-known name
     * @throws DBusException if the owner is gone: then nothing can be decided about it
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Peer peer(String busName) throws InterruptedException {
        return connection.peerOf(requireNonNull(busName, "busName"), counted.user());
    }

    /**
     * {@return whether the caller lets the service ask the user for permission
     * (ALLOW_INTERACTIVE_AUTHORIZATION)}
     */
    public boolean isInteractive() {
        return message.hasFlag(MessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION);
    }

    /** {@return whether the caller expects no reply (NO_REPLY_EXPECTED)} */
    public boolean isOneWay() {
        return message.hasFlag(MessageFlags.NO_REPLY_EXPECTED);
    }

    /**
     * {@return the executor with which the object was exported, on which a handler that the reader
     * thread begins can continue; empty if the object's handlers run on virtual threads} Handlers
     * of a tree run on its executor already: there, it runs a task at once.
     */
    public Optional<Executor> executor() {
        return Optional.ofNullable(executor);
    }

    /** {@return the message of the call} */
    public Message message() {
        return message;
    }

    /** {@return the connection from which the call came; it stays open when the call ends} */
    public BusConnection connection() {
        return connection;
    }

    /** Closes the message and the peer, after the handler. */
    void close() {
        message.close();
        Peer known = peer;
        if (known != null) {
            known.close();
        }
    }

    @Override
    public String toString() {
        return message.toString();
    }
}
