package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * An object of ours that others can call until it is closed. Besides the interfaces with which it
 * was exported it has Introspectable, Peer, Properties and ObjectManager, which lists the objects
 * below it. Safe for use by any thread.
 */
public final class ExportedObject implements AutoCloseable {
    private static final String PROPERTIES = StandardInterfaces.PROPERTIES;
    private static final String CHANGED = "PropertiesChanged";
    private static final Signature CHANGED_TYPES = Signature.of("sa{sv}as");

    private final BusConnection connection;
    private final ManagedObjects all;
    private final String path;
    private final Map<String, BusInterface> interfaces;
    private final @Nullable Executor executor;
    private final List<String> standard;
    private final WaitingCalls calls;

    ExportedObject(
            BusConnection connection,
            ManagedObjects all,
            String path,
            Map<String, BusInterface> interfaces,
            @Nullable Executor executor,
            List<String> standard) {
        this.connection = connection;
        this.all = all;
        this.path = path;
        this.interfaces = interfaces;
        this.executor = executor;
        this.standard = standard;
        this.calls = new WaitingCalls(path);
    }

    /** {@return the path of the object} */
    public String path() {
        return path;
    }

    Map<String, BusInterface> interfaces() {
        return interfaces;
    }

    /** Returns the names of its standard interfaces. */
    List<String> standard() {
        return standard;
    }

    private BusInterface described(String interfaceName) {
        requireNonNull(interfaceName, "interfaceName");
        BusInterface described = interfaces.get(interfaceName);
        if (described == null) {
            throw new IllegalArgumentException(path + " has no interface " + interfaceName);
        }
        return described;
    }

    /**
     * Broadcasts a signal.
     *
     * @param interfaceName the name of the interface
     * @param signal the name of the signal
     * @param arguments the arguments
     * @throws IllegalArgumentException if the interface has no such signal, or the arguments do not
     *     fit its signature
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void emit(String interfaceName, String signal, Object... arguments)
            throws InterruptedException {
        requireNonNull(signal, "signal");
        BusInterface.Signal described = described(interfaceName).signals().get(signal);
        if (described == null) {
            throw new IllegalArgumentException(interfaceName + " has no signal " + signal);
        }
        connection.send(
                Outgoing.signal(
                        "",
                        path,
                        interfaceName,
                        signal,
                        described.type(),
                        Outgoing.values(arguments)));
    }

    /**
     * Emits PropertiesChanged for properties, as their {@link BusInterface.Change} says.
     *
     * @param interfaceName the name of the interface
     * @param properties the names of the properties
     * @throws IllegalArgumentException if the interface has no such property
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void changed(String interfaceName, String... properties) throws InterruptedException {
        List<Object> change = change(interfaceName, properties);
        if (!change.isEmpty()) {
            connection.send(propertiesChanged(change));
        }
    }

    /**
     * Announces a property that a caller has set, on the thread that handles the call.
     *
     * @throws DBusException LIMITS_EXCEEDED if the caller's user leaves too much unread
     */
    void changedByCaller(String interfaceName, String property, CallsUnderWay.Counted caller)
            throws InterruptedException {
        if (executor == null) {
            changed(interfaceName, property);
            return;
        }
        List<Object> change = change(interfaceName, property);
        if (!change.isEmpty()) { // the executor must not wait
            connection.offer(propertiesChanged(change), caller);
        }
    }

    private IntFunction<Outgoing> propertiesChanged(List<Object> change) {
        return Outgoing.signal("", path, PROPERTIES, CHANGED, CHANGED_TYPES, change);
    }

    /** Returns the arguments of PropertiesChanged; none if there is nothing to announce. */
    private List<Object> change(String interfaceName, String... properties) {
        BusInterface described = described(interfaceName);
        Map<String, Object> values = new LinkedHashMap<>();
        List<String> invalidated = new ArrayList<>();
        for (String name : properties) {
            BusInterface.Property property = described.properties().get(name);
            if (property == null) {
                throw new IllegalArgumentException(interfaceName + " has no property " + name);
            }
            switch (property.change()) {
                case VALUE -> values.put(name, value(property));
                case INVALIDATED -> invalidated.add(name);
                case CONSTANT, SILENT -> {}
            }
        }
        return values.isEmpty() && invalidated.isEmpty()
                ? List.of()
                : List.of(interfaceName, values, invalidated);
    }

    static Variant value(BusInterface.Property property) {
        Object value = property.reader().get();
        if (value == null) {
            throw new IllegalStateException("the property " + property.name() + " is null");
        }
        return new Variant(property.type(), value);
    }

    /** The values of an interface's properties. */
    static Map<String, Object> values(BusInterface described) {
        Map<String, Object> values = new LinkedHashMap<>();
        described.properties().forEach((name, property) -> values.put(name, value(property)));
        return values;
    }

    /** The values of all properties by interface, as ObjectManager reports them. */
    Map<String, Object> valuesByInterface() {
        Map<String, Object> values = new LinkedHashMap<>();
        interfaces.forEach((name, described) -> values.put(name, values(described)));
        return values;
    }

    /** Runs the object's handlers; null if they run on virtual threads. */
    @Nullable Executor executor() {
        return executor;
    }

    /** Runs the call on a virtual thread, after the calls that were added before. */
    void runInOrder(Runnable call) {
        calls.add(call);
    }

    /**
     * Withdraws the object: later calls get UnknownObject. A call that is running continues.
     * Idempotent.
     */
    @Override
    public void close() {
        all.remove(this);
    }

    @Override
    public String toString() {
        return path;
    }
}
