package io.holdfast.manager;

import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;

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
                    Reason.SHUTTING_DOWN, name, "can only be stopped: the manager is stopping.");
        }
        Request request = new Request(name, type, mode);
        switch (type) {
            case START -> start(request, answer);
            case RESTART -> restart(request, answer);
            case TRY_RESTART ->
                    withUnit(
                            name,
                            answer,
                            unit -> {
                                if (unit.activeState().isUp()) {
                                    restart(request.ofType(JobType.RESTART), answer);
                                } else {
                                    nothing(unit, type, answer);
                                }
                            });
            case STOP -> withUnit(name, answer, unit -> stop(unit, request, answer));
            case RELOAD -> withUnit(name, answer, unit -> reload(unit, request, answer));
        }
    }

    /**
     * What is asked for.
     *
     * @param name as it was used
     */
    private record Request(UnitName name, JobType type, JobMode mode) {
        String text() {
            return type.word() + " of " + name;
        }

        Request ofType(JobType other) {
            return new Request(name, other, mode);
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

    private void start(Request request, CompletableFuture<UnitJob> answer) {
        List<UnitName> names = List.of(request.name());
        boolean alone = request.mode().isAlone();
        boolean dependencies = request.mode() == JobMode.RESTART_DEPENDENCIES;
        jobs.load(
                names,
                dependencies ? Jobs.names(dependants(request.name())) : List.of(),
                alone,
                answer,
                closure -> {
                    Set<ManagedUnit> dependants =
                            dependencies ? dependants(request.name()) : Set.of();
                    StartPlan plan = jobs.plan(names, closure, alone, dependants);
                    check(request, closure, plan, dependants);
                    Runnable installed = installed(request, answer);
                    if (dependencies) {
                        refuseIfInTheWay(request, dependants, JobType.RESTART);
                        jobs.restart(
                                names,
                                dependants,
                                closure,
                                alone,
                                jobs.answerToNobody(request.text()),
                                installed);
                    } else {
                        jobs.start(names, plan, _ -> {}, installed);
                    }
                });
    }

    /** What is up and depends on it. */
    private Set<ManagedUnit> dependants(UnitName name) {
        ManagedUnit unit = units.find(name);
        if (unit == null) {
            return Set.of();
        }
        Set<ManagedUnit> dependants = units.withDependants(List.of(unit));
        dependants.remove(unit);
        return dependants;
    }

    /** To be called when the jobs are there; those of this request are numbered from now on. */
    private Runnable installed(Request request, CompletableFuture<UnitJob> answer) {
        long before = table.last();
        return () -> {
            settle(request.mode(), before);
            answer.complete(jobOf(request.name()));
        };
    }

    private void settle(JobMode mode, long before) {
        if (mode == JobMode.REPLACE_IRREVERSIBLY) {
            table.makeIrreversible(before);
        }
    }

    private void restart(Request request, CompletableFuture<UnitJob> answer) {
        List<UnitName> names = List.of(request.name());
        boolean alone = request.mode().isAlone();
        jobs.load(
                names,
                Jobs.names(jobs.running(names, alone)),
                alone,
                answer,
                closure -> {
                    Set<ManagedUnit> stopped = jobs.running(names, alone);
                    check(request, closure, jobs.plan(names, closure, alone, stopped), stopped);
                    ManagedUnit unit = units.get(request.name());
                    refuseIfOnlyByDependency(unit.unit(), JobType.STOP);
                    jobs.restart(
                            names,
                            alone ? List.of(unit) : units.withDependants(List.of(unit)),
                            closure,
                            alone,
                            jobs.answerToNobody(request.text()),
                            installed(request, answer));
                });
    }

    private void stop(ManagedUnit unit, Request request, CompletableFuture<UnitJob> answer) {
        refuseIfOnlyByDependency(unit.unit(), JobType.STOP);
        Collection<ManagedUnit> stopped =
                request.mode().isAlone()
                        ? List.of(unit)
                        : units.withDependants(anchors(unit, request.mode()));
        refuseIfInTheWay(request, stopped, JobType.STOP);
        jobs.stopAsked(stopped);
        run(unit, stopped, request, Transaction.Kind.STOP, answer);
    }

    private List<ManagedUnit> anchors(ManagedUnit unit, JobMode mode) {
        Stream<? extends ManagedUnit> triggers =
                mode == JobMode.TRIGGERING
                        ? units.sockets().filter(socket -> socket.unit().triggers(unit.unit()))
                        : Stream.empty();
        return Stream.concat(Stream.of(unit), triggers).toList();
    }

    private void reload(ManagedUnit unit, Request request, CompletableFuture<UnitJob> answer) {
        if (!(unit.unit() instanceof ServiceUnit service) || !ServiceReload.isPossible(service)) {
            throw new JobRefusedException(
                    Reason.NOT_APPLICABLE,
                    "Job type reload is not applicable for unit " + unit.unit().name() + ".");
        }
        refuseIfInTheWay(request, List.of(unit), JobType.RELOAD);
        run(unit, List.of(unit), request, Transaction.Kind.RELOAD, answer);
    }

    private void run(
            ManagedUnit anchor,
            Collection<ManagedUnit> some,
            Request request,
            Transaction.Kind kind,
            CompletableFuture<UnitJob> answer) {
        long before = table.last();
        UnitJob job = table.install(anchor.unit().name(), kind.type());
        Transaction transaction = jobs.transaction(some, kind, _ -> {});
        settle(request.mode(), before);
        answer.complete(job);
        transaction.run();
    }

    // ---- refusals

    /**
     * @param stopped what is stopped before, and has to come back
     */
    private void check(
            Request request,
            UnitCatalog.Closure closure,
            StartPlan plan,
            Set<ManagedUnit> stopped) {
        ManagedUnit unit = units.find(request.name());
        if (unit == null || plan.isUnknown(request.name())) {
            plan.tellRefusals();
            throw new JobRefusedException(Reason.NO_SUCH_UNIT, request.name(), "not found.");
        }
        refuseIfOnlyByDependency(unit.unit(), JobType.START);
        UnitName own = unit.unit().name();
        JobResult refusal = plan.refused().get(own);
        if (refusal != null) {
            plan.tellRefusals();
            throw refusal(plan.meant(unit), refusal, closure);
        }
        if (stopped.stream().anyMatch(one -> plan.refused().containsKey(one.unit().name()))) {
            plan.tellRefusals();
            throw refusal(own, JobResult.DEPENDENCY);
        }
        for (ManagedUnit start : plan.starts()) {
            refuseIfInTheWay(
                    request, List.of(start), start.equals(unit) ? request.type() : JobType.START);
        }
        refuseIfInTheWay(request, plan.stops(), JobType.STOP);
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
        return switch (unit.source().state()) {
            case NOT_FOUND -> new JobRefusedException(Reason.NO_SUCH_UNIT, name, "not found.");
            case MASKED -> new JobRefusedException(Reason.MASKED, name, "is masked.");
            case LOADED -> refusal(name, how);
        };
    }

    private static JobRefusedException refusal(UnitName name, JobResult how) {
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

    private void refuseIfInTheWay(Request request, Collection<ManagedUnit> some, JobType type) {
        for (ManagedUnit unit : some) {
            UnitName name = unit.unit().name();
            table.inTheWay(name, type)
                    .filter(job -> request.mode() == JobMode.FAIL || table.isIrreversible(job.id()))
                    .ifPresent(job -> {
                        throw new JobRefusedException(
                                Reason.DESTRUCTIVE,
                                "Transaction for %s/%s is destructive (%s has '%s' job queued, but '%s' is included in transaction)."
                                        .formatted(
                                                request.name(),
                                                request.type().word(),
                                                name,
                                                job.type().word(),
                                                type.word()));
                    });
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
                    "Operation refused, unit "
                            + unit.name()
                            + " may be requested by dependency only (it is configured to refuse"
                            + " manual start/stop).");
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
                .lane("load " + name)
                .work("to read unit files", () -> catalog.read(name))
                .within(ManagerLimits.LOAD_PATIENCE.duration())
                .begin((read, failure) -> {
                    try {
                        if (read == null) {
                            throw Jobs.orUnknown(failure);
                        }
                        if (read.source().state() == UnitSource.State.NOT_FOUND) {
                            throw new JobRefusedException(Reason.NO_SUCH_UNIT, name, "not loaded.");
                        }
                        units.take(read);
                        then.accept(units.get(read.name()));
                    } catch (Exception e) {
                        answer.completeExceptionally(e);
                    }
                });
    }
}
