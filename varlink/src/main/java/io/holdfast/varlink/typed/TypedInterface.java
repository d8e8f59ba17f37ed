package io.holdfast.varlink.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Documentation;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.typed.Conversion.UnfitException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A Varlink interface that a Java interface describes: its definition, proxies of services that
 * have it, and a service of an object that implements it. {@linkplain io.holdfast.varlink.typed The
 * package} describes which interfaces are allowed.
 *
 * <p>Immutable.
 *
 * @param <T> the Java interface
 */
public final class TypedInterface<T> {
    private static final ScopedValue<Call> CALL = ScopedValue.newInstance();

    private record TypedMethod(String name, RecordStruct input, RecordStruct output) {}

    private final Class<T> type;
    private final Definition definition;
    private final Map<Method, TypedMethod> methods;
    private final Map<Class<?>, RecordStruct> errors;

    private TypedInterface(
            Class<T> type,
            Definition definition,
            Map<Method, TypedMethod> methods,
            Map<Class<?>, RecordStruct> errors) {
        this.type = type;
        this.definition = definition;
        this.methods = methods;
        this.errors = errors;
    }

    /**
     * Reads a Java interface.
     *
     * @param <T> the Java interface
     * @param type the Java interface
     * @param errors the errors of its methods: a record {@code NoZone(String zone)} is the error
     *     {@code NoZone (zone: string)}
     * @return the Varlink interface
     * @throws IllegalArgumentException if it is no valid Varlink interface: names the method or
     *     component and the reason
     */
    public static <T> TypedInterface<T> of(Class<T> type, Class<?>... errors) {
        if (!type.isInterface()) {
            throw new IllegalArgumentException(type.getName() + " is not an interface");
        }
        Types.requireAccessible(type);
        Types types = new Types();
        Map<Method, TypedMethod> methods = new LinkedHashMap<>();
        List<Definition.Member> members = new ArrayList<>();
        Method[] declared = type.getMethods();
        Arrays.sort(declared, Comparator.comparing(TypedInterface::nameOf)); // Java has no order
        for (Method method : declared) {
            if (Modifier.isAbstract(method.getModifiers())) {
                TypedMethod typed = typed(method, types);
                TypedMethod _ = methods.put(method, typed);
                boolean _ =
                        members.add(
                                new Definition.Method(
                                        Documentation.NONE,
                                        typed.name(),
                                        typed.input().type(),
                                        typed.output().type()));
            }
        }
        Map<Class<?>, RecordStruct> structs = new LinkedHashMap<>();
        for (Class<?> error : errors) {
            if (!error.isRecord()) {
                throw new IllegalArgumentException(error.getName() + ": an error is a record");
            }
            RecordStruct struct = RecordStruct.of(error, types);
            RecordStruct _ = structs.put(error, struct);
            boolean _ =
                    members.add(
                            new Definition.NamedError(
                                    Documentation.NONE, nameOf(error), struct.type()));
        }
        members.addAll(0, types.members());
        String name = Types.nameOf(type, String.valueOf(type.getCanonicalName()));
        try {
            Definition definition = new Definition(Documentation.NONE, name, members);
            return new TypedInterface<>(type, definition, methods, structs);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(type.getName() + ": " + e.getMessage(), e);
        }
    }

    private static String nameOf(Class<?> error) {
        return Types.nameOf(error, error.getSimpleName());
    }

    private static String nameOf(Method method) {
        String java = method.getName();
        return Types.nameOf(
                method, java.substring(0, 1).toUpperCase(Locale.ROOT) + java.substring(1));
    }

    private static TypedMethod typed(Method method, Types types) {
        String place = method.getDeclaringClass().getSimpleName() + "." + method.getName();
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length > 1 || (parameters.length == 1 && !parameters[0].isRecord())) {
            throw new IllegalArgumentException(
                    place + ": its parameters must be the components of one record");
        }
        Class<?> returned = method.getReturnType();
        if (returned != void.class && !returned.isRecord()) {
            throw new IllegalArgumentException(
                    place + ": it must return void or a record, whose components are the reply");
        }
        return new TypedMethod(
                nameOf(method),
                parameters.length == 0 ? RecordStruct.NONE : RecordStruct.of(parameters[0], types),
                returned == void.class ? RecordStruct.NONE : RecordStruct.of(returned, types));
    }

    /** {@return the definition of the interface; its {@code toString} is the text} */
    public Interface definition() {
        return definition;
    }

    /**
     * Makes a proxy of a service that has this interface. Its methods call, and wait for the reply
     * within the time limit of the client; they throw
     *
     * <ul>
     *   <li>{@link VarlinkException}, if the service replies with an error;
     *   <li>{@link io.holdfast.varlink.client.ServiceLostException} and {@link
     *       io.holdfast.varlink.client.CallNotSentException} as the client does;
     *   <li>IllegalArgumentException for a value that has no Varlink form, such as null: nothing is
     *       sent then;
     *   <li>IllegalStateException, if the reply does not fit the record: names the field and the
     *       reason. Unknown fields are ignored.
     * </ul>
     *
     * @param client the client, which is used and not closed
     * @return the proxy, safe for use by any thread
     */
    public T proxy(VarlinkClient client) {
        requireNonNull(client, "client");
        InvocationHandler handler =
                (proxy, method, arguments) -> {
                    TypedMethod typed = methods.get(method);
                    if (typed != null) {
                        return call(client, typed, arguments == null ? null : arguments[0]);
                    }
                    if (method.isDefault()) {
                        return InvocationHandler.invokeDefault(proxy, method, arguments);
                    }
                    return switch (method.getName()) { // of Object
                        case "equals" -> isSame(proxy, arguments[0]);
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> definition.name() + " proxy";
                    };
                };
        Class<?>[] types = {type};
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), types, handler));
    }

    @SuppressWarnings("ReferenceEquality") // a proxy's equals would call this method again
    private static boolean isSame(Object proxy, @Nullable Object other) {
        return proxy == other;
    }

    private @Nullable Object call(
            VarlinkClient client, TypedMethod method, @Nullable Object given) {
        String name = definition.name() + "." + method.name();
        JsonObject parameters;
        try {
            parameters =
                    method.input() == RecordStruct.NONE
                            ? JsonObject.EMPTY
                            : method.input().toJson(requireNonNull(given, "parameters"));
        } catch (UnfitException | NullPointerException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
        JsonObject reply = client.call(name, parameters);
        if (method.output() == RecordStruct.NONE) {
            return null;
        }
        try {
            return method.output().toJava(reply);
        } catch (UnfitException e) {
            throw new IllegalStateException(name + ": reply: " + e.getMessage(), e);
        }
    }

    /**
     * Makes a service of an object. Its methods run as a {@link
     * io.holdfast.varlink.server.CallHandler} does: those of different connections side by side. A
     * {@link VarlinkException} that a method throws becomes the error reply, any other exception is
     * logged as a fault. Parameters that do not fit are refused with {@code InvalidParameter}.
     *
     * @param object the object
     * @return the service
     */
    public Service service(T object) {
        requireNonNull(object, "object");
        Service.Builder service = Service.of(definition);
        methods.forEach((method, typed) ->
                service.method(typed.name(), call -> answer(object, method, typed, call)));
        return service.build();
    }

    private static JsonObject answer(Object object, Method method, TypedMethod typed, Call call)
            throws Exception {
        Object[] arguments = {};
        if (typed.input() != RecordStruct.NONE) {
            try {
                arguments = new Object[] {typed.input().toJava(call.parameters())};
            } catch (UnfitException e) {
                throw VarlinkException.invalidParameter(topLevel(e.place()));
            }
        }
        Object[] given = arguments;
        Object returned = ScopedValue.where(CALL, call).call(() -> invoke(method, object, given));
        if (typed.output() == RecordStruct.NONE) {
            return JsonObject.EMPTY;
        }
        try {
            return typed.output().toJson(requireNonNull(returned, "its result is null"));
        } catch (UnfitException | NullPointerException e) {
            throw new IllegalStateException(method + ": reply: " + e.getMessage(), e);
        }
    }

    /** Returns the field of the parameters that a place is in. */
    private static String topLevel(String place) {
        return place.split("[.\\[]", 2)[0];
    }

    private static @Nullable Object invoke(Method method, Object object, Object[] arguments)
            throws Exception {
        try {
            return method.invoke(object, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /**
     * Makes the exception of an error, for a method of a service to throw.
     *
     * <pre>{@code
     * throw CLOCK.exception(new Clock.NoZone("Atlantis"));
     * }</pre>
     *
     * @param error the error, one of the records that were passed to {@link #of}
     * @return the exception
     * @throws IllegalArgumentException if the interface does not have the error, or a component has
     *     no Varlink form
     */
    public VarlinkException exception(Record error) {
        RecordStruct struct = struct(error.getClass());
        try {
            return new VarlinkException(qualified(error.getClass()), struct.toJson(error));
        } catch (UnfitException e) {
            throw new IllegalArgumentException(
                    qualified(error.getClass()) + ": " + e.getMessage(), e);
        }
    }

    /**
     * Returns the record of an error that a service replied with.
     *
     * @param <E> the error
     * @param exception the exception that a method of a proxy has thrown
     * @param error the error, one of the records that were passed to {@link #of}
     * @return the error; empty if the exception is another error, or its parameters do not fit
     * @throws IllegalArgumentException if the interface does not have the error
     */
    public <E extends Record> Optional<E> error(VarlinkException exception, Class<E> error) {
        RecordStruct struct = struct(error);
        if (!exception.error().equals(qualified(error))) {
            return Optional.empty();
        }
        try {
            return Optional.of(error.cast(struct.toJava(exception.parameters())));
        } catch (UnfitException e) {
            return Optional.empty();
        }
    }

    private RecordStruct struct(Class<?> error) {
        RecordStruct struct = errors.get(error);
        if (struct == null) {
            throw new IllegalArgumentException(this + " has no error " + error.getSimpleName());
        }
        return struct;
    }

    private String qualified(Class<?> error) {
        return definition.name() + "." + nameOf(error);
    }

    /**
     * Returns the call that the calling thread answers in a method of a {@link #service}: its
     * {@link Call#peer} is the caller.
     *
     * @return the call
     * @throws IllegalStateException if the thread does not answer a call
     */
    public static Call currentCall() {
        return CALL.orElseThrow(
                () -> new IllegalStateException("this thread answers no Varlink call"));
    }

    @Override
    public String toString() {
        return definition.name() + " (" + type.getName() + ")";
    }
}
