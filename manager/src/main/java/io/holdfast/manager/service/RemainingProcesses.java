package io.holdfast.manager.service;

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
 * The processes that ended runs of a service have left in its cgroup, as {@code KillMode=} wants
 * it. The service stays loaded and has the cgroup until the last of them is gone, or until its next
 * run has the same cgroup. On the loop.
 */
final class RemainingProcesses {
    private final ServiceLife life;
    private final List<Remaining> all = new ArrayList<>(); // of several only if Slice= was changed

    private final List<Remaining> deferred = new ArrayList<>(); // are empty, and wait for a run

    /** What one run has left. */
    private record Remaining(Workload run, RunProcesses processes) {}

    RemainingProcesses(ServiceLife life) {
        this.life = life;
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** The cgroup of the last run that left any. */
    Optional<Cgroup> cgroup() {
        return all.isEmpty() ? Optional.empty() : all.getLast().processes().cgroup();
    }

    /**
     * A run has ended and left processes.
     *
     * @param processes owned from now on
     */
    void keep(Workload run, RunProcesses processes) {
        if (processes.cgroup().isEmpty()) {
            life.context.processes().leave(run);
            processes.release();
            return;
        }
        Remaining remaining = new Remaining(run, processes);
        all.add(remaining);
        life.changed();
        watch(remaining);
    }

    private void watch(Remaining remaining) {
        remaining.processes().watchEmpty(() -> emptied(remaining));
    }

    /**
     * The clean-up would run behind the preparation of a run, in the same lane, and remove the
     * cgroup that was just made ready for that one: so it waits until the run has begun, which has
     * the cgroup then, or has been given up.
     */
    private void emptied(Remaining remaining) {
        if (life.isBeingPrepared()) {
            deferred.add(remaining);
            return;
        }
        Work<Boolean> _ =
                life.lane
                        .work("to remove its cgroup", () -> remaining.processes().clean(false))
                        .evenIfLate()
                        .within(ManagerLimits.KILL_PATIENCE.duration())
                        .begin((clean, failure) -> {
                            if (!all.contains(remaining)) {
                                return; // the next run has the cgroup
                            }
                            if (Boolean.FALSE.equals(clean)) {
                                watch(remaining); // somebody else has put a process into it
                                return;
                            }
                            if (failure != null) {
                                life.warn("cannot remove its cgroup: " + failure.getMessage());
                            }
                            forget(remaining);
                            life.changed();
                            life.context.events().unused(List.of(life.name()));
                        });
    }

    /** A run begins; from now on the processes in its cgroup are its own. */
    void runBegins(Workload run) {
        List.copyOf(all).stream()
                .filter(remaining -> remaining.run().cgroup().equals(run.cgroup()))
                .forEach(this::forget);
        resume();
    }

    /** Goes on with what waits for the end of a preparation, if that is over. */
    void resume() {
        if (!deferred.isEmpty() && !life.isBeingPrepared()) {
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
        life.context.processes().leave(remaining.run());
    }

    /** Signals all; false if there are none. */
    boolean signal(Signal signal) {
        for (Remaining remaining : all) {
            remaining.processes().signal(new RunSignal(signal, false), List.of(), () -> {});
        }
        return !all.isEmpty();
    }

    /** Lets go of them. */
    void close() {
        List.copyOf(all).forEach(this::forget);
    }
}
