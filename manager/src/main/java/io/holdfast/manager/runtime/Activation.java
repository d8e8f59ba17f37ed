package io.holdfast.manager.runtime;

import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;
import java.util.function.Consumer;

/** What sockets and services have to do with each other. On the loop. */
public interface Activation {
    /** What a command of this service gets from its sockets; the caller's to close. */
    PassedDescriptors descriptorsFor(ServiceUnit service);

    /** A service has come into another state, or again into the same. */
    void changed(UnitName service);

    /** Whether a service could be loaded. By any thread; blocking. */
    boolean isThere(UnitName service);

    /** The socket that accepted the connection which an instance serves. */
    Optional<UnitName> socketServedBy(Unit instance);

    /** Another socket that listens on an address of this one. */
    Optional<UnitName> listenerOn(SocketUnit socket);

    /** Where a service is in its life; down if it is not loaded. */
    ServicePhase phaseOf(UnitName service);

    /**
     * Starts the service of a socket that has traffic.
     *
     * @param done told when the start is over: false if there could be none at all
     */
    void start(UnitName socket, UnitName service, Consumer<Boolean> done);

    /**
     * Starts an instance for a connection.
     *
     * @param connection owned from now on, until the instance has come to rest
     * @param ended told once when it has
     */
    void serve(UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended);

    /**
     * The same for a connection of a manager that was killed: its instance may run, or have ended
     * meanwhile, and then it is not started again.
     */
    void serveAgain(
            UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended);
}
