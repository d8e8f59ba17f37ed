package io.holdfast.dbus;

import java.util.List;

/** The handler of a method of an exported object. */
@FunctionalInterface
public interface MethodHandler {
    /**
     * Handles one call. Runs on a virtual thread and may wait, unless the object was exported with
     * an executor. Calls of one object are handled one after the other, in the order in which they
     * arrived, unless its interface is {@link BusInterface.Builder#concurrent}.
     *
     * @param call the call, valid until the handler returns
     * @return the values of the reply. Ownership of descriptors among them passes to the
     *     connection, which closes them once they are sent
     * @throws DBusException the error reply for the caller
     * @throws Exception any other failure: the caller gets {@link DBusException#FAILED} with its
     *     message
     */
    List<?> handle(MethodCall call) throws Exception;
}
