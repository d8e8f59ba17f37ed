package io.holdfast.dbus;

import io.holdfast.dbus.wire.Signature;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is to be done for a call; without object it is done here. */
record CallTarget(
        Where where,
        @Nullable ExportedObject ofObject,
        Signature in,
        Signature out,
        BusInterface.Handling handling) {
    /** Where a call is handled. */
    enum Where {
        /** By the thread that reads: it takes no time. */
        HERE,
        /** One after the other of an object. */
        IN_ORDER,
        /** Each on a thread of its own. */
        CONCURRENTLY,
        /** Begun by the thread that reads, and answered by any. */
        LATER
    }

    /** What needs no handler of others. */
    static CallTarget here(String out, MethodHandler handler) {
        return new CallTarget(
                Where.HERE,
                null,
                Signature.EMPTY,
                Signature.of(out),
                new BusInterface.Handling.Now(handler));
    }

    static CallTarget of(ExportedObject object, String in, String out, MethodHandler handler) {
        return new CallTarget(
                Where.IN_ORDER,
                object,
                Signature.of(in),
                Signature.of(out),
                new BusInterface.Handling.Now(handler));
    }

    static CallTarget of(
            ExportedObject object, BusInterface described, BusInterface.Method method) {
        Where where =
                switch (method.handling()) {
                    case BusInterface.Handling.Later _ -> Where.LATER;
                    case BusInterface.Handling.Now _ ->
                            described.isConcurrent() ? Where.CONCURRENTLY : Where.IN_ORDER;
                };
        return new CallTarget(where, object, method.in(), method.out(), method.handling());
    }

    ExportedObject object() {
        return Objects.requireNonNull(ofObject);
    }
}
