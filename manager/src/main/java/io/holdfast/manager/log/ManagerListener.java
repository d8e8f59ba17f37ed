package io.holdfast.manager.log;

import io.holdfast.manager.unit.UnitName;

/**
 * Receives the events of a manager. All methods are called on the manager's loop and must not
 * block. Texts may contain what a unit or a client wrote: a listener that prints or logs them
 * escapes them ({@link io.holdfast.core.text.PrintableText}).
 */
public interface ManagerListener {
    /** Receives a message about a unit, in one line. */
    void event(UnitName unit, Level level, String text);

    /** Receives a line of a unit's output. */
    void output(UnitName unit, String line);

    /**
     * Records how much of a unit's output the lines since the last such call cover. If the manager
     * is killed, the next one continues at the recorded position; so a listener that stores its
     * lines durably together with the position neither loses nor repeats any.
     *
     * @param file identifies the file of the output: no other has had this number since the machine
     *     was booted; 0 if the output does not outlive the manager
     * @param position in the file
     */
    default void outputCommitted(long file, long position) {}

    /**
     * Returns the position of the last {@link #outputCommitted} for this file before this process
     * started, as far as this listener knows it; else 0.
     */
    default long committedPosition(long file) {
        return 0;
    }

    /** Receives a message about the manager itself, in one line. */
    void event(Level level, String text);

    /** The severity of a message. */
    enum Level {
        DEBUG,
        INFO,
        NOTICE,
        WARNING,
        ERROR
    }
}
