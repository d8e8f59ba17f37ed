package io.holdfast.manager.runtime;

import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitTimes;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The link between units and those that trigger them. Used on the event loop. */
public interface Activation {
    /**
     * Returns the descriptors that a command of this unit gets from the units that trigger it, or
     * the connection that it serves; the caller closes them.
     */
    PassedDescriptors descriptorsFor(Unit unit);

    /** Returns whether a unit could be loaded. Callable from any thread; blocking. */
    boolean isThere(UnitName unit);

    /** Returns the socket that accepted the connection of an instance. */
    Optional<UnitName> socketServedBy(Unit instance);

    /** Returns the phase of a unit; {@code DOWN} if it is not loaded. */
    RunPhase phaseOf(UnitName unit);

    /** Returns the times of a unit; {@link UnitTimes#NEVER} if it is not loaded. */
    UnitTimes timesOf(UnitName unit);

    /**
     * Starts a unit because another one triggers it.
     *
     * @param variables that describe the cause to the started unit's processes
     * @param done called when the start is over, with false if the unit could not be started at
     *     all; not called if the manager is stopping
     */
    void start(UnitName by, UnitName unit, Map<String, String> variables, Consumer<Boolean> done);

    /**
     * Stops a unit because the one that triggers it no longer needs it.
     *
     * @param refused called if the stop was refused; not called if the manager is stopping
     */
    void stop(UnitName by, UnitName unit, Runnable refused);

    /**
     * Returns the variables that describe why a unit was started; empty if it was not triggered, or
     * is down.
     */
    Map<String, String> triggerVariables(Unit unit);

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
