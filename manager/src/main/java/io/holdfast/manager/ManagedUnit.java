package io.holdfast.manager;

import io.holdfast.manager.unit.Unit;
import java.util.function.Consumer;

/** A unit at run time. All methods on the manager's loop. */
interface ManagedUnit {
    /** What its files say; the newest that was read while it was inactive. */
    Unit unit();

    ActiveState activeState();

    /** What its files say now, to be in force from the next start. */
    void reloaded(Unit unit);

    /**
     * Starts it, or waits for a start that is under way.
     *
     * @param done called once with how that went
     */
    void start(Consumer<JobResult> done);

    /**
     * Stops it, or waits for a stop that is under way; also ends a wait for a restart.
     *
     * @param done called once when it is inactive or failed
     */
    void stop(Consumer<JobResult> done);

    /** A description of its present state. */
    UnitStatus status();
}
