package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.Signature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An interface of our exported objects: its methods, properties and signals, with their handlers.
 * Immutable; may serve several objects and connections.
 *
 * <pre>{@code
 * BusInterface clock = BusInterface.named("org.example.Clock")
 *         .method("At", "s", "x", call -> List.of(timeAt(call.string(0))), "zone", "time")
 *         .property("Zone", "s", this::zone, value -> setZone((String) value))
 *         .signal("Tick", "x", "time")
 *         .build();
 * try (ExportedObject exported = bus.export("/org/example/Clock", clock)) {
 *     exported.emit("org.example.Clock", "Tick", now());
 * }
 * }</pre>
 */
public final class BusInterface {
    /** What PropertiesChanged reports when a property changes. */
    public enum Change {
        /** The new value. */
        VALUE("true"),
        /** Only the property's name, as invalidated. */
        INVALIDATED("invalidates"),
        /** Nothing: the property never changes. */
        CONSTANT("const"),
        /** Nothing. */
        SILENT("false");

        private final String annotation;

        Change(String annotation) {
            this.annotation = annotation;
        }

        /** The value of {@code org.freedesktop.DBus.Property.EmitsChangedSignal}. */
        String annotation() {
            return annotation;
        }
    }

    record Argument(String name, Signature type) {}

    record Method(
            String name,
            Signature in,
            Signature out,
            List<Argument> inArguments,
            List<Argument> outArguments,
            boolean noReply,
            Handling handling) {}

    /** How a method is handled. */
    sealed interface Handling {}

    /** The handler returns the values of the reply. */
    record Sync(MethodHandler handler) implements Handling {}

    /** The handler completes the reply later. */
    record Async(AsyncMethodHandler handler) implements Handling {}

    record Property(
            String name,
            Signature type,
            Supplier<?> reader,
            @Nullable Consumer<Object> writer,
            Change change) {}

    record Signal(String name, Signature type, List<Argument> arguments) {}

    private final String name;
    private final boolean concurrent;
    private final Map<String, Method> methods;
    private final Map<String, Property> properties;
    private final Map<String, Signal> signals;

    private BusInterface(Builder builder) {
        this.name = builder.name;
        this.concurrent = builder.concurrent;
        this.methods = new LinkedHashMap<>(builder.methods);
        this.properties = new LinkedHashMap<>(builder.properties);
        this.signals = new LinkedHashMap<>(builder.signals);
    }

    /**
     * Returns a builder of an interface, without members.
     *
     * @param name the name, as {@code org.example.Clock}
     * @return the builder
     * @throws IllegalArgumentException if that is no valid interface name
     */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** {@return the interface name, as {@code org.example.Clock}} */
    public String name() {
        return name;
    }

    boolean isConcurrent() {
        return concurrent;
    }

    Map<String, Method> methods() {
        return methods;
    }

    Map<String, Property> properties() {
        return properties;
    }

    Map<String, Signal> signals() {
        return signals;
    }

    /**
     * Builds the description of an interface. Every method throws IllegalArgumentException for an
     * invalid name or signature, for a wrong number of argument names, and for a member name that
     * is used already.
     */
    public static final class Builder {
        private final String name;
        private boolean concurrent;
        private final Map<String, Method> methods = new LinkedHashMap<>();
        private final Map<String, Property> properties = new LinkedHashMap<>();
        private final Map<String, Signal> signals = new LinkedHashMap<>();

        private Builder(String name) {
            requireNonNull(name, "name");
            if (!Syntax.isInterface(name)) {
                throw new IllegalArgumentException("not an interface name: \"" + name + "\"");
            }
            this.name = name;
        }

        /**
         * Adds a method.
         *
         * @param method the name of the method
         * @param in the signature of its arguments
         * @param out the signature of its return values
         * @param handler handles the calls
         * @param argumentNames the names of the arguments and then of the return values, for
         *     introspection; none, or one for each
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder method(
                String method,
                String in,
                String out,
                MethodHandler handler,
                String... argumentNames) {
            requireNonNull(handler, "handler");
            return method(method, in, out, new Sync(handler), List.of(argumentNames));
        }

        /**
         * Adds a method that the reader thread begins and that replies later: many calls may be
         * under way at a time, and none delays another.
         *
         * @param method the name of the method
         * @param in the signature of its arguments
         * @param out the signature of its return values
         * @param handler begins the calls
         * @param argumentNames the names of the arguments and then of the return values, for
         *     introspection; none, or one for each
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder asyncMethod(
                String method,
                String in,
                String out,
                AsyncMethodHandler handler,
                String... argumentNames) {
            requireNonNull(handler, "handler");
            return method(method, in, out, new Async(handler), List.of(argumentNames));
        }

        private Builder method(
                String method,
                String in,
                String out,
                Handling handling,
                List<String> argumentNames) {
            Signature inTypes = Signature.of(requireNonNull(in, "in"));
            requireNonNull(out, "out");
            Signature outTypes = Signature.of(out);
            List<Signature> types = new ArrayList<>(inTypes.types());
            int ins = types.size();
            types.addAll(outTypes.types());
            List<Argument> all = arguments(method, types, argumentNames);
            Method described =
                    new Method(
                            member(method),
                            inTypes,
                            outTypes,
                            all.subList(0, ins),
                            all.subList(ins, all.size()),
                            false,
                            handling);
            unique(method, methods.putIfAbsent(method, described) == null);
            return this;
        }

        /**
         * Marks a method in the introspection data as one whose callers expect no reply ({@code
         * org.freedesktop.DBus.Method.NoReply}). A caller that expects one still gets it.
         *
         * @param method the name of a method that was added before
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder noReply(String method) {
            Method described = methods.get(requireNonNull(method, "method"));
            if (described == null) {
                throw new IllegalArgumentException(name + " has no method " + method);
            }
            methods.put(
                    method,
                    new Method(
                            method,
                            described.in(),
                            described.out(),
                            described.inArguments(),
                            described.outArguments(),
                            true,
                            described.handling()));
            return this;
        }

        /**
         * Adds a read-only property; {@link ExportedObject#changed} announces its changes.
         *
         * @param property the name of the property
         * @param type one complete type
         * @param reader returns the value; called by any thread
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder property(String property, String type, Supplier<?> reader) {
            return property(property, type, reader, null, Change.VALUE);
        }

        /**
         * Adds a property that callers can set; each change by a caller is announced.
         *
         * @param property the name of the property
         * @param type the signature
         * @param reader returns the value; called by any thread
         * @param writer called with the new value; may throw {@link DBusException}
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder property(
                String property, String type, Supplier<?> reader, Consumer<Object> writer) {
            return property(property, type, reader, writer, Change.VALUE);
        }

        /**
         * Adds a property with a given kind of change notification.
         *
         * @param property the name of the property
         * @param type the signature
         * @param reader returns the value; called by any thread
         * @param writer called with the new value; null for a read-only property
         * @param change what PropertiesChanged reports when the property changes
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder property(
                String property,
                String type,
                Supplier<?> reader,
                @Nullable Consumer<Object> writer,
                Change change) {
            Signature signature = Signature.of(requireNonNull(type, "type"));
            requireNonNull(reader, "reader");
            requireNonNull(change, "change");
            if (!signature.isSingle() || type.indexOf('h') >= 0) {
                throw new IllegalArgumentException(
                        "a property has one type, without descriptors, and not \""
                                + type
                                + "\": "
                                + property);
            }
            Property described = new Property(member(property), signature, reader, writer, change);
            unique(property, properties.putIfAbsent(property, described) == null);
            return this;
        }

        /**
         * Adds a signal, which {@link ExportedObject#emit} sends.
         *
         * @param signal the name of the signal
         * @param type the signature
         * @param argumentNames the names of the arguments, for introspection
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder signal(String signal, String type, String... argumentNames) {
            Signature signature = Signature.of(requireNonNull(type, "type"));
            Signal described =
                    new Signal(
                            member(signal),
                            signature,
                            arguments(signal, signature.types(), List.of(argumentNames)));
            unique(signal, signals.putIfAbsent(signal, described) == null);
            return this;
        }

        /**
         * Lets the calls of these methods run at the same time, each on its own virtual thread.
         * Otherwise an object handles one call after the other.
         *
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder concurrent() {
            concurrent = true;
            return this;
        }

        /**
         * {@return the interface as described so far; further changes of the builder do not affect
         * it}
         */
        public BusInterface build() {
            return new BusInterface(this);
        }

        private static String member(String member) {
            requireNonNull(member, "the name of a member");
            if (!Syntax.isMember(member)) {
                throw new IllegalArgumentException("not a member name: \"" + member + "\"");
            }
            return member;
        }

        private void unique(String member, boolean isNew) {
            if (!isNew) {
                throw new IllegalArgumentException(name + " has " + member + " already");
            }
        }

        private static List<Argument> arguments(
                String member, List<Signature> types, List<String> names) {
            if (!names.isEmpty() && names.size() != types.size()) {
                throw new IllegalArgumentException(
                        "%s has %d arguments and %d names"
                                .formatted(member, types.size(), names.size()));
            }
            names.forEach(Builder::member);
            List<Argument> arguments = new ArrayList<>();
            for (int i = 0; i < types.size(); i++) {
                arguments.add(new Argument(names.isEmpty() ? "" : names.get(i), types.get(i)));
            }
            return List.copyOf(arguments);
        }
    }
}
