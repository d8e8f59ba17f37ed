package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.marshal.Syntax;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An object of ours that others can call until it is closed; implementations of Java interfaces
 * handle its calls.
 *
 * <pre>{@code
 * try (Export clock = Export.of(connection, "/com/example/Clock", Clock.class, new SystemClock())) {
 *     connection.requestName("com.example.Clock");
 *     clock.emit(new Clock.Tick(7));
 *     clock.changed(Clock.class, "Zone");
 * }
 * }</pre>
 *
 * <p>{@linkplain io.holdfast.dbus.typed The package} describes which interfaces are allowed.
 * Methods run on a virtual thread and may wait, one after the other in the order in which they were
 * called, unless the object is {@link Builder#concurrent}. Methods that return a stage have an
 * order of their own, beside the other methods: the next one begins when the method has returned,
 * and its reply is sent when the stage completes. So two threads at a time may call an
 * implementation that has both kinds; any thread may call the accessors of properties. Within a
 * method, {@link #currentCall} returns the call and its caller.
 *
 * <p>A {@link io.holdfast.dbus.DBusException} of an implementation becomes the error reply. Any
 * other exception is logged, and the caller gets {@code org.freedesktop.DBus.Error.Failed} with one
 * line of text; the same holds for a result that is null or does not fit its type. An argument
 * outside the range of its Java type gets INVALID_ARGS, and the implementation is not called.
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
     * Exports an object with one interface. It is visible at once: request a name afterwards.
     *
     * @param <T> the interface
     * @param connection the connection over which others can call it
     * @param path the path of the object
     * @param type the interface, public and in a package that this module can see
     * @param implementation handles the calls
     * @return the exported object; closing it withdraws it
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the path is invalid, or the interface is no valid D-Bus
     *     interface: names interface, method, parameter and reason
     * @throws IllegalStateException if an object is exported at the path already; nothing is
     *     exported then, nor if reading a property fails
     */
    public static <T> Export of(
            BusConnection connection, String path, Class<T> type, T implementation) {
        return at(path).add(type, implementation).on(connection);
    }

    /**
     * Returns a builder of an object with several interfaces.
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
     * @throws IllegalArgumentException if the path is invalid
     */
    public static Builder at(String path) {
        return new Builder(path);
    }

    /**
     * Describes an implementation for {@link BusConnection#export} and {@link
     * io.holdfast.dbus.ObjectTree}, for objects with an executor and for trees of many objects. All
     * methods then run on the executor, where nothing may wait; those that return a stage begin
     * there.
     *
     * @param <T> the interface
     * @param type the interface
     * @param implementation handles the calls
     * @return the D-Bus interface
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the interface is no valid D-Bus interface
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
     * Returns the call that the current thread is handling, for a method of an implementation: with
     * its caller and its connection.
     *
     * <pre>{@code
     * public void shutDown() throws InterruptedException {
     *     if (!authority.isAuthorized(Export.currentCall().peer(), "com.example.shut-down")) {
     *         throw new DBusException(DBusException.ACCESS_DENIED, "not for you");
     *     }
     * }
     * }</pre>
     *
     * @return the call, valid until the method returns
     * @throws IllegalStateException if the thread handles no call, as in accessors of properties
     *     and on threads that a method has started
     */
    public static MethodCall currentCall() {
        if (!LocalInterface.CALL.isBound()) {
            throw new IllegalStateException("this thread handles no D-Bus call");
        }
        return LocalInterface.CALL.get();
    }

    /** {@return the path of the object} */
    public String path() {
        return object.path();
    }

    /**
     * Broadcasts a signal.
     *
     * @param signal a record that is nested in one of the interfaces
     * @throws NullPointerException if the signal or one of its components is null
     * @throws IllegalArgumentException if no interface has that signal, or a component does not fit
     *     its D-Bus type
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void emit(DBusSignal signal) throws InterruptedException {
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
     * Emits PropertiesChanged for properties, as their {@link Property} says: with the new values,
     * or without.
     *
     * @param type the interface that declares them
     * @param properties the D-Bus names of the properties
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the object does not have the interface, or the interface
     *     does not have the property
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

    /**
     * Withdraws the object: later calls get UnknownObject. A call that is running continues.
     * Idempotent.
     */
    @Override
    public void close() {
        object.close();
    }

    @Override
    public String toString() {
        return object.toString();
    }

    /** Builds an object that is to be exported. For use by one thread. */
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
         * @param implementation handles the calls
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the interface was added already, or is no valid D-Bus
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
         * Lets methods run at the same time, each on its own virtual thread.
         *
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder concurrent() {
            concurrent = true;
            return this;
        }

        /**
         * Exports the object. It is visible at once: request a name afterwards.
         *
         * @param connection the connection over which others can call it
         * @return the exported object; closing it withdraws it
         * @throws NullPointerException if the connection is null
         * @throws IllegalArgumentException if two of the interfaces have the same D-Bus name
         * @throws IllegalStateException if an object is exported at the path already; nothing is
         *     exported then, nor if reading a property fails
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
