package io.holdfast.dbus;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What a method of an exported object begins, whose reply comes later or is there at once. */
@FunctionalInterface
public interface AsyncMethodHandler {
    /**
     * Called by the thread that reads the connection, which must not wait: all that comes behind
     * this call would wait too. What it throws is what the caller gets.
     *
     * @param call closed, with its descriptors, when the reply is there
     * @param reply to be completed by any thread, which sends the reply by that, without waiting:
     *     with the values of the reply, whose descriptors are given away, or with what the caller
     *     is to get, as {@link MethodHandler#handle} says of values and exceptions
     */
    void begin(MethodCall call, CompletableFuture<List<?>> reply);
}
