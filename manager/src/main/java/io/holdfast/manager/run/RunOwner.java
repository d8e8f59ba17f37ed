package io.holdfast.manager.run;

import io.holdfast.manager.log.UnitLog;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.UnitName;

/** The unit that has a run, as the classes of this package see it. Used on the event loop. */
public interface RunOwner {
    ManagerContext context();

    UnitName name();

    UnitLog log();

    /** Returns the lane of its starts, and of the clean-up after each run. */
    Lane lane();

    /** Returns the lane of what stops it while the other lane may be blocked. */
    Lane stopLane();

    /** Returns whether a run is being prepared that has not begun. */
    boolean isBeingPrepared();

    /** Reports a change of its state. */
    void changed();

    void warn(String text);

    /** Logs a warning once that would be repeated at every run. */
    void warnOnce(String text);
}
