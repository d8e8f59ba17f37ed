package io.holdfast.dbus;

import java.util.List;

/** What a method of an exported object does. */
@FunctionalInterface
public interface MethodHandler {
    /**
     * Runs on a virtual thread and may wait. Calls of one object are handled one after the other,
     * in the order in which they came, unless its interface is {@link
     * BusInterface.Builder#concurrent}.
     *
     * @param call the call, which is the handler's until it returns
     * @return the values of the reply; descriptors among them are given away: they are closed once
     *     they are sent. Or all of them as one {@link io.holdfast.dbus.wire.MarshalledBody}
     * @throws DBusException what the caller is to get
     * @throws Exception anything else: the caller gets {@link DBusException#FAILED} with its
     *     message
     */
    List<?> handle(MethodCall call) throws Exception;
}
