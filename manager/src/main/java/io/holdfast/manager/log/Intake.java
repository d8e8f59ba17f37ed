package io.holdfast.manager.log;

import io.holdfast.core.Fd;

/** Moves a unit's output from a pipe into its log. */
interface Intake {
    /**
     * Takes the content of the pipe without waiting.
     *
     * @return the number of bytes, 0 at the end of the pipe, or -errno
     */
    int take(Fd pipe, int most);

    /** Ends the output of this pipe. */
    void end();

    /** Drops the output that was kept for the next manager. */
    void forget();

    /** Closes the intake because this manager stops; the kept output stays. */
    void close();
}
