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

    /** Receives a line of a unit's output, unless it goes to a receiver of log messages. */
    void output(UnitName unit, String line);

    /** Receives a message about the manager itself, in one line. */
    void event(Level level, String text);

    /** The severity of a message. */
    enum Level {
        DEBUG(7),
        INFO(6),
        NOTICE(5),
        WARNING(4),
        ERROR(3);

        private final int priority;

        Level(int priority) {
            this.priority = priority;
        }

        /** {@return the level of syslog(3), 3 (err) to 7 (debug)} */
        public int priority() {
            return priority;
        }
    }
}
