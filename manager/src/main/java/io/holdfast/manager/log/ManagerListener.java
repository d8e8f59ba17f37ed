package io.holdfast.manager.log;

import io.holdfast.manager.unit.UnitName;

/**
 * Receives the events of a manager. All methods are called on the manager's loop: they must not
 * block. Texts can hold what a unit or a client wrote: whoever prints or logs them escapes them
 * ({@link io.holdfast.core.text.PrintableText}).
 */
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
