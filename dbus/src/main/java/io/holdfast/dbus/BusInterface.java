package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Syntax;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An interface that objects of ours have: its methods, properties and signals, with what they do.
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
    /** What listeners are told when a property changes. */
    public enum Change {
        /** Its new value. */
        VALUE("true"),
        /** That it has another value. */
        INVALIDATED("invalidates"),
        /** Nothing, since it never changes. */
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
    sealed interface Handling {
        /** The values are there when the handler returns. */
        record Now(MethodHandler handler) implements Handling {}

        /** The values come later. */
        record Later(AsyncMethodHandler handler) implements Handling {}
    }

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
     * Begins a description.
     *
     * @param name the name, as {@code org.example.Clock}
     * @return the builder
     * @throws IllegalArgumentException if that can be no interface's name
     */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** {@return its name, as {@code org.example.Clock}} */
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
     * Describes an interface. Every method throws IllegalArgumentException for a name, a signature
     * or a number of argument names that cannot be, and for a name that is there already.
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
         * A method.
         *
         * @param method the name of the method
         * @param in the signature of its arguments
         * @param out the signature of what it returns
         * @param handler what answers the calls
         * @param argumentNames of those that come in and then of those that go out, for
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
            return method(method, in, out, new Handling.Now(handler), List.of(argumentNames));
        }

        /**
         * The same of a method that is begun by the thread that reads and replies later: many calls
         * may be under way at a time, and none holds up another.
         *
         * @param method the name of the method
         * @param in the signature of what it takes
         * @param out the signature of what it returns
         * @param handler what answers the calls
         * @param argumentNames the names of the arguments, for introspection
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
            return method(method, in, out, new Handling.Later(handler), List.of(argumentNames));
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
            List<Argument> all = arguments(method, Signature.of(in + out), argumentNames);
            int ins = inTypes.types().size();
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
         * Introspection says of a method that callers want no reply ({@code
         * org.freedesktop.DBus.Method.NoReply}). Whoever wants one gets it all the same.
         *
         * @param method the name of a method that this has
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
         * A property that can only be read; {@link ExportedObject#changed} tells others.
         *
         * @param property the name of the property
         * @param type one complete type
         * @param reader called by any thread
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder property(String property, String type, Supplier<?> reader) {
            return property(property, type, reader, null, Change.VALUE);
        }

        /**
         * A property that others can set, which is told to listeners.
         *
         * @param property the name of the property
         * @param type the signature
         * @param reader reads the property; called by any thread
         * @param writer called with the new value; may throw {@link DBusException}
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder property(
                String property, String type, Supplier<?> reader, Consumer<Object> writer) {
            return property(property, type, reader, writer, Change.VALUE);
        }

        /**
         * A property of which listeners learn as said.
         *
         * @param property the name of the property
         * @param type the signature
         * @param reader reads the property; called by any thread
         * @param writer null if it can only be read
         * @param change what listeners are sent when it changes
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
         * A signal, sent by {@link ExportedObject#emit}.
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
                            arguments(signal, signature, List.of(argumentNames)));
            unique(signal, signals.putIfAbsent(signal, described) == null);
            return this;
        }

        /**
         * Calls of these methods run at the same time, each on its own virtual thread. Otherwise an
         * object handles one call after the other.
         *
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder concurrent() {
            concurrent = true;
            return this;
        }

        /**
         * {@return the interface as described so far; the builder may go on, and changes it no
         * more}
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
                String member, Signature signature, List<String> names) {
            List<Signature> types = signature.types();
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
