package io.holdfast.varlink.server;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.tree.Definition;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** An interface together with the handlers of its methods. Immutable. */
public final class Service {
    /** The handler of a method, by its kind. */
    sealed interface Handler {}

    record Plain(CallHandler handler) implements Handler {}

    record Async(AsyncCallHandler handler) implements Handler {}

    record Upgrading(UpgradeHandler handler) implements Handler {}

    /** A method with its handler and options. */
    record Served(
            Definition definition,
            Definition.Method method,
            Handler handler,
            Set<MethodOption> options) {
        boolean upgrades() {
            return handler instanceof Upgrading;
        }
    }

    private final Definition definition;
    private final Map<String, Served> methods;

    private Service(Definition definition, Map<String, Served> methods) {
        this.definition = definition;
        this.methods = Map.copyOf(methods);
    }

    /**
     * Returns a builder of a service for an interface, without handlers.
     *
     * @param definition the interface
     * @return the builder
     */
    public static Builder of(Interface definition) {
        return new Builder(Definition.of(definition));
    }

    /** {@return the definition of the interface} */
    public Interface definition() {
        return definition;
    }

    Definition tree() {
        return definition;
    }

    Optional<Served> find(String method) {
        return Optional.ofNullable(methods.get(method));
    }

    boolean upgrades() {
        return methods.values().stream().anyMatch(Served::upgrades);
    }

    /** Collects handlers. Calls of a method without one get {@code MethodNotImplemented}. */
    public static final class Builder {
        private final Definition definition;
        private final Map<String, Served> methods = new HashMap<>();

        private Builder(Definition definition) {
            this.definition = definition;
        }

        /**
         * Serves a method.
         *
         * @param name the name of the method, without that of the interface
         * @param handler handles the calls
         * @param options the options
         * @return this
         * @throws IllegalArgumentException if the interface does not define the method, or the
         *     method has a handler already
         */
        @CanIgnoreReturnValue
        public Builder method(String name, CallHandler handler, MethodOption... options) {
            return put(name, new Plain(handler), options);
        }

        /**
         * Serves a method whose handler does not block.
         *
         * @param name the name of the method, without that of the interface
         * @param handler handles the calls
         * @param options the options
         * @return this
         * @throws IllegalArgumentException if the interface does not define the method, or the
         *     method has a handler already
         */
        @CanIgnoreReturnValue
        public Builder asyncMethod(String name, AsyncCallHandler handler, MethodOption... options) {
            return put(name, new Async(handler), options);
        }

        /**
         * Serves a method that must be called with {@code upgrade}; other calls get {@code
         * ExpectedUpgrade}.
         *
         * @param name the name of the method, without that of the interface
         * @param handler handles the calls
         * @return this
         * @throws IllegalArgumentException if the interface does not define the method, or the
         *     method has a handler already
         */
        @CanIgnoreReturnValue
        public Builder upgradeMethod(String name, UpgradeHandler handler) {
            return put(name, new Upgrading(handler));
        }

        private Builder put(String name, Handler handler, MethodOption... options) {
            Definition.Method method =
                    definition
                            .method(name)
                            .orElseThrow(() ->
                                    new IllegalArgumentException(
                                            definition.name() + " defines no method " + name));
            Served served = new Served(definition, method, handler, Set.copyOf(List.of(options)));
            if (methods.putIfAbsent(name, served) != null) {
                throw new IllegalArgumentException(name + " has a handler already");
            }
            return this;
        }

        /** {@return the service with the handlers so far} */
        public Service build() {
            return new Service(definition, methods);
        }
    }
}
