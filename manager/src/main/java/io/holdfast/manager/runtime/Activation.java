package io.holdfast.manager.runtime;

import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;
import java.util.function.Consumer;

/** The link between sockets and their services. Used on the event loop. */
public interface Activation {
    /**
     * Returns the descriptors that a command of this service gets from its sockets; the caller
     * closes them.
     */
    PassedDescriptors descriptorsFor(ServiceUnit service);

    /** Called when a service has changed its state, or has reported the same state again. */
    void changed(UnitName service);

    /** Returns whether a service could be loaded. Callable from any thread; blocking. */
    boolean isThere(UnitName service);

    /** Returns the socket that accepted the connection of an instance. */
    Optional<UnitName> socketServedBy(Unit instance);

    /** Returns another socket that listens on an address of this one. */
    Optional<UnitName> listenerOn(SocketUnit socket);

    /** Returns the phase of a service; {@code DOWN} if it is not loaded. */
    ServicePhase phaseOf(UnitName service);

    /**
     * Starts the service of a socket that has traffic.
     *
     * @param done called when the start is over, with false if the service could not be started at
     *     all
     */
    void start(UnitName socket, UnitName service, Consumer<Boolean> done);

    /**
     * Starts an instance for a connection.
     *
     * @param connection closed when the instance has become inactive or failed
     * @param ended called once when it has
     */
    void serve(UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended);

    /**
     * Adopts a connection of a killed manager: its instance may run, or have ended meanwhile; then
     * it is not started again.
     */
    void serveAgain(
            UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended);
}
