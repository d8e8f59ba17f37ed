package io.holdfast.manager.job;

import io.holdfast.manager.unit.ActiveState;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The job engine of a manager: takes requests, orders the jobs, runs them and reports their
 * results.
 *
 * <p>A unit has at most one job, and in addition one that does nothing ({@link JobType#NOP}). A new
 * job of a unit that already has a job is merged into that job, or replaces it:
 *
 * <pre>
 *                    ┌───────────── the unit is not ready: wait for a change of its state
 *                    ▼                 │
 *   request ─▶ waiting ─▶ runnable? ─▶ running ─▶ done, failed, timeout …
 *                ▲ ▲          │           │ │
 *                │ └── no: a job that     │ └─▶ canceled: another job takes its place
 *                │     goes first is left │
 *                └────────────────────────┘
 *                  a restart has stopped its unit, and turns into a start; or more
 *                  is wanted of it while it runs, and it runs again
 * </pre>
 *
 * <p>A job is runnable when no job is left that has to go first ({@link Ordered#goesFirst}). Only
 * jobs of units that its unit has an ordering dependency with go first, whichever request they
 * belong to. When a job ends, the jobs that wait for it are checked again. When a start fails, the
 * starts of units that require its unit end with {@link JobResult#DEPENDENCY}.
 *
 * <p>No job begins before {@link #run}, so a caller sees a job before it begins. All methods are
 * called on one thread, the manager's event loop.
 */
public final class JobEngine {
    /** The timers of the engine. */
    @FunctionalInterface
    public interface Timers {
        /**
         * Runs a task after a delay.
         *
         * @return cancels the timer
         */
        Runnable after(Duration delay, Runnable task);

        /** Returns the present time, by {@link System#nanoTime}. */
        default long now() {
            return System.nanoTime();
        }
    }

    /** Receives the events of jobs. */
    public interface Listener {
        void jobNew(UnitJob job);

        /** Called when the job has begun, waits again, or has changed its type. */
        void jobChanged(UnitJob job);

        void jobRemoved(UnitJob job, JobResult result);

        /**
         * Called when a start ended before its unit could fail by itself, by a time limit or
         * because a unit that it requires failed. The unit itself then does not start its {@code
         * OnFailure=} units.
         *
         * @param cause the other unit whose job failed, if that is the cause
         */
        void startFailedOutside(JobUnit unit, JobResult result, Optional<JobUnit> cause);

        /** Called with a line for the log about a job that a request leaves out. */
        void note(JobUnit anchor, String line);
    }

    /** The waiter of a request that does not wait for the end of its job. */
    public static final Consumer<JobResult> NOBODY = _ -> {};

    private final Timers timers;
    private final int mostWaiters;
    private final String remedy;
    private final Listener listener;
    private final Map<JobUnit, Job> jobs = new LinkedHashMap<>();
    private final Map<JobUnit, Job> idle = new LinkedHashMap<>(); // the jobs that do nothing
    private final Map<Long, Job> byId = new LinkedHashMap<>();
    private final Set<Job> ready = new LinkedHashSet<>();
    private long lastId;
    private boolean isRunning;

    /**
     * @param mostWaiters how many requests may wait for the end of one job
     * @param remedy how to raise that, for refusals
     */
    public JobEngine(Timers timers, Listener listener, int mostWaiters, String remedy) {
        this.timers = timers;
        this.mostWaiters = mostWaiters;
        this.remedy = remedy;
        this.listener = listener;
    }

    // ---- requests

    /**
     * Grants a request: the job and those that it entails are queued, and none has begun.
     *
     * @param done called once when the job has ended; {@link #NOBODY} takes no place
     * @return the job: a new one, or an existing one that does the same
     * @throws JobRefusedException if the request is refused; then nothing has changed
     */
    public UnitJob request(JobUnit unit, JobType wanted, JobMode mode, Consumer<JobResult> done) {
        return requestAll(unit, wanted, mode, done).getFirst();
    }

    /**
     * Grants a request, as {@link #request} does.
     *
     * @return the jobs that the request has queued or merged into existing ones: first the
     *     requested job, then those that it entails
     */
    public List<UnitJob> requestAll(
            JobUnit unit, JobType wanted, JobMode mode, Consumer<JobResult> done) {
        JobType type = wanted.collapse(unit.activeState());
        mode.check(unit, type);
        Transaction transaction =
                Transaction.of(unit, type, mode, jobs::get, line -> listener.note(unit, line));
        if (!done.equals(NOBODY)) {
            requireFewWaiters(transaction.anchor());
        }
        if (mode == JobMode.ISOLATE || mode == JobMode.FLUSH) {
            cancelOthers(transaction);
        }
        boolean irreversible = mode == JobMode.REPLACE_IRREVERSIBLY;
        List<Job> granted =
                transaction.jobs().stream().map(draft -> install(draft, irreversible)).toList();
        granted.getFirst().onEnd(done);
        return granted.stream().map(Job::snapshot).toList();
    }

    /**
     * Grants the automatic restart of a unit that has ended. If its start job still runs, that job
     * waits again, and begins when no job is left that goes first.
     *
     * @throws JobRefusedException as {@link #request}
     */
    public void startAgain(JobUnit unit, JobMode mode) {
        UnitJob _ = request(unit, JobType.START, mode, NOBODY);
        Job job = jobs.get(unit);
        if (job != null && job.isRunning()) {
            job.await();
            ready.add(job);
            changed(job);
        }
    }

    /** Returns the job of a unit, for the next manager. */
    public Optional<JobRecord> recorded(JobUnit unit) {
        return Optional.ofNullable(jobs.get(unit)).map(Job::toRecord);
    }

    /** Returns the id of the job that was granted last. */
    public long lastId() {
        return lastId;
    }

    /** Makes the ids of further jobs greater than this one. */
    public void idsAfter(long id) {
        lastId = Math.max(lastId, id);
    }

    /**
     * Queues a job that an earlier manager has granted. It keeps its place in the order and its
     * time limit; if it had begun, it continues at the next {@link #run}. All such jobs are queued
     * before that, in the order of their ids.
     */
    public void restore(JobUnit unit, JobRecord before) {
        boolean isKnown = before.id() > 0 && !byId.containsKey(before.id());
        idsAfter(isKnown ? before.id() : lastId + 1);
        Job job = new Job(isKnown ? before.id() : lastId, unit, before);
        jobs.put(unit, job);
        byId.put(job.id(), job);
        listener.jobChanged(job.snapshot());
        unit.granted(job.type());
        ready.add(job);
        if (before.timeoutAt() != 0) {
            limit(job, Duration.ofNanos(Math.max(0, before.timeoutAt() - timers.now())));
        }
    }

    private void cancelOthers(Transaction transaction) {
        Stream.concat(jobs.values().stream(), idle.values().stream())
                .filter(job -> !job.unit().ignoresIsolate() && !transaction.has(job.unit()))
                .toList()
                .forEach(job -> end(job, JobResult.CANCELED, false));
    }

    private void requireFewWaiters(Draft anchor) {
        Job there = slots(anchor).get(anchor.unit());
        if (there != null
                && !there.type().conflictsWith(anchor.type())
                && there.waiters() >= mostWaiters) {
            throw new JobRefusedException(
                    JobRefusedException.Reason.LIMIT,
                    anchor.unit().name(),
                    "has a "
                            + there.type().word()
                            + " job already, for which "
                            + mostWaiters
                            + " requests wait, which is the limit; "
                            + remedy);
        }
    }

    private Map<JobUnit, Job> slots(Draft draft) {
        return draft.type() == JobType.NOP ? idle : jobs;
    }

    private Job install(Draft draft, boolean irreversible) {
        Map<JobUnit, Job> slots = slots(draft);
        Job there = slots.get(draft.unit());
        if (there != null && !there.type().conflictsWith(draft.type())) {
            merge(there, draft, irreversible);
            return there;
        }
        if (there != null) {
            end(there, JobResult.CANCELED, false);
        }
        Job job = new Job(++lastId, draft, irreversible);
        slots.put(job.unit(), job);
        byId.put(job.id(), job);
        listener.jobNew(job.snapshot());
        job.unit().granted(job.type());
        ready.add(job);
        job.unit().jobTimeout().ifPresent(limit -> limit(job, limit));
        return job;
    }

    /**
     * Merges a draft into a queued job. A running job continues if it already does all of the
     * draft's work; otherwise it runs once more. A running reload always runs again: it may have
     * read an older file than the one that the new request means.
     */
    private void merge(Job there, Draft draft, boolean irreversible) {
        boolean doesIt = there.type() != JobType.RELOAD && there.type().includes(draft.type());
        JobType before = there.type();
        there.absorb(draft, irreversible);
        if (there.isRunning() && !doesIt) {
            there.await();
        }
        if (before != there.type() && !there.isRunning()) {
            there.unit().granted(there.type());
        }
        if (before != there.type() || !there.isRunning()) {
            changed(there);
        }
        ready.add(there);
    }

    private void changed(Job job) {
        ready.addAll(job.release());
        listener.jobChanged(job.snapshot());
    }

    private void limit(Job job, Duration limit) {
        job.addTimer(
                timers.now() + nanos(limit),
                timers.after(
                        limit,
                        () -> {
                            if (!job.hasEnded()) {
                                end(job, JobResult.TIMEOUT, true);
                                run();
                            }
                        }));
    }

    /** A century is longer than any manager lives, and does not overflow. */
    private static long nanos(Duration limit) {
        return limit.toDays() > 36_500 ? Long.MAX_VALUE / 4 : limit.toNanos();
    }

    // ---- queries

    public Optional<UnitJob> find(long id) {
        return Optional.ofNullable(byId.get(id)).map(Job::snapshot);
    }

    /**
     * Returns the job of a unit; a job that does something has precedence over one that does
     * nothing.
     */
    public Optional<UnitJob> of(JobUnit unit) {
        return Optional.ofNullable(jobs.getOrDefault(unit, idle.get(unit))).map(Job::snapshot);
    }

    /** Returns all jobs, in the order in which they were granted. */
    public List<UnitJob> all() {
        return byId.values().stream().map(Job::snapshot).toList();
    }

    /** Returns the jobs that wait until this one has ended. */
    public List<UnitJob> waitingFor(long id) {
        return related(id, true);
    }

    /** Returns the jobs that this one waits for. */
    public List<UnitJob> awaitedBy(long id) {
        return related(id, false);
    }

    private List<UnitJob> related(long id, boolean behind) {
        Job job = byId.get(id);
        if (job == null) {
            return List.of();
        }
        Set<Job> found = new LinkedHashSet<>();
        for (Relation relation : List.of(Relation.BEFORE, Relation.AFTER)) {
            boolean isBefore = relation == Relation.BEFORE;
            for (JobUnit unit : job.unit().related(relation)) {
                Job other = jobs.get(unit);
                boolean goesFirst =
                        other != null
                                && (behind
                                        ? Ordered.goesFirst(job, other, isBefore)
                                        : Ordered.goesFirst(other, job, !isBefore));
                if (goesFirst) {
                    found.add(other);
                }
            }
        }
        return found.stream().map(Job::snapshot).toList();
    }

    // ---- cancelling

    /**
     * Cancels a job; what it has begun in its unit continues. Returns false if there is no such
     * job.
     */
    public boolean cancel(long id) {
        Job job = byId.get(id);
        if (job == null) {
            return false;
        }
        end(job, JobResult.CANCELED, true);
        return true;
    }

    public void cancelAll() {
        List.copyOf(byId.values()).forEach(job -> end(job, JobResult.CANCELED, false));
    }

    // ---- running

    /** Begins every job that can begin. A recursive call returns at once. */
    public void run() {
        if (isRunning) {
            return;
        }
        isRunning = true;
        try {
            while (!ready.isEmpty()) {
                Job job = ready.iterator().next();
                ready.remove(job);
                if (!job.hasEnded() && !job.isRunning() && isRunnable(job)) {
                    begin(job);
                }
            }
        } finally {
            isRunning = false;
        }
    }

    private boolean isRunnable(Job job) {
        if (job.type() == JobType.NOP || job.ignoresOrder() || job.isResumed()) {
            return true;
        }
        return isFirst(job, Relation.AFTER, true) && isFirst(job, Relation.BEFORE, false);
    }

    /**
     * Looks for a job to wait for from the end: jobs mostly end in their order, and once the last
     * has ended, few of a target's thousand units are left to wait for.
     */
    private boolean isFirst(Job job, Relation relation, boolean unitIsBefore) {
        return job.unit().related(relation).reversed().stream()
                .noneMatch(unit -> isHeldBy(job, unit, unitIsBefore));
    }

    private boolean isHeldBy(Job job, JobUnit unit, boolean unitIsBefore) {
        Job other = jobs.get(unit);
        if (other == null || other == job || !Ordered.goesFirst(other, job, unitIsBefore)) {
            return false;
        }
        if (other.awaits(job)) { // ordered while both were stops, not ordered as starts
            listener.note(
                    job.unit(),
                    "ordering cycle: "
                            + job.text()
                            + " does not wait for "
                            + other.text()
                            + ", which waits for it");
            job.ignoreOrder();
            return false;
        }
        other.hold(job);
        return true;
    }

    private void begin(Job job) {
        JobUnit unit = job.unit();
        switch (job.type()) {
            case NOP -> end(job, JobResult.DONE, true);
            case VERIFY_ACTIVE -> verify(job);
            default -> {
                if (!continuesReload(job) && !unit.isReadyFor(job.type())) {
                    return; // checked again when its state changes
                }
                int attempt = job.begin();
                listener.jobChanged(job.snapshot());
                if (!job.isAttempt(attempt)) {
                    return;
                }
                unit.jobRunningTimeout().ifPresent(limit -> limit(job, limit));
                unit.begin(
                        job.type(),
                        result -> {
                            if (job.isAttempt(attempt)) {
                                end(job, result, true);
                                run();
                            }
                        });
            }
        }
    }

    /** Returns whether the reload that is under way is its own, begun under an earlier manager. */
    private static boolean continuesReload(Job job) {
        return job.isResumed()
                && job.type() == JobType.RELOAD
                && job.unit().activeState() == ActiveState.RELOADING;
    }

    private void verify(Job job) {
        switch (job.unit().activeState()) {
            case ACTIVE, RELOADING -> end(job, JobResult.DONE, true);
            case ACTIVATING -> {} // checked again when its state changes
            case INACTIVE, FAILED, DEACTIVATING -> end(job, JobResult.SKIPPED, true);
        }
    }

    /**
     * Handles a change of a unit's state: its job may be able to begin, or may have nothing left to
     * do. The caller calls {@link #run} afterwards.
     */
    public void stateChanged(JobUnit unit, ActiveState state) {
        Job job = jobs.get(unit);
        if (job == null || job.isRunning()) {
            return;
        }
        boolean isThere =
                job.type() != JobType.RELOAD
                        && (job.type() == JobType.RESTART
                                ? JobType.STOP.isRedundant(state)
                                : job.type().isRedundant(state));
        if (isThere) {
            end(job, JobResult.DONE, true);
        } else {
            ready.add(job);
        }
    }

    // ---- ends

    private record End(Job job, JobResult result, Optional<JobUnit> cause) {}

    private void end(Job first, JobResult how, boolean tellsDependants) {
        Deque<End> ends = new ArrayDeque<>(List.of(new End(first, how, Optional.empty())));
        while (!ends.isEmpty()) {
            End next = ends.removeFirst();
            Job job = next.job;
            if (job.hasEnded()) {
                continue;
            }
            if (next.result == JobResult.DONE && job.type() == JobType.RESTART) {
                job.turnIntoStart();
                ready.add(job);
                changed(job);
                continue;
            }
            remove(next);
            if (tellsDependants) {
                dependants(job, next.result)
                        .forEach(other ->
                                ends.addLast(
                                        new End(
                                                other,
                                                JobResult.DEPENDENCY,
                                                Optional.of(job.unit()))));
            }
        }
    }

    private void remove(End end) {
        Job job = end.job;
        JobResult result = end.result;
        JobUnit unit = job.unit();
        UnitJob last = job.snapshot();
        jobs.remove(unit, job);
        idle.remove(unit, job);
        byId.remove(job.id());
        ready.remove(job);
        job.end(result);
        ready.addAll(job.release());
        if (!last.isRunning() && result != JobResult.DONE) {
            unit.withdrawn(last.type());
        }
        listener.jobRemoved(last, result);
        if (job.type() == JobType.START
                && (result == JobResult.TIMEOUT || result == JobResult.DEPENDENCY)) {
            listener.startFailedOutside(unit, result, end.cause);
        }
        job.takeWaiters().forEach(waiter -> waiter.accept(result));
    }

    /** Returns the start jobs that can no longer succeed. */
    private List<Job> dependants(Job job, JobResult result) {
        JobUnit unit = job.unit();
        boolean isStart = job.type() == JobType.START || job.type() == JobType.VERIFY_ACTIVE;
        Collection<? extends JobUnit> others = List.of();
        if (result != JobResult.DONE && isStart) {
            others = unit.related(Relation.FAILS_WITH);
        } else if (result != JobResult.DONE && job.type() == JobType.STOP) {
            others = unit.related(Relation.CONFLICTED_BY);
        } else if (isStart && !unit.activeState().isUp()) { // skipped by a condition, for example
            others = needingItActive(unit);
        }
        return others.stream()
                .flatMap(other -> Stream.ofNullable(jobs.get(other)))
                .filter(other ->
                        other.type() == JobType.START || other.type() == JobType.VERIFY_ACTIVE)
                .toList();
    }

    private static List<JobUnit> needingItActive(JobUnit unit) {
        List<JobUnit> needing = new ArrayList<>(unit.related(Relation.REQUISITE_OF));
        Collection<? extends JobUnit> later = unit.related(Relation.BEFORE);
        for (JobUnit bound : unit.related(Relation.BOUND)) {
            if (later.contains(bound)) {
                needing.add(bound);
            }
        }
        return needing;
    }
}
