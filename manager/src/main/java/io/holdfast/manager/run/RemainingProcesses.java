package io.holdfast.manager.run;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.RunProcesses;
import io.holdfast.manager.process.RunProcesses.RunSignal;
import io.holdfast.manager.process.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The processes that ended runs of a unit have left in its cgroup, as {@code KillMode=} allows. The
 * unit stays loaded and keeps the cgroup until the last of them has exited, or until its next run
 * uses the same cgroup. Used on the event loop.
 */
public final class RemainingProcesses {
    private final RunOwner owner;
    private final List<Remaining> all = new ArrayList<>(); // several only if Slice= was changed

    private final List<Remaining> deferred = new ArrayList<>(); // empty, waiting for the next run

    /** The processes that one run has left. */
    private record Remaining(Workload run, RunProcesses processes) {}

    public RemainingProcesses(RunOwner owner) {
        this.owner = owner;
    }

    public boolean isEmpty() {
        return all.isEmpty();
    }

    /** Returns the cgroup of the last run that left processes. */
    public Optional<Cgroup> cgroup() {
        return all.isEmpty() ? Optional.empty() : all.getLast().processes().cgroup();
    }

    /**
     * Takes the processes that an ended run has left.
     *
     * @param processes released by this class
     */
    public void keep(Workload run, RunProcesses processes) {
        if (processes.cgroup().isEmpty()) {
            owner.context().processes().leave(run);
            processes.release();
            return;
        }
        Remaining remaining = new Remaining(run, processes);
        all.add(remaining);
        owner.changed();
        watch(remaining);
    }

    private void watch(Remaining remaining) {
        remaining.processes().watchEmpty(() -> emptied(remaining));
    }

    /**
     * Removes an empty cgroup. While a run is being prepared this is deferred: the removal would
     * run after the preparation, in the same lane, and remove the cgroup that was just made ready.
     * It is tried again when the run has begun, and so owns the cgroup, or was given up.
     */
    private void emptied(Remaining remaining) {
        if (owner.isBeingPrepared()) {
            deferred.add(remaining);
            return;
        }
        Work<Boolean> _ =
                owner.lane()
                        .work("the removal of its cgroup", () -> remaining.processes().clean(false))
                        .evenIfLate()
                        .within(ManagerLimits.KILL_TIMEOUT.duration())
                        .begin((clean, failure) -> {
                            if (!all.contains(remaining)) {
                                return; // the next run has the cgroup
                            }
                            if (Boolean.FALSE.equals(clean)) {
                                watch(remaining); // another process was moved into it
                                return;
                            }
                            if (failure != null) {
                                owner.warn("cannot remove its cgroup: " + failure.getMessage());
                            }
                            forget(remaining);
                            owner.changed();
                            owner.context().events().unused(List.of(owner.name()));
                        });
    }

    /** Hands a cgroup to the run that begins; from now on the processes in it are that run's. */
    public void runBegins(Workload run) {
        List.copyOf(all).stream()
                .filter(remaining -> remaining.run().cgroup().equals(run.cgroup()))
                .forEach(this::forget);
        resume();
    }

    /** Continues deferred removals when the preparation is over. */
    public void resume() {
        if (!deferred.isEmpty() && !owner.isBeingPrepared()) {
            List<Remaining> waiting = List.copyOf(deferred);
            deferred.clear();
            waiting.forEach(this::watch);
        }
    }

    private void forget(Remaining remaining) {
        all.remove(remaining);
        deferred.remove(remaining);
        remaining.processes().forget();
        remaining.processes().release();
        owner.context().processes().leave(remaining.run());
    }

    /** Signals all remaining processes. Returns false if there are none. */
    public boolean signal(Signal signal) {
        for (Remaining remaining : all) {
            remaining.processes().signal(new RunSignal(signal, false), List.of(), () -> {});
        }
        return !all.isEmpty();
    }

    /** Releases all remaining processes. */
    public void close() {
        List.copyOf(all).forEach(this::forget);
    }
}
