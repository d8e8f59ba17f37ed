package io.holdfast.dbus;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** What a method of an exported object begins, whose reply comes later or is there at once. */
@FunctionalInterface
public interface AsyncMethodHandler {
    /**
     * Called by the thread that reads the connection, which must not wait: all that comes behind
     * this call would wait too. The reply is sent, without waiting, by the thread that completes
     * the stage; the call and its descriptors are closed then.
     *
     * @return the values of the reply, without descriptors among them; or what the caller is to
     *     get, as {@link MethodHandler#handle} says of exceptions
     * @throws DBusException what the caller is to get
     */
    CompletionStage<? extends List<?>> begin(MethodCall call);
}
