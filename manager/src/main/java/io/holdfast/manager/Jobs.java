package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.ActiveState;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of units, and what units ask of others by their dependencies: loads what is needed,
 * and runs the transactions. On the loop.
 */
final class Jobs {
    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final JobTable table;

    /** Of each restart whose stops are under way, what somebody has asked to be stopped since. */
    private final Set<Set<UnitName>> restarts = Collections.newSetFromMap(new IdentityHashMap<>());

    private boolean stopping;

    Jobs(ManagerContext context, UnitTable units, UnitCatalog catalog, JobTable table) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.table = table;
    }

    /** How the jobs of the named units end. */
    private static final class Answer {
        private final Collection<UnitName> names;
        private final UnitTable units;
        private final CompletableFuture<Map<UnitName, JobResult>> future;

        Answer(
                Collection<UnitName> names,
                UnitTable units,
                CompletableFuture<Map<UnitName, JobResult>> future) {
            this.names = List.copyOf(names);
            this.units = units;
            this.future = future;
        }

        /** The results of the units that were asked for, under the names that were used. */
        void complete(Map<UnitName, JobResult> results) {
            Map<UnitName, JobResult> named = new LinkedHashMap<>();
            for (UnitName name : names) {
                ManagedUnit unit = units.find(name);
                JobResult result = results.get(unit == null ? name : unit.unit().name());
                named.put(name, result == null ? JobResult.INVALID : result);
            }
            future.complete(named);
        }
    }

    // ---- what is asked for

    void start(Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> future) {
        Answer answer = new Answer(names, units, future);
        load(
                names,
                List.of(),
                false,
                future,
                closure ->
                        start(
                                names,
                                plan(names, closure, false, List.of()),
                                answer::complete,
                                () -> {}));
    }

    /**
     * What a start will do.
     *
     * @param alone whether nothing is demanded of other units, and nothing done to them
     * @param stopped what is up, is stopped before, and started again
     */
    StartPlan plan(
            Collection<UnitName> names,
            UnitCatalog.Closure closure,
            boolean alone,
            Collection<ManagedUnit> stopped) {
        return plan(names, closure, alone, stopped, Set.of());
    }

    private StartPlan plan(
            Collection<UnitName> names,
            UnitCatalog.Closure closure,
            boolean alone,
            Collection<ManagedUnit> stopped,
            Collection<UnitName> canceled) {
        if (stopping) {
            throw new IllegalStateException("the manager is stopping");
        }
        return new StartPlan(context, units, names, closure, alone, stopped, canceled);
    }

    /**
     * @param installed called when all jobs are there and none has begun
     */
    void start(
            Collection<UnitName> names,
            StartPlan plan,
            Consumer<Map<UnitName, JobResult>> done,
            Runnable installed) {
        plan.tell();
        for (UnitName name : names) {
            ManagedUnit unit = units.find(name);
            if (unit != null && plan.starts().contains(unit)) {
                restarts.forEach(canceled -> canceled.remove(unit.unit().name()));
                UnitJob _ = table.install(unit.unit().name(), JobType.START);
            }
        }
        Transaction starts =
                transaction(
                        plan.starts(),
                        Transaction.Kind.START,
                        results -> {
                            results.putAll(plan.refused());
                            done.accept(results);
                        });
        Transaction stops = transaction(plan.stops(), Transaction.Kind.STOP, _ -> starts.run());
        installed.run();
        stops.run();
    }

    void stop(Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> future) {
        Set<ManagedUnit> some = units.withDependants(loaded(names));
        stopAsked(some);
        run(some, Transaction.Kind.STOP, new Answer(names, units, future)::complete);
    }

    /** Somebody wants these to be stopped: what a restart is about to start again is not. */
    void stopAsked(Collection<ManagedUnit> some) {
        restarts.forEach(canceled -> canceled.addAll(names(some)));
    }

    /**
     * Stops what runs of these and of their dependants, and starts all of them. Those that could
     * not be started again, or whose dependants could not, stay as they are.
     */
    void restart(Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> future) {
        load(
                names,
                names(running(names, false)),
                false,
                future,
                closure -> {
                    List<ManagedUnit> known = loaded(names);
                    StartPlan plan = plan(names, closure, false, running(names, false));
                    Map<UnitName, JobResult> refused = new LinkedHashMap<>();
                    for (UnitName name : names) {
                        refusal(name, plan).ifPresent(how -> refused.put(name, how));
                    }
                    if (refused.isEmpty()) {
                        restart(
                                names,
                                units.withDependants(known),
                                closure,
                                false,
                                future,
                                () -> {});
                    } else {
                        plan.tellRefusals();
                        restartOthers(names, refused, future);
                    }
                });
    }

    /** What is up of these and of what stops with them, as far as they are loaded. */
    Set<ManagedUnit> running(Collection<UnitName> names, boolean alone) {
        List<ManagedUnit> known = new ArrayList<>();
        for (UnitName name : names) {
            ManagedUnit unit = units.find(name);
            if (unit != null) {
                known.add(unit);
            }
        }
        Set<ManagedUnit> running = alone ? new LinkedHashSet<>(known) : units.withDependants(known);
        running.removeIf(unit -> !unit.activeState().isUp());
        return running;
    }

    static List<UnitName> names(Collection<? extends ManagedUnit> some) {
        return some.stream().map(unit -> unit.unit().name()).toList();
    }

    /** Why a restart cannot be: the unit, or one that stops with it, could not be started again. */
    private Optional<JobResult> refusal(UnitName name, StartPlan plan) {
        JobResult own =
                plan.isUnknown(name)
                        ? JobResult.INVALID
                        : plan.refused().get(units.get(name).unit().name());
        return own != null
                ? Optional.of(own)
                : running(List.of(name), false).stream()
                        .filter(unit -> plan.refused().containsKey(unit.unit().name()))
                        .findFirst()
                        .map(_ -> JobResult.DEPENDENCY);
    }

    private void restartOthers(
            Collection<UnitName> names,
            Map<UnitName, JobResult> refused,
            CompletableFuture<Map<UnitName, JobResult>> future) {
        List<UnitName> others = names.stream().filter(name -> !refused.containsKey(name)).toList();
        if (others.isEmpty()) {
            future.complete(refused);
            return;
        }
        CompletableFuture<Map<UnitName, JobResult>> rest = new CompletableFuture<>();
        restart(others, rest);
        var ignored =
                rest.whenComplete((results, failure) -> {
                    if (failure != null) {
                        future.completeExceptionally(failure);
                    } else {
                        refused.putAll(results);
                        future.complete(refused);
                    }
                });
    }

    /**
     * Stops some units, as far as they are up, and then starts them and those that are named.
     *
     * @param installed called when all jobs are there and none has begun
     */
    void restart(
            Collection<UnitName> names,
            Collection<ManagedUnit> some,
            UnitCatalog.Closure closure,
            boolean alone,
            CompletableFuture<Map<UnitName, JobResult>> future,
            Runnable installed) {
        Answer answer = new Answer(names, units, future);
        Set<ManagedUnit> running = new LinkedHashSet<>(some);
        running.removeIf(unit -> !unit.activeState().isUp());
        Set<UnitName> again = new LinkedHashSet<>(names);
        running.forEach(unit -> again.add(unit.unit().name()));
        List<UnitJob> made = new ArrayList<>();
        for (UnitName name : again) {
            ManagedUnit unit = units.get(name);
            JobType type = some.contains(unit) ? JobType.RESTART : JobType.START;
            made.add(table.install(unit.unit().name(), type));
        }
        Set<UnitName> canceled = new LinkedHashSet<>();
        Transaction stops =
                transaction(
                        running,
                        Transaction.Kind.STOP_TO_RESTART,
                        _ -> {
                            restarts.remove(canceled);
                            canceled.retainAll(made.stream().map(UnitJob::unit).toList());
                            try {
                                StartPlan plan = plan(again, closure, alone, List.of(), canceled);
                                endRefused(made, plan);
                                start(again, plan, answer::complete, () -> {});
                            } catch (RuntimeException e) {
                                made.forEach(job -> table.end(job.id(), JobResult.CANCELED));
                                future.completeExceptionally(e);
                            }
                        });
        made.forEach(job -> restarts.forEach(other -> other.remove(job.unit())));
        restarts.add(canceled);
        installed.run();
        stops.run();
    }

    /** Those whose start is not to be. */
    private void endRefused(List<UnitJob> jobs, StartPlan plan) {
        Set<UnitName> starts =
                plan.starts().stream().map(unit -> unit.unit().name()).collect(Collectors.toSet());
        jobs.stream()
                .filter(job -> !starts.contains(job.unit()))
                .forEach(job ->
                        table.end(
                                job.id(),
                                plan.refused().getOrDefault(job.unit(), JobResult.INVALID)));
    }

    void reload(Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> future) {
        run(loaded(names), Transaction.Kind.RELOAD, new Answer(names, units, future)::complete);
    }

    /** Stops all units, and refuses further starts. */
    void shutdown(Consumer<Map<UnitName, JobResult>> done) {
        stopping = true;
        run(List.copyOf(units.all()), Transaction.Kind.STOP, done);
    }

    boolean isStopping() {
        return stopping;
    }

    private List<ManagedUnit> loaded(Collection<UnitName> names) {
        return names.stream().map(units::get).toList();
    }

    private void run(
            Collection<ManagedUnit> some,
            Transaction.Kind kind,
            Consumer<Map<UnitName, JobResult>> done) {
        transaction(some, kind, done).run();
    }

    Transaction transaction(
            Collection<ManagedUnit> some,
            Transaction.Kind kind,
            Consumer<Map<UnitName, JobResult>> done) {
        return new Transaction(some, kind, table, done, context::warn);
    }

    /**
     * Reads units, and what they pull in, and goes on with it.
     *
     * @param beside which are read too, each alone
     * @param alone whether they are read without that
     */
    void load(
            Collection<UnitName> names,
            Collection<UnitName> beside,
            boolean alone,
            CompletableFuture<?> answer,
            Consumer<UnitCatalog.Closure> loaded) {
        Set<UnitName> up =
                units.all().stream()
                        .filter(unit -> unit.activeState().isUp())
                        .map(unit -> unit.unit().name())
                        .collect(Collectors.toSet());
        context.workers()
                .lane("load " + names.stream().map(UnitName::text).findFirst().orElse("nothing"))
                .work(
                        "to read unit files",
                        () -> alone ? catalog.alone(names) : catalog.closure(names, beside, up))
                .within(ManagerLimits.LOAD_PATIENCE.duration())
                .begin((closure, failure) -> {
                    if (closure == null) {
                        answer.completeExceptionally(orUnknown(failure));
                        return;
                    }
                    try {
                        closure.beside().values().forEach(this::take);
                        closure.units().values().forEach(this::take);
                        closure.notices().forEach(context::notice);
                        loaded.accept(closure);
                    } catch (RuntimeException e) {
                        answer.completeExceptionally(e);
                    }
                });
    }

    /** That a file of something that is up is gone just now is for the plan alone. */
    private void take(Unit unit) {
        ManagedUnit known = units.find(unit.name());
        if (unit.source().state() != UnitSource.State.NOT_FOUND
                || (known != null && !known.activeState().isUp())) {
            units.take(unit);
        }
    }

    static Exception orUnknown(@Nullable Exception failure) {
        return failure == null ? new IllegalStateException("no answer, and no reason") : failure;
    }

    // ---- what units ask of others

    /** A unit has come to rest by itself or by a job: others may depend on that. */
    void settled(UnitName name, ActiveState state) {
        ManagedUnit unit = units.find(name);
        if (unit == null || stopping) {
            return;
        }
        Set<ManagedUnit> bound = new LinkedHashSet<>();
        for (ManagedUnit other : units.all()) {
            if (other.activeState().isUp()
                    && UnitTable.has(other, List.of(Dependency.BINDS_TO), unit)) {
                bound.add(other);
            }
        }
        run(bound, Transaction.Kind.STOP, _ -> {});
        Set<UnitName> onFailure = unit.unit().unit().dependencies().of(Dependency.ON_FAILURE);
        if (state == ActiveState.FAILED && !onFailure.isEmpty()) {
            startFor("OnFailure= of " + name, onFailure);
        }
        if (isUpheld(unit)) {
            var ignored =
                    context.loop()
                            .after(
                                    unit.mayStartIn().orElse(ManagerLimits.UPHOLD_DELAY.duration()),
                                    () -> uphold(unit));
        }
    }

    private boolean isUpheld(ManagedUnit unit) {
        return units.all().stream()
                .anyMatch(other ->
                        other.activeState().isUp()
                                && UnitTable.has(other, List.of(Dependency.UPHOLDS), unit));
    }

    private void uphold(ManagedUnit unit) {
        boolean down = !unit.activeState().isUp() && unit.activeState().isSettled();
        if (down && !stopping && isUpheld(unit)) {
            startFor("Upholds=" + unit.unit().name(), Set.of(unit.unit().name()));
        }
    }

    private void startFor(String reason, Set<UnitName> names) {
        start(names, answerToNobody(reason));
    }

    /** An answer that nobody waits for: of a failure it warns. */
    CompletableFuture<Map<UnitName, JobResult>> answerToNobody(String reason) {
        CompletableFuture<Map<UnitName, JobResult>> future = new CompletableFuture<>();
        var ignored =
                future.exceptionally(e -> {
                    context.warn(reason + ": " + cause(e).getMessage());
                    return Map.of();
                });
        return future;
    }

    private static Throwable cause(Throwable e) {
        return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    }
}
