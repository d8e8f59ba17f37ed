package io.holdfast.dbus;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The handler of a method that may reply later than it returns. */
@FunctionalInterface
public interface AsyncMethodHandler {
    /**
     * Begins one call. Called by the reader thread of the connection, which must not wait: every
     * later message would wait too. An exception becomes the error reply.
     *
     * <p>On a bus, where the users take turns, signals and replies that have arrived after the call
     * may be delivered before it begins: also the signal that its caller has disconnected.
     *
     * @param call the call, closed with its descriptors when the reply is complete
     * @param reply to be completed by any thread, which sends the reply without waiting: with the
     *     values of the reply, whose descriptors pass to the connection, or with an exception, as
     *     {@link MethodHandler#handle} describes values and exceptions
     */
    void begin(MethodCall call, CompletableFuture<List<?>> reply);
}
