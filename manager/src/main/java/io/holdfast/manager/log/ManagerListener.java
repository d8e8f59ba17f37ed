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

    /**
     * The lines of a unit since the last such call are its output up to here. Where the manager may
     * be killed and output is not lost, the next one goes on from here: lines that a listener has
     * in safety only now are neither missing nor there twice.
     *
     * @param file of the output: no other has had this number since the machine was started; 0 if
     *     none outlives the manager
     * @param position in the file
     */
    default void told(long file, long position) {}

    /**
     * How far {@link #told} has come with this file before this process, as far as this listener
     * knows; else 0.
     */
    default long toldBefore(long file) {
        return 0;
    }

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
