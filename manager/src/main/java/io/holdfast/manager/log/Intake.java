package io.holdfast.manager.log;

import io.holdfast.core.Fd;

/** How what a unit writes comes from a pipe into its log. */
interface Intake {
    /** Takes what is in the pipe, without waiting: bytes, 0 at its end, or -errno. */
    int take(Fd pipe, int most);

    /** Nothing more comes from this pipe. */
    void end();

    /** Lets go of what was kept for a manager after this one. */
    void forget();

    /** This manager ends. */
    void close();
}
