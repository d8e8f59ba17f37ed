package io.holdfast.manager;

import io.holdfast.manager.unit.UnitName;

/** Who is told what happens. All methods on the manager's loop: they must not block. */
public interface ManagerListener {
    /** Something to be said about a unit, in one line. */
    void event(UnitName unit, Level level, String text);

    /** A line that a unit has written. */
    void output(UnitName unit, String line);

    /** Something to be said about the manager itself, in one line. */
    void event(Level level, String text);

    /** How much it matters. */
    enum Level {
        INFO,
        NOTICE,
        WARNING,
        ERROR
    }
}
