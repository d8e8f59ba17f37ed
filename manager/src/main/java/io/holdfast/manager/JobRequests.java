package io.holdfast.manager;

import io.holdfast.manager.JobRefusedException.Reason;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Jobs that somebody asks for one by one and wants to see: each is refused before anything is done,
 * or answered with its number before it begins. On the loop.
 */
final class JobRequests {
    private final ManagerContext context;
    private final Jobs jobs;
    private final JobTable table;
    private final UnitTable units;
    private final UnitCatalog catalog;

    JobRequests(
            ManagerContext context,
            Jobs jobs,
            JobTable table,
            UnitTable units,
            UnitCatalog catalog) {
        this.context = context;
        this.jobs = jobs;
        this.table = table;
        this.units = units;
        this.catalog = catalog;
    }

    /**
     * @param answer completed on the loop when the job is there and has not begun; fails with
     *     {@link JobRefusedException}
     */
    void enqueue(UnitName name, JobType type, JobMode mode, CompletableFuture<UnitJob> answer) {
        if (jobs.isStopping() && type != JobType.STOP) {
            throw new JobRefusedException(
                    Reason.SHUTTING_DOWN, name, "cannot be started: the manager is stopping.");
        }
        switch (type) {
            case START ->
                    jobs.load(
                            List.of(name),
                            answer,
                            closure ->
                                    jobs.start(
                                            List.of(name),
                                            closure,
                                            _ -> {},
                                            plan -> check(name, type, mode, closure, plan),
                                            () -> answer.complete(jobOf(name))));
            case RESTART -> restart(name, mode, answer);
            case TRY_RESTART ->
                    withUnit(
                            name,
                            answer,
                            unit -> {
                                if (unit.activeState().isUp()) {
                                    restart(name, mode, answer);
                                } else {
                                    nothing(unit, type, answer);
                                }
                            });
            case STOP -> withUnit(name, answer, unit -> stop(unit, mode, answer));
            case RELOAD -> withUnit(name, answer, unit -> reload(unit, mode, answer));
        }
    }

    private UnitJob jobOf(UnitName name) {
        return table.of(units.get(name).unit().name()).orElseThrow();
    }

    private void nothing(ManagedUnit unit, JobType type, CompletableFuture<UnitJob> answer) {
        UnitJob job = table.installBeside(unit.unit().name(), type);
        answer.complete(job);
        table.end(job.id(), JobResult.DONE);
    }

    private void restart(UnitName name, JobMode mode, CompletableFuture<UnitJob> answer) {
        jobs.load(
                List.of(name),
                answer,
                closure -> {
                    StartPlan plan = new StartPlan(context, units, List.of(name), closure);
                    check(name, JobType.RESTART, mode, closure, plan);
                    refuseIfOnlyByDependency(units.get(name).unit(), JobType.STOP);
                    jobs.restart(
                            List.of(name),
                            closure,
                            new CompletableFuture<>(),
                            () -> answer.complete(jobOf(name)));
                });
    }

    private void stop(ManagedUnit unit, JobMode mode, CompletableFuture<UnitJob> answer) {
        refuseIfOnlyByDependency(unit.unit(), JobType.STOP);
        Collection<ManagedUnit> stopped = units.withDependants(List.of(unit));
        refuseIfInTheWay(unit.unit().name(), stopped, JobType.STOP, mode);
        run(unit, stopped, Transaction.Kind.STOP, answer);
    }

    private void reload(ManagedUnit unit, JobMode mode, CompletableFuture<UnitJob> answer) {
        if (!(unit.unit() instanceof ServiceUnit service) || !ServiceReload.isPossible(service)) {
            throw new JobRefusedException(
                    Reason.NOT_APPLICABLE, unit.unit().name(), "cannot be reloaded.");
        }
        refuseIfInTheWay(unit.unit().name(), List.of(unit), JobType.RELOAD, mode);
        run(unit, List.of(unit), Transaction.Kind.RELOAD, answer);
    }

    private void run(
            ManagedUnit anchor,
            Collection<ManagedUnit> some,
            Transaction.Kind kind,
            CompletableFuture<UnitJob> answer) {
        UnitJob job = table.install(anchor.unit().name(), kind.type());
        Transaction transaction = jobs.transaction(some, kind, _ -> {});
        answer.complete(job);
        transaction.run();
    }

    // ---- refusals

    private void check(
            UnitName name,
            JobType type,
            JobMode mode,
            UnitCatalog.Closure closure,
            StartPlan plan) {
        ManagedUnit unit = units.find(name);
        if (unit == null) {
            throw new JobRefusedException(Reason.NO_SUCH_UNIT, name, "not found.");
        }
        refuseIfOnlyByDependency(unit.unit(), JobType.START);
        UnitName own = unit.unit().name();
        JobResult refusal = plan.refused().get(own);
        if (refusal != null) {
            throw refusal(unit.unit(), refusal, closure);
        }
        refuseIfInTheWay(own, plan.starts(), type, mode);
        refuseIfInTheWay(own, plan.stops(), JobType.STOP, mode);
    }

    private static JobRefusedException refusal(
            Unit unit, JobResult how, UnitCatalog.Closure closure) {
        UnitName name = unit.name();
        Optional<UnitName> missing =
                closure.missing().stream()
                        .filter(one -> one.unit().equals(name))
                        .map(UnitCatalog.Missing::required)
                        .findFirst();
        if (missing.isPresent()) {
            return new JobRefusedException(Reason.NO_SUCH_UNIT, missing.get(), "not found.");
        }
        if (unit.source().state() == UnitSource.State.MASKED) {
            return new JobRefusedException(Reason.MASKED, name, "is masked.");
        }
        return switch (how) {
            case INVALID ->
                    new JobRefusedException(
                            Reason.BAD_SETTING, name, "has a bad unit file setting.");
            case DEPENDENCY ->
                    new JobRefusedException(
                            Reason.DEPENDENCY, name, "requires what cannot be started.");
            default ->
                    new JobRefusedException(
                            Reason.DESTRUCTIVE, name, "conflicts with what is started too.");
        };
    }

    private void refuseIfInTheWay(
            UnitName anchor, Collection<ManagedUnit> some, JobType type, JobMode mode) {
        if (mode == JobMode.FAIL) {
            for (ManagedUnit unit : some) {
                UnitName name = unit.unit().name();
                if (table.isInTheWay(name, type)) {
                    throw new JobRefusedException(
                            Reason.DESTRUCTIVE,
                            anchor,
                            "has a job that would take the place of another one, of " + name + ".");
                }
            }
        }
    }

    private static void refuseIfOnlyByDependency(Unit unit, JobType type) {
        boolean refused =
                type == JobType.START
                        ? unit.unit().refuseManualStart()
                        : unit.unit().refuseManualStop();
        if (refused) {
            throw new JobRefusedException(
                    Reason.ONLY_BY_DEPENDENCY,
                    unit.name(),
                    "may be requested by dependency only (it is configured to refuse manual"
                            + " start/stop).");
        }
    }

    /** Goes on with a unit, which is loaded if need be. */
    private void withUnit(
            UnitName name, CompletableFuture<UnitJob> answer, Consumer<ManagedUnit> then) {
        ManagedUnit known = units.find(name);
        if (known != null) {
            then.accept(known);
            return;
        }
        context.workers()
                .<Unit>run(
                        () -> catalog.read(name),
                        (read, failure) -> {
                            try {
                                if (read == null) {
                                    throw Jobs.orUnknown(failure);
                                }
                                if (read.source().state() == UnitSource.State.NOT_FOUND) {
                                    throw new JobRefusedException(
                                            Reason.NO_SUCH_UNIT, name, "not loaded.");
                                }
                                units.take(read);
                                then.accept(units.get(read.name()));
                            } catch (Exception e) {
                                answer.completeExceptionally(e);
                            }
                        });
    }
}
