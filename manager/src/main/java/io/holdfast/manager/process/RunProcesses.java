package io.holdfast.manager.process;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * All processes of one run of a unit: signals them, watches until none is left, and cleans up. On
 * the loop, except for {@link #clean}.
 */
public sealed interface RunProcesses permits CgroupProcesses, TrackedProcesses, HeldProcesses {
    /** {@return the cgroup that they are in, if there is one} */
    Optional<Cgroup> cgroup();

    /**
     * Takes ownership of a process that has lost its parent.
     *
     * @return false if the run does not take it; the caller then still owns it
     */
    boolean adopt(PidFd orphan);

    /**
     * Passes on the only one among them that is a child of this manager or of its keeper, or
     * nothing if there are several or none; lent for the call. The others are descendants of these.
     */
    void onlyChild(Consumer<Optional<PidFd>> callback);

    /**
     * Sends a signal to all.
     *
     * @param signalled processes that already have the signal
     * @param done called when all have it; a process that is born later does not get it
     */
    void signal(RunSignal signal, List<PidFd> signalled, Runnable done);

    /** Returns whether it is known without a search that no living process is left. */
    default boolean isEmpty() {
        return false;
    }

    /** Runs a task once, when no living process is left; at once if none is left now. */
    void watchEmpty(Runnable whenEmpty);

    /** Notes that a process which the run itself held has exited. */
    void exited();

    /** Cancels all callbacks. */
    void forget();

    /**
     * Kills the remaining processes if that is requested, and removes the cgroup. Blocking; off the
     * loop.
     *
     * @return false if a process is left: the cgroup is held until {@link #release}
     */
    boolean clean(boolean kill) throws InterruptedException;

    /** Closes the cgroup, with the processes that are left in it. */
    void release();

    /**
     * The signals that a process gets together.
     *
     * @param hangup whether SIGHUP follows
     */
    record RunSignal(Signal signal, boolean hangup) {
        public void send(PidFd process) {
            boolean ignored = process.signal(signal);
            if (hangup) {
                ignored = process.signal(Signal.HUP);
            }
            if (!signal.equals(Signal.KILL) && !signal.equals(Signal.CONT)) {
                ignored = process.signal(Signal.CONT); // a stopped process handles no signal
            }
        }
    }
}
