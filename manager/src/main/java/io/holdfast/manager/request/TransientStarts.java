package io.holdfast.manager.request;

import io.holdfast.core.process.PidFd;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TransientFiles;
import io.holdfast.manager.runtime.UnitCatalog;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * Makes units at run time: writes the unit file, reads it like any other, and starts the unit. Used
 * on the event loop.
 *
 * <p>Scopes are the only kind so far. A further kind needs a row in the registry of the kinds that
 * run and the directives of its properties; what it gets besides its file, such as the processes of
 * a scope, is handed over in {@link #take}.
 */
public final class TransientStarts {
    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final TransientFiles files;
    private final Jobs jobs;
    private final Set<UnitName> beingMade = new HashSet<>();

    public TransientStarts(
            ManagerContext context,
            UnitTable units,
            UnitCatalog catalog,
            TransientFiles files,
            Jobs jobs) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.files = files;
        this.jobs = jobs;
    }

    /** Returns the lane in which files of the same name are written and removed in turn. */
    private Lane lane(UnitName name) {
        return context.workers().lane("transient " + name);
    }

    /**
     * Makes a scope of processes, and requests its start.
     *
     * @param text the text of its unit file
     * @param processes closed by the scope, or here if it is refused
     * @param answer completed when the job is queued and before it begins, or failed with {@link
     *     JobRefusedException}
     */
    public void scope(
            UnitName name,
            String text,
            List<PidFd> processes,
            JobMode mode,
            CompletableFuture<UnitJob> answer) {
        if (jobs.isStopping()) {
            refuse(answer, processes, shuttingDown(name));
        } else if (units.find(name) != null || !beingMade.add(name)) {
            refuse(answer, processes, exists(name));
        } else {
            Work<Unit> _ =
                    lane(name)
                            .work(
                                    "the writing of its file",
                                    () -> {
                                        files.write(name, text);
                                        return catalog.readMade(name);
                                    })
                            .within(ManagerLimits.LOAD_TIMEOUT.duration())
                            .ifNeverBegun(() -> processes.forEach(PidFd::close))
                            .begin((unit, failure) -> {
                                boolean _ = beingMade.remove(name);
                                if (unit == null) {
                                    refuse(answer, processes, Jobs.orUnknown(failure));
                                    removeFile(name);
                                } else {
                                    start(unit, processes, mode, answer);
                                }
                            });
        }
    }

    private static JobRefusedException shuttingDown(UnitName name) {
        return new JobRefusedException(
                Reason.SHUTTING_DOWN, name, "accepts only stop jobs: the manager is stopping.");
    }

    private static JobRefusedException exists(UnitName name) {
        return new JobRefusedException(
                Reason.UNIT_EXISTS, name, "was already loaded or has a fragment file.");
    }

    private static void refuse(
            CompletableFuture<UnitJob> answer, List<PidFd> processes, Exception why) {
        processes.forEach(PidFd::close);
        answer.completeExceptionally(why);
    }

    private void start(
            Unit unit, List<PidFd> processes, JobMode mode, CompletableFuture<UnitJob> answer) {
        UnitName name = unit.name();
        try {
            take(unit, processes);
        } catch (RuntimeException e) {
            refuse(answer, processes, e);
            if (units.find(name) == null) {
                boolean _ = files.withdraw(name);
                removeFile(name);
            }
            return;
        }
        var _ =
                answer.whenComplete((_, failure) -> {
                    ManagedUnit made = units.find(name);
                    if (failure != null && made != null) {
                        made.withdrawStart();
                        jobs.unused().look(List.of(name));
                    }
                });
        try {
            jobs.enqueue(name, JobType.START, mode, answer);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /** Adds the unit to the table, and hands it its processes. */
    private void take(Unit unit, List<PidFd> processes) {
        UnitName name = unit.name();
        if (units.find(name) != null) {
            throw exists(name); // it was loaded while its file was written
        }
        if (unit.isRefused()) {
            throw new JobRefusedException(Reason.BAD_SETTING, name, "has a bad unit file setting.");
        }
        files.publish(name);
        units.take(unit);
        units.get(name).setProcesses(processes);
    }

    /** Removes the file of a unit that is no longer loaded. */
    public void unloaded(UnitName name) {
        if (files.withdraw(name)) {
            removeFile(name);
        }
    }

    private void removeFile(UnitName name) {
        try {
            Work<Boolean> _ =
                    lane(name)
                            .work(
                                    "the removal of its file",
                                    () -> {
                                        files.remove(name);
                                        return true;
                                    })
                            .evenIfLate()
                            .begin((_, failure) -> {
                                if (failure != null) {
                                    context.warn(
                                            name,
                                            "cannot remove its file: " + Work.reason(failure));
                                }
                            });
        } catch (RejectedExecutionException e) {
            // the manager is ending, and removes all of them
        }
    }
}
