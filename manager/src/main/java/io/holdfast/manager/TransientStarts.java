package io.holdfast.manager;

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
import io.holdfast.manager.scope.ManagedScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * Makes units at run time: writes the file of one, reads it as any other is read, and starts it. On
 * the loop.
 *
 * <p>Scopes are the only kind so far. A later kind needs a row in the registry of the kinds that
 * run and the directives of its properties; what it is given beside its file, as the processes of a
 * scope are, is handed over in {@link #take}.
 */
final class TransientStarts {
    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final TransientFiles files;
    private final Jobs jobs;
    private final Set<UnitName> beingMade = new HashSet<>();

    TransientStarts(
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

    /** Files of the same name are written and removed one after the other. */
    private Lane lane(UnitName name) {
        return context.workers().lane("transient " + name);
    }

    /**
     * Makes a scope of processes, and asks for its start.
     *
     * @param text of its file
     * @param processes owned from now on
     * @param answer completed when the job is there and before it begins, or failed with {@link
     *     JobRefusedException}
     */
    void scope(
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
                                    "to write its file",
                                    () -> {
                                        files.write(name, text);
                                        return catalog.readMade(name);
                                    })
                            .within(ManagerLimits.LOAD_PATIENCE.duration())
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
                Reason.SHUTTING_DOWN, name, "can only be stopped: the manager is stopping.");
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

    /** Takes it into the table, with what it is made of. */
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
        if (units.get(name) instanceof ManagedScope scope) {
            scope.give(processes);
        }
    }

    /** It is not loaded any more: its file goes. */
    void unloaded(UnitName name) {
        if (files.withdraw(name)) {
            removeFile(name);
        }
    }

    private void removeFile(UnitName name) {
        try {
            Work<Boolean> _ =
                    lane(name)
                            .work(
                                    "to remove its file",
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
            // the manager ends, and removes all of them
        }
    }
}
