package io.holdfast.manager.process;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * All processes of one run of a service: which they are, how they are reached, and when none is
 * left. On the loop but for {@link #clean}.
 */
public sealed interface RunProcesses permits CgroupProcesses, TrackedProcesses, HeldProcesses {
    /** The cgroup that they are in, if there is one. */
    Optional<Cgroup> cgroup();

    /** Takes a process over that has lost its parent, and says so; else it stays the giver's. */
    boolean adopt(PidFd orphan);

    /** Tells of their only member, if there is exactly one; lent for the call. */
    void only(Consumer<Optional<PidFd>> told);

    /**
     * Signals all.
     *
     * @param signalled who has got the signal already
     * @param done called when all have it: whoever is born later does not get it
     */
    void signal(RunSignal signal, List<PidFd> signalled, Runnable done);

    /** Tells once when no living process is left; at once if none is. */
    void watchEmpty(Runnable emptied);

    /** A process has exited that the run itself held. */
    void exited();

    /** Nobody is to be told of anything any more. */
    void forget();

    /**
     * Ends what is left if that is wanted, and removes what was made. Blocking; off the loop.
     *
     * @return false if some process is left: the cgroup is held until {@link #release}
     */
    boolean clean(boolean kill) throws InterruptedException;

    /** Lets go of the cgroup after all, with the processes that are left in it. */
    void release();

    /**
     * What is sent at once to a process.
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
                ignored = process.signal(Signal.CONT); // a stopped one hears no signal
            }
        }
    }
}
