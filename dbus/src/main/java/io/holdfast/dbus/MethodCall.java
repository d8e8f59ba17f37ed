package io.holdfast.dbus;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call of an object of ours, for the handler: by one thread, and until it returns. Descriptors
 * and the caller's {@link Peer} are closed then.
 */
public final class MethodCall implements AutoCloseable {
    private final BusConnection connection;
    private final Message message;
    private final List<Object> arguments;
    private final CallsUnderWay.Counted counted;
    private @Nullable Peer peer;

    MethodCall(BusConnection connection, Message message, CallsUnderWay.Counted counted) {
        this.connection = connection;
        this.message = message;
        this.counted = counted;
        this.arguments = message.values();
    }

    /** {@return the arguments: they fit the signature of the method} */
    public List<Object> arguments() {
        return arguments;
    }

    /**
     * {@return an argument that is a string}
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
     * @throws ClassCastException if it is of another type
     * @throws IndexOutOfBoundsException if there are less
     */
    public <T> T argument(int index, Class<T> type) {
        return type.cast(arguments.get(index));
    }

    /**
     * {@return a descriptor, lent: to keep it, {@link Fd#move} it}
     *
     * @param handle the handle
     * @throws DBusException INVALID_ARGS if the caller sent less descriptors
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
     * Counts descriptors that the handler is about to open for this call, such as pidfds of
     * processes that the caller has named by number, as if the caller had sent them: against his
     * share of {@link ConnectionOptions#incomingDescriptors}, until the call is answered.
     *
     * @param descriptors how many
     * @throws DBusException LIMITS_EXCEEDED if his user has his share
     * @throws IllegalStateException if the call is answered
     */
    public void opens(int descriptors) {
        counted.opens(descriptors);
    }

    /** {@return the caller's unique name; empty without a bus} */
    public String sender() {
        String sender = message.sender();
        return sender == null ? "" : sender;
    }

    /**
     * {@return the caller, as {@link BusConnection#peer} finds it} Asked for once.
     *
     * @throws DBusException if the caller is gone: then nothing can be decided about it
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Peer peer() throws InterruptedException {
        Peer known = peer;
        if (known == null) {
            known = connection.peerOf(message.sender());
            peer = known;
        }
        return known;
    }

    /** {@return whether the caller waits while the user is asked for permission} */
    public boolean isInteractive() {
        return message.hasFlag(MessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION);
    }

    /** {@return whether a reply would be thrown away} */
    public boolean isOneWay() {
        return message.hasFlag(MessageFlags.NO_REPLY_EXPECTED);
    }

    /** {@return the call as it came} */
    public Message message() {
        return message;
    }

    /** {@return the connection that the call came over; it stays open when the call ends} */
    public BusConnection connection() {
        return connection;
    }

    /** Done by who runs the handler. */
    @Override
    public void close() {
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
