package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.typed.value.Reflected;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An implementation of a Java interface, as a D-Bus interface that can be exported. */
final class LocalInterface {
    /** The call that the current thread is handling. */
    static final ScopedValue<MethodCall> CALL = ScopedValue.newInstance();

    private final TypedInterface type;
    private final Object implementation;
    private final BeginningOrder beginning = new BeginningOrder();

    LocalInterface(TypedInterface type, Object implementation) {
        this.type = type;
        this.implementation = implementation;
    }

    /**
     * Describes the interface for a connection.
     *
     * @param concurrent whether calls of its methods may run at the same time
     * @throws IllegalArgumentException if a property has no reader
     */
    BusInterface describe(boolean concurrent) {
        BusInterface.Builder described = BusInterface.named(type.name());
        if (concurrent) {
            described.concurrent();
        }
        type.methods().forEach(method -> add(method, described));
        type.properties().forEach(property -> add(property, described));
        for (TypedSignal signal : type.signals()) {
            described.signal(
                    signal.member(),
                    signal.shape().signature(),
                    signal.shape().names().toArray(String[]::new));
        }
        return described.build();
    }

    private void add(TypedMethod method, BusInterface.Builder described) {
        String in = method.inSignature();
        String out = method.result().signature();
        if (method.async()) {
            described.asyncMethod(
                    method.member(),
                    in,
                    out,
                    (call, reply) ->
                            call.executor()
                                    .orElse(beginning::run)
                                    .execute(() -> begin(method, call, reply)),
                    method.names());
        } else {
            described.method(
                    method.member(),
                    in,
                    out,
                    call -> method.reply(handle(method, call)),
                    method.names());
        }
        if (method.noReply()) {
            described.noReply(method.member());
        }
    }

    private @Nullable Object handle(TypedMethod method, MethodCall call) throws Exception {
        Object[] arguments = method.arguments(call);
        return ScopedValue.where(CALL, call)
                .call(() -> Reflected.call(method.method(), implementation, arguments));
    }

    private void begin(TypedMethod method, MethodCall call, CompletableFuture<List<?>> reply) {
        try {
            Object returned = handle(method, call);
            if (!(returned instanceof CompletionStage<?> stage)) {
                throw new NullPointerException(method.subject() + ": the stage is null");
            }
            var _ =
                    stage.whenComplete((value, failure) -> {
                        if (failure == null) {
                            complete(method, value, reply);
                        } else {
                            reply.completeExceptionally(failure);
                        }
                    });
        } catch (Throwable e) { // the failure becomes the error reply
            reply.completeExceptionally(e);
        }
    }

    private static void complete(
            TypedMethod method, @Nullable Object value, CompletableFuture<List<?>> reply) {
        try {
            reply.complete(method.reply(value));
        } catch (Throwable e) { // the failure becomes the error reply
            reply.completeExceptionally(e);
        }
    }

    private void add(TypedProperty property, BusInterface.Builder described) {
        Method reader = property.reader();
        if (reader == null) {
            throw new IllegalArgumentException(
                    property.subject() + ": a property that cannot be read cannot be exported");
        }
        Method writer = property.writer();
        described.property(
                property.name(),
                property.type().signature(),
                () -> property.toWire(Reflected.invoke(reader, implementation)),
                writer == null ? null : setting(property, writer),
                property.change());
    }

    private Consumer<Object> setting(TypedProperty property, Method writer) {
        return plain -> {
            Object value = property.toJava(plain, DBusException.INVALID_ARGS);
            var _ = Reflected.invoke(requireNonNull(writer), implementation, value);
        };
    }
}
