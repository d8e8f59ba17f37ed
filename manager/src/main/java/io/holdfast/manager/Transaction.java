package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.ActiveState;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.SocketUnit;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Jobs of several units that are started, stopped or reloaded together, each when those that it is
 * ordered behind are through. On the loop.
 */
final class Transaction {
    private static final List<Dependency> REQUIREMENTS =
            List.of(Dependency.REQUIRES, Dependency.BINDS_TO, Dependency.REQUISITE);

    /** What happens to all of the units. */
    enum Kind {
        START,
        STOP,
        /** A start of the same units follows. */
        STOP_TO_RESTART,
        RELOAD;

        JobType type() {
            return switch (this) {
                case START -> JobType.START;
                case STOP -> JobType.STOP;
                case STOP_TO_RESTART -> JobType.RESTART;
                case RELOAD -> JobType.RELOAD;
            };
        }
    }

    /** One unit's part. */
    private static final class Job {
        final ManagedUnit unit;
        final Set<Job> waitsFor = new LinkedHashSet<>();
        final Optional<UnitJob> shown;
        boolean begun;
        @Nullable JobResult result;

        Job(ManagedUnit unit, Optional<UnitJob> shown) {
            this.unit = unit;
            this.shown = shown;
        }
    }

    private final Map<UnitName, Job> jobs = new LinkedHashMap<>();
    private final Kind kind;
    private final JobTable table;
    private final Consumer<Map<UnitName, JobResult>> done;
    private boolean told;

    /**
     * @param done told how each job ended, when all have
     */
    Transaction(
            Iterable<ManagedUnit> units,
            Kind kind,
            JobTable table,
            Consumer<Map<UnitName, JobResult>> done,
            Consumer<String> complaints) {
        this.kind = kind;
        this.table = table;
        this.done = done;
        for (ManagedUnit unit : units) {
            jobs.put(unit.unit().name(), new Job(unit, shown(unit)));
        }
        order();
        breakCycles(complaints);
        if (kind == Kind.STOP || kind == Kind.STOP_TO_RESTART) {
            jobs.values().forEach(job -> job.unit.announceStop());
        }
    }

    /** What others see of a job: nothing, where nobody asked for it and there is nothing to do. */
    private Optional<UnitJob> shown(ManagedUnit unit) {
        UnitName name = unit.unit().name();
        boolean needless =
                kind == Kind.START
                        ? unit.activeState() == ActiveState.ACTIVE
                        : kind == Kind.STOP && isDown(unit.activeState());
        return needless && table.of(name).isEmpty()
                ? Optional.empty()
                : Optional.of(table.install(name, kind.type()));
    }

    private static boolean isDown(ActiveState state) {
        return state == ActiveState.INACTIVE || state == ActiveState.FAILED;
    }

    /** A stop runs in the reverse order of a start. */
    private void order() {
        for (Job later : jobs.values()) {
            for (Job earlier : jobs.values()) {
                if (later != earlier && isAfter(later, earlier)) {
                    if (kind == Kind.START || kind == Kind.RELOAD) {
                        later.waitsFor.add(earlier);
                    } else {
                        earlier.waitsFor.add(later);
                    }
                }
            }
        }
    }

    private static boolean isAfter(Job later, Job earlier) {
        BiPredicate<Job, Job> says =
                (one, other) ->
                        other.unit.unit().source().names().stream()
                                .anyMatch(name ->
                                        one.unit
                                                .unit()
                                                .unit()
                                                .dependencies()
                                                .has(Dependency.AFTER, name));
        boolean before =
                later.unit.unit().source().names().stream()
                        .anyMatch(name ->
                                earlier.unit
                                        .unit()
                                        .unit()
                                        .dependencies()
                                        .has(Dependency.BEFORE, name));
        return before || says.test(later, earlier) || isSocketOf(earlier, later);
    }

    private static boolean isSocketOf(Job earlier, Job later) {
        return earlier.unit.unit() instanceof SocketUnit socket
                && socket.triggers(later.unit.unit());
    }

    private void breakCycles(Consumer<String> complaints) {
        Set<Job> finished = new HashSet<>();
        for (Job job : jobs.values()) {
            visit(job, new ArrayList<>(), finished, complaints);
        }
    }

    private static void visit(
            Job job, List<Job> path, Set<Job> finished, Consumer<String> complaints) {
        if (finished.contains(job)) {
            return;
        }
        path.add(job);
        for (Job before : List.copyOf(job.waitsFor)) {
            if (path.contains(before)) {
                job.waitsFor.remove(before);
                complaints.accept(
                        "the order of "
                                + job.unit.unit().name()
                                + " behind "
                                + before.unit.unit().name()
                                + " closes a circle and is not kept");
            } else {
                visit(before, path, finished, complaints);
            }
        }
        path.removeLast();
        finished.add(job);
    }

    /** Begins every job whose time has come. */
    void run() {
        boolean progress = true;
        while (progress) {
            progress = false;
            for (Job job : jobs.values()) {
                if (!job.begun && job.waitsFor.stream().allMatch(before -> before.result != null)) {
                    job.begun = true;
                    progress = true;
                    begin(job);
                }
            }
        }
        if (!told && jobs.values().stream().allMatch(job -> job.result != null)) {
            told = true;
            Map<UnitName, JobResult> results = new LinkedHashMap<>();
            jobs.forEach((name, job) -> {
                if (job.result != null) {
                    results.put(name, job.result);
                }
            });
            done.accept(results);
        }
    }

    private void begin(Job job) {
        job.shown.ifPresent(shown -> table.running(shown.id()));
        switch (kind) {
            case START -> {
                if (requiredHasFailed(job)) {
                    job.result = JobResult.DEPENDENCY;
                    show(job, JobResult.DEPENDENCY);
                } else {
                    job.unit.start(result -> end(job, result));
                }
            }
            case STOP -> job.unit.stop(false, result -> end(job, result));
            case STOP_TO_RESTART -> job.unit.stop(true, result -> end(job, result));
            case RELOAD -> job.unit.reload(result -> end(job, result));
        }
    }

    private void end(Job job, JobResult result) {
        if (job.result == null) {
            job.result = result;
            show(job, result);
            run();
        }
    }

    private void show(Job job, JobResult result) {
        if (kind != Kind.STOP_TO_RESTART || result != JobResult.DONE) { // else the start ends it
            job.shown.ifPresent(shown -> table.end(shown.id(), result));
        }
    }

    private boolean requiredHasFailed(Job job) {
        return job.waitsFor.stream()
                .anyMatch(before ->
                        before.result != JobResult.DONE
                                && REQUIREMENTS.stream()
                                        .anyMatch(kind ->
                                                before.unit.unit().source().names().stream()
                                                        .anyMatch(name ->
                                                                job.unit
                                                                        .unit()
                                                                        .unit()
                                                                        .dependencies()
                                                                        .has(kind, name))));
    }
}
