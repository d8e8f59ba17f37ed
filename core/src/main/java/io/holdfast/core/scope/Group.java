package io.holdfast.core.scope;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import java.util.List;

/** The processes of a scope, by one means of finding them. Safe for use by any thread. */
interface Group {
    Guarantee guarantee();

    /**
     * Starts a process in it.
     *
     * @param spawn the group's own, to be changed
     */
    Child start(Spawn spawn);

    /** Takes in a process that runs already. */
    void adopt(PidFd process);

    /** Its living processes, for the caller to close. */
    List<PidFd> members();

    boolean isEmpty();

    /** Waits until no living process is left; false when the time is over. */
    boolean awaitEmpty(Deadline deadline) throws InterruptedException;

    /**
     * Kills all, and waits until none is left; false when the time is over.
     *
     * @param starts those that are under way; no further ones begin
     */
    boolean kill(Starts starts, Deadline deadline) throws InterruptedException;

    /** Lets go of it. What is left in it runs on. */
    void close();
}
