package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Syntax;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An object of ours that others can call, by implementations of Java interfaces, until it is
 * closed.
 *
 * <pre>{@code
 * try (Export clock = Export.of(connection, "/com/example/Clock", Clock.class, new SystemClock())) {
 *     connection.requestName("com.example.Clock");
 *     clock.emit(new Clock.Tick(7));
 *     clock.changed(Clock.class, "Zone");
 * }
 * }</pre>
 *
 * <p>What an interface may look like is said by {@linkplain io.holdfast.dbus.typed the package}.
 * Methods run on a virtual thread and may wait, one after the other in the order in which they were
 * called, unless the object is {@link Builder#concurrent}. Methods that return a stage are a line
 * of their own, beside the others: each is over when it has returned, and its reply is sent when
 * the stage completes. So an implementation that has both kinds is called by two threads at a time;
 * accessors of properties may be called by any thread. Within a method {@link #currentCall} knows
 * the caller.
 *
 * <p>An implementation that throws {@link io.holdfast.dbus.DBusException} gives the caller that
 * error. Whatever else it throws is logged, and the caller gets {@code
 * org.freedesktop.DBus.Error.Failed} with one line; so does a result that is null or does not fit.
 * An argument that its Java type has no place for is refused by INVALID_ARGS, without a call.
 *
 * <p>Safe for use by any thread.
 */
public final class Export implements AutoCloseable {
    private final ExportedObject object;
    private final Map<Class<?>, TypedInterface> types;

    private Export(ExportedObject object, Map<Class<?>, TypedInterface> types) {
        this.object = object;
        this.types = types;
    }

    /**
     * Exports an object with one interface. It can be seen at once: request a name afterwards.
     *
     * @param <T> the interface
     * @param connection where others can call it
     * @param path the path of the object
     * @param type the interface, public and in a package that this module can see
     * @param implementation what is called
     * @return the object; closing it withdraws it
     * @throws NullPointerException if one of them is null
     * @throws IllegalArgumentException if the path is none, or the interface can be no D-Bus
     *     interface: with interface, method, parameter and reason
     * @throws IllegalStateException if the path has an object. Nothing is exported then, nor if
     *     reading a property fails
     */
    public static <T> Export of(
            BusConnection connection, String path, Class<T> type, T implementation) {
        return at(path).add(type, implementation).on(connection);
    }

    /**
     * Begins an object with several interfaces.
     *
     * <pre>{@code
     * Export.at("/com/example/Clock")
     *         .add(Clock.class, clock)
     *         .add(Alarm.class, alarm)
     *         .on(connection)
     * }</pre>
     *
     * @param path the path of the object
     * @return the builder
     * @throws NullPointerException if the path is null
     * @throws IllegalArgumentException if it is none
     */
    public static Builder at(String path) {
        return new Builder(path);
    }

    /**
     * Describes an implementation for {@link BusConnection#export} and {@link
     * io.holdfast.dbus.ObjectTree}: where an object has executors of its own, or there are many of
     * them.
     *
     * @param <T> the interface
     * @param type the interface
     * @param implementation what is called
     * @return the D-Bus interface
     * @throws NullPointerException if one of them is null
     * @throws IllegalArgumentException if the interface can be no D-Bus interface
     */
    public static <T> BusInterface describe(Class<T> type, T implementation) {
        TypedInterface described = TypedInterface.of(requireNonNull(type, "type"));
        requireNonNull(implementation, "implementation");
        if (!type.isInstance(implementation)) {
            throw new IllegalArgumentException(
                    implementation.getClass().getName() + " is no " + type.getName());
        }
        return new LocalInterface(described, implementation).describe(false);
    }

    /**
     * The call that is being handled, for a method of an implementation: who calls, by which
     * connection.
     *
     * <pre>{@code
     * public void shutDown() throws InterruptedException {
     *     if (!authority.isAuthorized(Export.currentCall().peer(), "com.example.shut-down")) {
     *         throw new DBusException(DBusException.ACCESS_DENIED, "not for you");
     *     }
     * }
     * }</pre>
     *
     * @return the call, until the method returns
     * @throws IllegalStateException if the thread handles none: in accessors of properties, and on
     *     threads that a method has started
     */
    public static MethodCall currentCall() {
        if (!LocalInterface.CALL.isBound()) {
            throw new IllegalStateException("this thread handles no D-Bus call");
        }
        return LocalInterface.CALL.get();
    }

    /** {@return the path that others call it at} */
    public String path() {
        return object.path();
    }

    /**
     * Sends a signal to all who listen.
     *
     * @param signal a record that is nested in one of the interfaces
     * @throws NullPointerException if it or one of its components is null
     * @throws IllegalArgumentException if no interface has that signal, or a component does not fit
     *     its D-Bus type
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void emit(Signal signal) throws InterruptedException {
        TypedSignal described = TypedSignal.of(requireNonNull(signal, "signal").getClass());
        boolean known =
                types.values().stream().anyMatch(type -> type.signals().contains(described));
        if (!known) {
            throw new IllegalArgumentException(
                    object.path() + " has no signal " + described.subject());
        }
        object.emit(
                described.interfaceName(), described.member(), described.toWire(signal).toArray());
    }

    /**
     * Tells all who listen that properties have changed, as their {@link Property} says: with the
     * new values, or without.
     *
     * @param type the interface that has them
     * @param properties their D-Bus names
     * @throws NullPointerException if one of them is null
     * @throws IllegalArgumentException if the object does not have the interface, or the interface
     *     not the property
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void changed(Class<?> type, String... properties) throws InterruptedException {
        TypedInterface described = types.get(requireNonNull(type, "type"));
        if (described == null) {
            throw new IllegalArgumentException(
                    object.path() + " was not exported with " + type.getName());
        }
        object.changed(described.name(), properties);
    }

    /** Withdraws it: further calls find no object. A call that runs goes on. Idempotent. */
    @Override
    public void close() {
        object.close();
    }

    @Override
    public String toString() {
        return object.toString();
    }

    /** An object that is to be exported. For one thread. */
    public static final class Builder {
        private final String path;
        private final Map<Class<?>, Object> implementations = new LinkedHashMap<>();
        private boolean concurrent;

        private Builder(String path) {
            if (!Syntax.isObjectPath(requireNonNull(path, "path"))) {
                throw new IllegalArgumentException("not an object path: \"" + path + "\"");
            }
            this.path = path;
        }

        /**
         * Adds an interface.
         *
         * @param <T> the interface
         * @param type the interface, public and in a package that this module can see
         * @param implementation what is called
         * @return this
         * @throws NullPointerException if one of them is null
         * @throws IllegalArgumentException if the interface is there already, or can be no D-Bus
         *     interface
         */
        @CanIgnoreReturnValue
        public <T> Builder add(Class<T> type, T implementation) {
            var _ = Export.describe(type, implementation);
            if (implementations.putIfAbsent(type, implementation) != null) {
                throw new IllegalArgumentException(path + " has " + type.getName() + " already");
            }
            return this;
        }

        /**
         * Methods run at the same time, each on its own virtual thread.
         *
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder concurrent() {
            concurrent = true;
            return this;
        }

        /**
         * Exports the object. It can be seen at once: request a name afterwards.
         *
         * @param connection where others can call it
         * @return the object; closing it withdraws it
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if two of the interfaces have the same D-Bus name
         * @throws IllegalStateException if the path has an object. Nothing is exported then, nor if
         *     reading a property fails
         */
        public Export on(BusConnection connection) {
            requireNonNull(connection, "connection");
            Map<Class<?>, TypedInterface> types = new LinkedHashMap<>();
            BusInterface[] described =
                    implementations.entrySet().stream()
                            .map(entry -> {
                                types.put(entry.getKey(), TypedInterface.of(entry.getKey()));
                                return describe(entry.getKey(), entry.getValue());
                            })
                            .toArray(BusInterface[]::new);
            return new Export(connection.export(path, described), Map.copyOf(types));
        }

        private BusInterface describe(Class<?> type, Object implementation) {
            return new LocalInterface(TypedInterface.of(type), implementation).describe(concurrent);
        }
    }
}
