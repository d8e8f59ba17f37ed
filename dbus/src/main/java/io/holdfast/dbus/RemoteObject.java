package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/**
 * An object of another connection, and how to call it. Immutable; made by {@link
 * BusConnection#object}, which does not check that the object exists. Its methods wait for the
 * reply and throw
 *
 * <ul>
 *   <li>{@link DBusException} if the reply is an error, or does not come in time;
 *   <li>{@link ConnectionLostException} if the connection is or gets lost;
 *   <li>IllegalArgumentException if names are invalid or arguments do not fit their signature.
 * </ul>
 *
 * The callee gets a duplicate of an {@code Fd} among the arguments, which stays the caller's.
 */
public final class RemoteObject {
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";

    private final BusConnection connection;
    private final String destination; // "" without a bus
    private final String path;
    private final Duration timeout;
    private final int flags;

    RemoteObject(
            BusConnection connection,
            String destination,
            String path,
            Duration timeout,
            int flags) {
        this.connection = connection;
        this.destination = destination;
        this.path = path;
        this.timeout = timeout;
        this.flags = flags;
    }

    /**
     * Returns the same object with another time limit for calls.
     *
     * @param time the time limit, positive
     * @return the object with this time limit
     */
    public RemoteObject withTimeout(Duration time) {
        return new RemoteObject(connection, destination, path, time, flags);
    }

    /**
     * Returns the same object; calls do not start a service that is not running.
     *
     * @return the object whose calls have NO_AUTO_START
     */
    public RemoteObject withoutStart() {
        return withFlag(MessageFlags.NO_AUTO_START);
    }

    /**
     * Returns the same object; a service may ask the user for permission before it replies. The
     * time limit of a call still holds.
     *
     * @return the object whose calls have ALLOW_INTERACTIVE_AUTHORIZATION
     */
    public RemoteObject interactive() {
        return withFlag(MessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION);
    }

    private RemoteObject withFlag(int flag) {
        return new RemoteObject(connection, destination, path, timeout, flags | flag);
    }

    /** {@return the connection over which it is called} */
    public BusConnection connection() {
        return connection;
    }

    /** {@return the bus name to which its calls go; empty without a bus} */
    public String destination() {
        return destination;
    }

    /** {@return the path of the object} */
    public String path() {
        return path;
    }

    /**
     * Calls a method.
     *
     * @param interfaceName the name of the interface
     * @param method the name of the method
     * @param signature the types of the arguments
     * @param arguments the arguments, as {@link Message#values} describes them
     * @return the values of the reply, as plain values. Descriptors of the reply are closed: to get
     *     them, use {@link #exchange}
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @CanIgnoreReturnValue
    public List<Object> call(
            String interfaceName, String method, String signature, Object... arguments)
            throws InterruptedException {
        try (Message reply = exchange(interfaceName, method, signature, arguments)) {
            return reply.values();
        }
    }

    /**
     * Calls a method without arguments.
     *
     * @param interfaceName the name of the interface
     * @param method the name of the method
     * @return the values of the reply, as plain values
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @CanIgnoreReturnValue
    public List<Object> call(String interfaceName, String method) throws InterruptedException {
        return call(interfaceName, method, "");
    }

    /**
     * Calls a method; the caller closes the reply, or takes its descriptors.
     *
     * @param interfaceName the name of the interface
     * @param method the name of the method
     * @param signature the types of the arguments
     * @param arguments the arguments, as {@link Message#values} describes them
     * @return the reply, owned by the caller
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Message exchange(
            String interfaceName, String method, String signature, Object... arguments)
            throws InterruptedException {
        return connection.call(
                message(flags, interfaceName, method, signature, arguments), timeout);
    }

    /**
     * Calls a method and does not wait for the reply. The thread waits only while {@link
     * ConnectionOptions#withCalls} calls are under way, or while {@link
     * ConnectionOptions#withOutgoingBytes} wait to be sent; calls are sent in the order in which
     * they are begun.
     *
     * <pre>{@code
     * CompletableFuture<Message> reply = object.begin("org.example.Clock", "At", "x", 7L);
     * }</pre>
     *
     * @param interfaceName the name of the interface
     * @param method the name of the method
     * @param signature the types of the arguments
     * @param arguments the arguments, as {@link Message#values} describes them
     * @return completed on a virtual thread, with the reply, which its receiver must close, or with
     *     an exception of {@link #exchange}. Cancelling it ends the wait; a reply that comes later
     *     is closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public CompletableFuture<Message> begin(
            String interfaceName, String method, String signature, Object... arguments)
            throws InterruptedException {
        return connection.begin(
                message(flags, interfaceName, method, signature, arguments), timeout);
    }

    /**
     * Calls a method without a reply: the service sends none, not even an error.
     *
     * @param interfaceName the name of the interface
     * @param method the name of the method
     * @param signature the types of the arguments
     * @param arguments the arguments, as {@link Message#values} describes them
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void callWithoutReply(
            String interfaceName, String method, String signature, Object... arguments)
            throws InterruptedException {
        connection.send(
                message(
                        flags | MessageFlags.NO_REPLY_EXPECTED,
                        interfaceName,
                        method,
                        signature,
                        arguments));
    }

    private IntFunction<Outgoing> message(
            int withFlags,
            String interfaceName,
            String method,
            String signature,
            Object[] arguments) {
        return Outgoing.call(
                destination,
                path,
                requireNonNull(interfaceName, "interfaceName"),
                requireNonNull(method, "method"),
                withFlags,
                Signature.of(requireNonNull(signature, "signature")),
                Outgoing.values(arguments));
    }

    /**
     * Reads a property.
     *
     * @param interfaceName the name of the interface
     * @param property the name of the property
     * @return the value
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Object get(String interfaceName, String property) throws InterruptedException {
        requireNonNull(interfaceName, "interfaceName");
        requireNonNull(property, "property");
        return switch (single(call(PROPERTIES, "Get", "ss", interfaceName, property))) {
            case Variant(_, Object value) -> value;
            case Object other -> throw inconsistent("Get", other);
        };
    }

    /**
     * Reads all properties of an interface.
     *
     * @param interfaceName the name of the interface
     * @return the values by property name
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Map<String, Object> getAll(String interfaceName) throws InterruptedException {
        requireNonNull(interfaceName, "interfaceName");
        Object all = single(call(PROPERTIES, "GetAll", "s", interfaceName));
        if (!(all instanceof Map<?, ?> map)) {
            throw inconsistent("GetAll", all);
        }
        Map<String, Object> values = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (!(key instanceof String name) || !(value instanceof Variant variant)) {
                throw inconsistent("GetAll", all);
            }
            values.put(name, variant.value());
        });
        return values;
    }

    /**
     * Sets a property.
     *
     * @param interfaceName the name of the interface
     * @param property the name of the property
     * @param value the new value with its type, as {@code Variant.of("u", 7)}
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void set(String interfaceName, String property, Variant value)
            throws InterruptedException {
        requireNonNull(value, "value");
        call(
                PROPERTIES,
                "Set",
                "ssv",
                requireNonNull(interfaceName, "interfaceName"),
                requireNonNull(property, "property"),
                value);
    }

    private static Object single(List<Object> values) {
        return values.size() == 1 ? values.getFirst() : values;
    }

    private static DBusException inconsistent(String method, Object reply) {
        return new DBusException(
                DBusException.INCONSISTENT_MESSAGE, method + ": unexpected reply " + reply);
    }

    @Override
    public String toString() {
        return destination + path;
    }
}
