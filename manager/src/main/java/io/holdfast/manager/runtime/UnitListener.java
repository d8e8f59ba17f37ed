package io.holdfast.manager.runtime;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;

/**
 * Who is told of units and jobs as they come, change and go. All methods on the manager's loop:
 * they must not block.
 */
public interface UnitListener {
    /** A unit was loaded. */
    void unitNew(UnitName unit);

    /** A unit is about to be unloaded, since nothing refers to it any more. */
    default void unitRemoved(UnitName unit) {}

    /** Something of a unit's state is another: {@link ManagerView#unit} tells it as it is now. */
    void unitChanged(UnitName unit);

    /** A job was granted, and has not begun. */
    void jobNew(UnitJob job);

    /** A job has ended, after all that it changed of its unit was told. */
    void jobRemoved(UnitJob job, JobResult result);
}
