package io.holdfast.manager.runtime;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;

/**
 * Receives the events of units and jobs. All methods are called on the manager's event loop and
 * must not block.
 */
public interface UnitListener {
    /** Called when a unit was loaded. */
    void unitNew(UnitName unit);

    /** Called when a unit is about to be unloaded, because nothing refers to it any more. */
    default void unitRemoved(UnitName unit) {}

    /** Called when a unit's state has changed; {@link ManagerView#unit} returns the new state. */
    void unitChanged(UnitName unit);

    /** Called when the manager begins, or has finished, to read all unit files again. */
    default void reloading(boolean begins) {}

    /** Called when a job was granted and has not begun. */
    void jobNew(UnitJob job);

    /** Called when a job has ended, after the changes that it made to its unit were reported. */
    void jobRemoved(UnitJob job, JobResult result);
}
