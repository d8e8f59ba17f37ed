package io.holdfast.dbus;

import io.holdfast.dbus.wire.Signature;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * How to answer a call: the method's handler, and the object whose method it is. The calls that the
 * reader thread answers itself have no object.
 */
record CallTarget(
        Where where,
        @Nullable ExportedObject ofObject,
        Signature in,
        Signature out,
        BusInterface.Handling handling) {
    /** Where a call is handled. */
    enum Where {
        /** On the reader thread: the handler takes no time. */
        HERE,
        /** One after the other for each object, on its executor if it has one. */
        IN_ORDER,
        /** Each on its own virtual thread. */
        CONCURRENTLY,
        /** Begun by the reader thread, and answered by any thread. */
        ASYNC
    }

    /** Returns a target that the connection answers itself, without a user's handler. */
    static CallTarget here(String out, MethodHandler handler) {
        return new CallTarget(
                Where.HERE,
                null,
                Signature.EMPTY,
                Signature.of(out),
                new BusInterface.Sync(handler));
    }

    /** Returns such a target whose handler may wait, on a thread of its own. */
    static CallTarget async(String out, AsyncMethodHandler handler) {
        return new CallTarget(
                Where.ASYNC,
                null,
                Signature.EMPTY,
                Signature.of(out),
                new BusInterface.Async(handler));
    }

    static CallTarget of(ExportedObject object, String in, String out, MethodHandler handler) {
        return of(object, in, out, new BusInterface.Sync(handler));
    }

    /** Returns a target that runs where the object's own methods run. */
    static CallTarget of(
            ExportedObject object, String in, String out, BusInterface.Handling handling) {
        return new CallTarget(
                Where.IN_ORDER, object, Signature.of(in), Signature.of(out), handling);
    }

    static CallTarget of(
            ExportedObject object, BusInterface described, BusInterface.Method method) {
        Where where =
                switch (method.handling()) {
                    case BusInterface.Async _ -> Where.ASYNC;
                    case BusInterface.Sync _ ->
                            described.isConcurrent() ? Where.CONCURRENTLY : Where.IN_ORDER;
                };
        return new CallTarget(where, object, method.in(), method.out(), method.handling());
    }

    /** Returns the executor of the object, if it has one. */
    @Nullable Executor executor() {
        return ofObject == null ? null : ofObject.executor();
    }

    ExportedObject object() {
        return Objects.requireNonNull(ofObject);
    }
}
