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
import org.jspecify.annotations.Nullable;

/**
 * An object of ours that others can call, until it is closed. It has the interfaces that it was
 * given, and by itself Introspectable, Peer, Properties and ObjectManager, which knows the objects
 * below it. Safe for use by any thread.
 */
public final class ExportedObject implements AutoCloseable {
    private final BusConnection connection;
    private final ExportedObjects all;
    private final String path;
    private final Map<String, BusInterface> interfaces;
    private final @Nullable Executor executor;
    private final WaitingCalls calls;

    ExportedObject(
            BusConnection connection,
            ExportedObjects all,
            String path,
            Map<String, BusInterface> interfaces,
            @Nullable Executor executor) {
        this.connection = connection;
        this.all = all;
        this.path = path;
        this.interfaces = interfaces;
        this.executor = executor;
        this.calls = new WaitingCalls(path);
    }

    /** {@return the path that others call it at} */
    public String path() {
        return path;
    }

    Map<String, BusInterface> interfaces() {
        return interfaces;
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
     * Sends a signal to all who listen.
     *
     * @param interfaceName the name of the interface
     * @param signal the name of the signal
     * @param arguments the arguments
     * @throws IllegalArgumentException if the interface has no such signal, or the arguments do not
     *     fit it
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
        connection.emit(path, interfaceName, signal, described.type(), Outgoing.values(arguments));
    }

    /**
     * Tells all who listen that properties have changed, as their {@link BusInterface.Change} says.
     *
     * @param interfaceName the name of the interface
     * @param properties the names of the properties
     * @throws IllegalArgumentException if the interface has no such property
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void changed(String interfaceName, String... properties) throws InterruptedException {
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
        if (!values.isEmpty() || !invalidated.isEmpty()) {
            connection.emit(
                    path,
                    StandardInterfaces.PROPERTIES,
                    "PropertiesChanged",
                    Signature.of("sa{sv}as"),
                    List.of(interfaceName, values, invalidated));
        }
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

    /** The values of all properties by interface, as ObjectManager tells them. */
    Map<String, Object> valuesByInterface() {
        Map<String, Object> values = new LinkedHashMap<>();
        interfaces.forEach((name, described) -> values.put(name, values(described)));
        return values;
    }

    /** Where its calls run, if not on virtual threads. */
    @Nullable Executor executor() {
        return executor;
    }

    /** Runs it on a virtual thread, after what was given before. */
    void runInOrder(Runnable call) {
        calls.add(call);
    }

    /** Withdraws it: further calls find no object. A call that runs goes on. Idempotent. */
    @Override
    public void close() {
        all.remove(this);
    }

    @Override
    public String toString() {
        return path;
    }
}
