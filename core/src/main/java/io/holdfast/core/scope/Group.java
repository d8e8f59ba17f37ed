package io.holdfast.core.scope;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Deadline;
import java.util.List;
import java.util.Optional;

/** The processes of a scope, as one mechanism finds them. Safe for use by any thread. */
interface Group {
    Guarantee guarantee();

    /** Returns the cgroup of the processes, lent; empty if they have none of their own. */
    default Optional<Cgroup> cgroup() {
        return Optional.empty();
    }

    /**
     * Starts a process in the group.
     *
     * @param spawn the description, which the group may change
     */
    Child start(Spawn spawn);

    /** Takes a running process into the group. */
    void adopt(PidFd process);

    /** Returns its living processes, owned by the caller. */
    List<PidFd> members();

    boolean isEmpty();

    /** Waits until no living process is left; returns false when the time is over. */
    boolean awaitEmpty(Deadline deadline) throws InterruptedException;

    /**
     * Kills all processes, and waits until none is left; returns false when the time is over.
     *
     * @param starts the starts under way; no further ones begin
     */
    boolean kill(Starts starts, Deadline deadline) throws InterruptedException;

    /** Removes what the kernel holds of the group; after a failure it may be called again. */
    void remove();

    /** Releases the group. Processes that are left in it continue to run. */
    void close();
}
