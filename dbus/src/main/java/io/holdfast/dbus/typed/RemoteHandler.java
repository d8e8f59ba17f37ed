package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.typed.value.ReceivedDescriptors;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Handles the method calls of a proxy. */
final class RemoteHandler implements InvocationHandler {
    private static final Object[] NONE = {};
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";

    private final RemoteObject object;
    private final TypedInterface type;

    RemoteHandler(RemoteObject object, TypedInterface type) {
        this.object = object;
        this.type = type;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] given)
            throws Throwable {
        Object[] arguments = given == null ? NONE : given;
        if (method.getDeclaringClass() == Object.class) {
            return ofObject(proxy, method, arguments);
        }
        if (method.isDefault()) {
            return InvocationHandler.invokeDefault(proxy, method, arguments);
        }
        TypedProperty property = type.property(method);
        try {
            return property == null
                    ? call(requireNonNull(type.method(method)), arguments)
                    : access(property, arguments);
        } catch (InterruptedException e) {
            if (declaresInterrupts(method)) {
                throw e;
            }
            Thread.currentThread().interrupt();
            throw new CallInterruptedException(
                    type.type().getSimpleName() + "." + method.getName(), e);
        }
    }

    private Object ofObject(Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> isSame(proxy, arguments[0]);
            case "hashCode" -> System.identityHashCode(proxy);
            default -> type.name() + " of " + object;
        };
    }

    @SuppressWarnings("ReferenceEquality") // a proxy's equals would call this method again
    private static boolean isSame(Object proxy, @Nullable Object other) {
        return proxy == other;
    }

    private static boolean declaresInterrupts(Method method) {
        return Arrays.stream(method.getExceptionTypes())
                .anyMatch(declared -> declared.isAssignableFrom(InterruptedException.class));
    }

    // Methods

    private @Nullable Object call(TypedMethod method, Object[] given) throws InterruptedException {
        Object[] arguments = method.arguments(given);
        try {
            if (method.noReply()) {
                object.callWithoutReply(
                        type.name(), method.member(), method.inSignature(), arguments);
                return null;
            }
            if (method.async()) {
                return begin(method, arguments);
            }
            try (Message reply =
                    object.exchange(
                            type.name(), method.member(), method.inSignature(), arguments)) {
                ReceivedDescriptors descriptors = new ReceivedDescriptors(reply);
                Object returned = method.returned(reply, descriptors);
                descriptors.release();
                return returned;
            }
        } catch (IllegalArgumentException e) { // a Variant whose value does not fit its type
            throw new IllegalArgumentException(method.subject() + ": " + e.getMessage(), e);
        }
    }

    private CompletableFuture<@Nullable Object> begin(TypedMethod method, Object[] arguments)
            throws InterruptedException {
        CompletableFuture<Message> reply;
        try {
            reply = object.begin(type.name(), method.member(), method.inSignature(), arguments);
        } catch (IllegalArgumentException e) {
            throw e;
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
        var _ =
                reply.whenComplete((message, failure) -> {
                    if (message == null) {
                        result.completeExceptionally(requireNonNull(failure));
                    } else {
                        complete(result, method, message);
                    }
                });
        // cancelling the result cancels the call
        var _ = result.whenComplete((_, _) -> reply.cancel(false));
        return result;
    }

    private static void complete(
            CompletableFuture<@Nullable Object> result, TypedMethod method, Message message) {
        try (message) {
            ReceivedDescriptors descriptors = new ReceivedDescriptors(message);
            Object returned = method.returned(message, descriptors);
            if (result.complete(returned)) {
                descriptors.release();
            }
        } catch (Throwable e) { // for example an AssertionError of a record's constructor
            result.completeExceptionally(e);
        }
    }

    // Properties

    private @Nullable Object access(TypedProperty property, Object[] given)
            throws InterruptedException {
        if (given.length == 1) {
            object.call(
                    PROPERTIES,
                    "Set",
                    "ssv",
                    type.name(),
                    property.name(),
                    property.variant(given[0]));
            return null;
        }
        try (Message reply =
                object.exchange(PROPERTIES, "Get", "ss", type.name(), property.name())) {
            String expected = property.type().signature();
            if (reply.signature().toString().equals("v")
                    && reply.values().getFirst() instanceof Variant value
                    && value.type().toString().equals(expected)) {
                return property.toJava(value.value(), DBusException.INCONSISTENT_MESSAGE);
            }
            throw new DBusException(
                    DBusException.INCONSISTENT_MESSAGE,
                    "%s: it is %s, and not of \"%s\""
                            .formatted(property.subject(), reply.values(), expected));
        }
    }
}
