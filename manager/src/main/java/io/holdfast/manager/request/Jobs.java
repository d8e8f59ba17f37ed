package io.holdfast.manager.request;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobOutcome;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.JobUnit;
import io.holdfast.manager.job.Relation;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries out requests for jobs: reads the unit files that a request needs, off the event loop, and
 * hands the request to the {@link JobEngine}. Used on the event loop.
 */
public final class Jobs implements JobEngine.Listener {
    /** Notices the ends of jobs. */
    public interface Observer {
        /** Handles that a job of the unit ended, in whatever way. */
        void jobEnded(LoadedUnit unit);

        /** Handles that a job of the unit took too long. */
        void jobTimedOut(LoadedUnit unit);

        /** Handles that the unit's start job failed without the unit. */
        void startFailed(LoadedUnit unit);
    }

    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final UnitListener listener;
    private final JobEngine engine;
    private final RequestChecks checks;
    private final JobExplanations explanations;
    private final UnusedUnits unused;
    private final Map<Long, CompletableFuture<?>> loading = new HashMap<>(); // reading files
    private long loads;
    private final Map<JobResult, Long> finished = new EnumMap<>(JobResult.class);
    private long granted;
    private boolean stopping;
    private @Nullable Observer observer;

    public Jobs(
            ManagerContext context, UnitTable units, UnitCatalog catalog, UnitListener listener) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.listener = listener;
        this.engine =
                new JobEngine(
                        (delay, task) -> {
                            EventLoop.Timer timer = context.loop().after(delay, task);
                            return timer::cancel;
                        },
                        this,
                        ManagerLimits.JOB_WAITERS.intValue(),
                        ManagerLimits.JOB_WAITERS.remedy());
        this.checks = new RequestChecks(units, engine);
        this.explanations = new JobExplanations(context, units);
        this.unused = new UnusedUnits(context, units, engine);
    }

    /** Sets what observes the ends of jobs; called once, before the first request. */
    public void observedBy(Observer observer) {
        this.observer = observer;
    }

    private Observer observer() {
        return Objects.requireNonNull(observer);
    }

    public UnusedUnits unused() {
        return unused;
    }

    public JobEngine engine() {
        return engine;
    }

    /** Returns how many jobs have been granted so far. */
    public long granted() {
        return granted;
    }

    /** Returns how many jobs have ended, by result. */
    public Map<JobResult, Long> finished() {
        return Map.copyOf(finished);
    }

    public boolean isStopping() {
        return stopping;
    }

    // ---- requests

    /**
     * Requests one job.
     *
     * @param answer completed when the job is queued and before it begins; fails with {@link
     *     JobRefusedException}
     */
    public void enqueue(
            UnitName name, JobType type, JobMode mode, CompletableFuture<UnitJob> answer) {
        enqueueAll(name, type, mode, first(answer));
    }

    /** Returns an answer of several jobs that completes the answer of the first one. */
    private static CompletableFuture<List<UnitJob>> first(CompletableFuture<UnitJob> answer) {
        CompletableFuture<List<UnitJob>> all = new CompletableFuture<>();
        var _ =
                all.whenComplete((jobs, failure) -> {
                    if (jobs == null) {
                        answer.completeExceptionally(failure);
                    } else {
                        answer.complete(jobs.getFirst());
                    }
                });
        return all;
    }

    /**
     * Requests one job, as {@link #enqueue} does.
     *
     * @param answer completed with all jobs of the request, the requested one first
     */
    public void enqueueAll(
            UnitName name, JobType type, JobMode mode, CompletableFuture<List<UnitJob>> answer) {
        withUnit(
                name,
                type,
                mode,
                answer,
                node -> {
                    checks.requireManual(node.unit().unit(), type);
                    checks.requireRestartable(node, type);
                    grant(node, type, mode, answer);
                });
    }

    /** Starts a unit because another unit ended ({@code OnFailure=}, {@code OnSuccess=}). */
    public void startHandler(UnitName name, JobMode mode, CompletableFuture<UnitJob> answer) {
        withUnit(
                name,
                JobType.START,
                mode,
                answer,
                node -> grant(node, JobType.START, mode, first(answer)));
    }

    /** Grants a request, completes the answer, and lets jobs begin. */
    private void grant(
            LoadedUnit node, JobType type, JobMode mode, CompletableFuture<List<UnitJob>> answer) {
        requireRunning(node.name(), type);
        answer.complete(engine.requestAll(node, type, mode, JobEngine.NOBODY));
        engine.run();
    }

    private void requireRunning(UnitName name, JobType type) {
        if (stopping && type != JobType.STOP) {
            throw new JobRefusedException(
                    Reason.SHUTTING_DOWN, name, "accepts only stop jobs: the manager is stopping.");
        }
    }

    /** Starts units, each by its own request, and completes the answer with the results. */
    public void start(
            Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> answer) {
        start(names, () -> true, answer);
    }

    /**
     * Starts units as {@link #start(Collection, CompletableFuture)} does, unless that is no longer
     * wanted once their files are read: then the answer has no results.
     */
    public void start(
            Collection<UnitName> names,
            BooleanSupplier isWanted,
            CompletableFuture<Map<UnitName, JobResult>> answer) {
        CompletableFuture<Map<UnitName, JobOutcome>> outcomes = new CompletableFuture<>();
        var _ =
                results(outcomes)
                        .whenComplete((results, failure) -> {
                            if (results == null) {
                                answer.completeExceptionally(failure);
                            } else {
                                answer.complete(results);
                            }
                        });
        each(names, JobType.START, isWanted, outcomes);
    }

    /** Returns the results of jobs without their explanations. */
    public static CompletableFuture<Map<UnitName, JobResult>> results(
            CompletableFuture<Map<UnitName, JobOutcome>> outcomes) {
        CompletableFuture<Map<UnitName, JobResult>> results = new CompletableFuture<>();
        var _ =
                outcomes.whenComplete((map, failure) -> {
                    if (map == null) {
                        results.completeExceptionally(failure);
                    } else {
                        Map<UnitName, JobResult> each = new LinkedHashMap<>();
                        map.forEach((name, outcome) -> each.put(name, outcome.result()));
                        results.complete(each);
                    }
                });
        return results;
    }

    /**
     * Requests a job for each of the units, and completes the answer when all jobs have ended.
     *
     * @throws IllegalStateException if the manager is stopping
     */
    public void each(
            Collection<UnitName> names,
            JobType type,
            CompletableFuture<Map<UnitName, JobOutcome>> answer) {
        each(names, type, () -> true, answer);
    }

    private void each(
            Collection<UnitName> names,
            JobType type,
            BooleanSupplier isWanted,
            CompletableFuture<Map<UnitName, JobOutcome>> answer) {
        requireNotStopping(type);
        JobResults<JobOutcome> results = new JobResults<>(names, JobOutcome.NONE, answer);
        load(
                names,
                type,
                JobMode.REPLACE,
                answer,
                closure -> {
                    requireNotStopping(type); // the stop may have begun while the files were read
                    if (!isWanted.getAsBoolean()) {
                        answer.complete(Map.of());
                        return;
                    }
                    if (type == JobType.STOP || type == JobType.RELOAD) {
                        names.forEach(this::requireLoaded);
                    }
                    List<UnitName> order = new ArrayList<>(new LinkedHashSet<>(names));
                    order.sort(Comparator.comparing(this::triggersOthers)); // triggering units last
                    for (UnitName name : order) {
                        request(name, type, names, closure, end -> results.add(name, end));
                    }
                    engine.run();
                });
    }

    private void requireNotStopping(JobType type) {
        if (stopping && type != JobType.STOP) {
            throw new IllegalStateException("the manager is stopping");
        }
    }

    private boolean triggersOthers(UnitName name) {
        LoadedUnit node = units.node(name);
        return node != null && !node.lastDefinition().triggers().isEmpty();
    }

    private void request(
            UnitName name,
            JobType type,
            Collection<UnitName> requested,
            UnitCatalog.Closure closure,
            Consumer<JobOutcome> done) {
        try {
            LoadedUnit node = node(name, closure);
            checks.requireRestartable(node, type);
            UnitJob _ =
                    engine.request(
                            node,
                            type,
                            JobMode.REPLACE,
                            result ->
                                    done.accept(
                                            explanations.ended(
                                                    name, type, result, requested, closure)));
        } catch (JobRefusedException e) {
            done.accept(explanations.refused(name, type, e, closure));
        }
    }

    // ---- reading files

    private void withUnit(
            UnitName name,
            JobType type,
            JobMode mode,
            CompletableFuture<?> answer,
            Consumer<LoadedUnit> then) {
        requireRunning(name, type);
        load(
                List.of(name),
                type,
                mode,
                answer,
                closure -> {
                    if (type == JobType.STOP && !units.isFound(name)) {
                        throw new JobRefusedException(Reason.NO_SUCH_UNIT, name, "not loaded.");
                    }
                    then.accept(node(name, closure));
                });
    }

    /**
     * Returns the unit of that name.
     *
     * @throws JobRefusedException if it is a new alias of a unit that keeps its definition
     */
    private LoadedUnit node(UnitName name, UnitCatalog.Closure closure) {
        LoadedUnit node = units.node(name);
        if (node == null) {
            throw LoadedUnit.notFound(name, Optional.ofNullable(closure.read(name)));
        }
        return node;
    }

    private void requireLoaded(UnitName name) {
        if (!units.isFound(name)) {
            throw new IllegalArgumentException(name + " is not loaded");
        }
    }

    /**
     * Reads the unit files that a request needs, and passes them to the rest of the request.
     *
     * @param answer fails with the exception of the rest of the request
     */
    private void load(
            Collection<UnitName> names,
            JobType type,
            JobMode mode,
            CompletableFuture<?> answer,
            Consumer<UnitCatalog.Closure> then) {
        boolean starts = type != JobType.STOP && type != JobType.RELOAD;
        boolean allKnown = names.stream().allMatch(units::isFound);
        if (!starts && allKnown) {
            resume(names, UnitCatalog.Closure.NOTHING, answer, then);
            return;
        }
        boolean alone = !starts || mode.isAlone();
        Set<UnitName> beside = starts && !alone ? restarted(names) : Set.of();
        Set<UnitName> up = units.up();
        long number = ++loads;
        context.workers()
                .lane("load " + names.stream().map(UnitName::text).findFirst().orElse("nothing"))
                .work(
                        "the reading of unit files",
                        () -> alone ? catalog.alone(names) : catalog.closure(names, beside, up))
                .within(ManagerLimits.LOAD_TIMEOUT.duration())
                .begin((closure, failure) -> {
                    var _ = loading.remove(number);
                    if (closure == null) {
                        answer.completeExceptionally(orUnknown(failure));
                    } else {
                        resume(names, closure, answer, then);
                    }
                });
        loading.put(number, answer);
    }

    private void resume(
            Collection<UnitName> names,
            UnitCatalog.Closure closure,
            CompletableFuture<?> answer,
            Consumer<UnitCatalog.Closure> then) {
        try {
            closure.beside().values().forEach(unit -> take(unit, false));
            closure.units().values().forEach(unit -> take(unit, names.contains(unit.name())));
            closure.notices().forEach(context::notice);
            then.accept(closure);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /** Returns the units that a restart of these restarts too: their files must be read again. */
    private Set<UnitName> restarted(Collection<UnitName> names) {
        Set<JobUnit> found = new LinkedHashSet<>();
        List<JobUnit> todo = new ArrayList<>();
        names.stream().map(units::node).filter(node -> node != null).forEach(todo::add);
        while (!todo.isEmpty()) {
            for (JobUnit other : todo.removeLast().related(Relation.RESTARTED_WITH)) {
                if (other.activeState().isUp() && found.add(other)) {
                    todo.add(other);
                }
            }
        }
        return found.stream().map(JobUnit::name).collect(Collectors.toSet());
    }

    /**
     * Takes a unit as it was read. A unit that is up keeps the definition that the last
     * daemon-reload has loaded, as in systemd: a change that is not finished must not take effect
     * by a restart. So does a unit whose file is missing, as while a package is upgraded.
     *
     * @param requested whether the request names the unit, so that a change is logged
     */
    private void take(Unit unit, boolean requested) {
        LoadedUnit known = units.node(unit.name());
        if (known == null || !known.activeState().isUp() || !keepsDefinition(known, unit)) {
            units.take(unit);
        } else if (requested
                && unit.source().state() == UnitSource.State.LOADED
                && !known.unit().newest().equals(unit)) {
            context.warn(
                    unit.name(),
                    "its files have changed since they were loaded; the change takes effect"
                            + " after: holdfast daemon-reload");
        }
    }

    private static boolean keepsDefinition(LoadedUnit known, Unit read) {
        Unit loaded = known.unit().newest();
        boolean isUsable =
                loaded.source().state() == UnitSource.State.LOADED && !loaded.isRefused();
        return known.name().equals(read.name())
                && switch (read.source().state()) {
                    case LOADED -> isUsable;
                    case NOT_FOUND -> true;
                    case MASKED -> false;
                };
    }

    public static Exception orUnknown(@Nullable Exception failure) {
        return failure == null ? new IllegalStateException("internal error: no result") : failure;
    }

    public boolean cancel(long id) {
        boolean cancelled = engine.cancel(id);
        engine.run();
        return cancelled;
    }

    public void cancelAll() {
        engine.cancelAll();
        engine.run();
    }

    // ---- the end

    /** Stops all units, and refuses further starts. */
    public void shutdown(Consumer<Map<UnitName, JobResult>> done) {
        stopping = true;
        Map<Boolean, List<LoadedUnit>> all =
                units.nodes().stream()
                        .filter(node -> !node.unit().isPerpetual())
                        .collect(Collectors.partitioningBy(this::isStoppedLast));
        engine.cancelAll();
        stop(
                all.getOrDefault(false, List.of()),
                results ->
                        context.loop()
                                .postEnding(
                                        () -> // outside of the engine
                                        stop(
                                                        all.getOrDefault(true, List.of()),
                                                        last -> {
                                                            results.putAll(last);
                                                            done.accept(results);
                                                        })));
    }

    /**
     * Returns whether a unit is stopped after the others: the receiver of their last lines, and the
     * slices, of which one has the receiver.
     */
    private boolean isStoppedLast(LoadedUnit node) {
        return node.name().type().isImplicit() || context.logs().isReceiver(node.name());
    }

    private void stop(List<LoadedUnit> all, Consumer<Map<UnitName, JobResult>> done) {
        CompletableFuture<Map<UnitName, JobResult>> answer = new CompletableFuture<>();
        JobResults<JobResult> results =
                new JobResults<>(
                        all.stream().map(LoadedUnit::name).toList(), JobResult.INVALID, answer);
        var _ = answer.thenAccept(done);
        for (LoadedUnit node : all) {
            UnitName name = node.name();
            if (node.isDown()) {
                node.begin(JobType.STOP, result -> results.add(name, result));
            } else {
                UnitJob _ =
                        engine.request(
                                node,
                                JobType.STOP,
                                JobMode.IGNORE_REQUIREMENTS,
                                result -> results.add(name, result));
            }
        }
        engine.run();
    }

    /** Fails the requests whose files are still being read when the event loop ends. */
    public void end() {
        loading.values()
                .forEach(answer ->
                        answer.completeExceptionally(
                                new IllegalStateException("the manager is stopping")));
        loading.clear();
    }

    // ---- requests of units

    public Optional<UnitJob> jobOf(UnitName name) {
        LoadedUnit node = units.node(name);
        return node == null ? Optional.empty() : engine.of(node);
    }

    /** Queues the automatic restart of a unit. Returns why it is refused; empty if it is not. */
    public Optional<String> restart(UnitName name, boolean alone) {
        LoadedUnit node = units.node(name);
        if (node == null || stopping) {
            return Optional.of("the manager is stopping");
        }
        try {
            engine.startAgain(node, alone ? JobMode.REPLACE : JobMode.RESTART_DEPENDENCIES);
            engine.run();
            return Optional.empty();
        } catch (JobRefusedException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    // ---- events of the engine

    @Override
    public void jobNew(UnitJob job) {
        granted++;
        context.debug(job.unit(), job.type().word() + " job " + job.id() + " is queued");
        context.survival().changed(job.unit());
        listener.jobNew(job);
        listener.unitChanged(job.unit());
    }

    @Override
    public void jobChanged(UnitJob job) {
        context.survival().changed(job.unit());
        listener.unitChanged(job.unit());
    }

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        finished.merge(result, 1L, Long::sum);
        context.debug(
                job.unit(),
                job.type().word() + " job " + job.id() + " has ended: " + result.word());
        context.survival().changed(job.unit());
        listener.unitChanged(job.unit());
        listener.jobRemoved(job, result);
        LoadedUnit node = units.node(job.unit());
        if (node != null) {
            observer().jobEnded(node);
            unused.look(List.of(node.name()));
        }
        if (result == JobResult.TIMEOUT) {
            context.warn(job.unit(), job.type().word() + " job timed out");
            if (node != null && !stopping) {
                observer().jobTimedOut(node);
            }
        }
    }

    @Override
    public void startFailedOutside(JobUnit unit, JobResult result, Optional<JobUnit> cause) {
        LoadedUnit node = units.node(unit.name());
        if (node != null) {
            if (result == JobResult.DEPENDENCY) {
                String why = "dependency failed" + cause.map(this::reason).orElse("");
                context.warn(node.name(), "not started, " + why);
                node.unit().notStarted(why);
            } else {
                node.unit().notStarted("start job timed out");
            }
            observer().startFailed(node);
        }
    }

    /** Returns which unit could not be started, and the reason if it is known. */
    private String reason(JobUnit failed) {
        LoadedUnit node = units.node(failed.name());
        Optional<String> why = node == null ? Optional.empty() : JobExplanations.failure(node);
        return ": " + failed.name() + why.map(text -> " (" + text + ")").orElse("");
    }

    @Override
    public void note(JobUnit anchor, String line) {
        context.warn(anchor.name(), line);
    }
}
