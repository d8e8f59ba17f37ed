package io.holdfast.manager.job;

import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.unit.ActiveState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The set of jobs that one request needs, complete and consistent before any of them is queued.
 *
 * <p>It begins with the <em>anchor</em>, the requested job, and grows by the jobs that the anchor
 * pulls in ({@link PulledIn}). A pulled-in job <em>matters</em> if the anchor requires it: a job
 * pulled in by {@code Requires=} does, a job pulled in by {@code Wants=} does not. Then the
 * transaction is made consistent, in this order:
 *
 * <ol>
 *   <li>With {@link JobMode#FAIL}, jobs that do not matter and would stop a running unit, or
 *       replace an existing job, are dropped.
 *   <li>Jobs whose units are already in the wanted state are dropped, with the jobs that only these
 *       pulled in.
 *   <li>While the order of the jobs has a cycle ({@link OrderCheck}), a unit in it that does not
 *       matter is dropped; if all matter, the request is refused.
 *   <li>Several jobs of one unit are merged. If two of them undo each other, one that does not
 *       matter is dropped; if both matter, the request is refused.
 *   <li>If existing jobs cannot be replaced, the request is refused.
 * </ol>
 *
 * <p>Dropping a job also drops the jobs that require it.
 */
final class Transaction {
    private final Map<JobUnit, List<Draft>> drafts = new LinkedHashMap<>();
    private final JobMode mode;
    private final InstalledJobs installed;
    private final Consumer<String> notes;
    private final Draft anchor;

    /** The existing jobs. */
    @FunctionalInterface
    interface InstalledJobs {
        /** Returns the job of a unit, if it has one that does something. */
        @Nullable Job of(JobUnit unit);
    }

    private Transaction(
            JobUnit unit,
            JobType type,
            JobMode mode,
            InstalledJobs installed,
            Consumer<String> notes) {
        this.mode = mode;
        this.installed = installed;
        this.notes = notes;
        PulledIn.requirePossible(unit, type);
        this.anchor = new Draft(unit, type);
        add(anchor);
    }

    /**
     * Builds the transaction of a request.
     *
     * @param type collapsed for the unit's state
     * @param notes receives lines about jobs that are left out
     * @throws JobRefusedException if the request is refused; then nothing has changed
     */
    static Transaction of(
            JobUnit unit,
            JobType type,
            JobMode mode,
            InstalledJobs installed,
            Consumer<String> notes) {
        Transaction transaction = new Transaction(unit, type, mode, installed, notes);
        if (mode == JobMode.IGNORE_DEPENDENCIES) {
            transaction.anchor.ignoreOrder();
        }
        if (!mode.isAlone() && type != JobType.NOP) {
            new PulledIn(transaction, notes).by(transaction.anchor);
        }
        if (mode == JobMode.ISOLATE) {
            transaction.stopOthers();
        } else if (mode == JobMode.TRIGGERING) {
            transaction.stopToo(unit.triggeredBy());
        }
        transaction.simplify();
        return transaction;
    }

    JobMode mode() {
        return mode;
    }

    Draft anchor() {
        return anchor;
    }

    /** Returns the jobs, the anchor first; after simplification there is one per unit. */
    List<Draft> jobs() {
        List<Draft> jobs = new ArrayList<>();
        jobs.add(anchor);
        drafts.values().forEach(of -> of.stream().filter(job -> job != anchor).forEach(jobs::add));
        return jobs;
    }

    boolean has(JobUnit unit) {
        return drafts.containsKey(unit);
    }

    List<Draft> of(JobUnit unit) {
        return drafts.getOrDefault(unit, List.of());
    }

    void add(Draft job) {
        drafts.computeIfAbsent(job.unit(), _ -> new ArrayList<>(1)).add(job);
    }

    // ---- jobs that a mode adds

    /**
     * Stops the loaded units that the request does not need and that no remaining unit triggers.
     */
    private void stopOthers() {
        stopToo(
                anchor.unit().loaded().stream()
                        .filter(unit ->
                                !isKept(unit)
                                        && unit.triggeredBy().stream().noneMatch(this::isKept))
                        .toList());
    }

    private boolean isKept(JobUnit unit) {
        return unit.ignoresIsolate()
                || of(unit).stream().anyMatch(job -> job.type() != JobType.STOP);
    }

    private void stopToo(Collection<? extends JobUnit> units) {
        PulledIn pulledIn = new PulledIn(this, notes);
        for (JobUnit unit : units) {
            boolean isUp =
                    !JobType.STOP.isRedundant(unit.activeState()) || installed.of(unit) != null;
            if (isUp && !has(unit)) {
                boolean _ = isDone(() -> pulledIn.stop(anchor, unit));
            }
        }
        boolean done = false;
        while (!done) {
            done = isDone(pulledIn::propagateStops);
        }
    }

    /** Returns false if a stop is refused; then the request goes on without it. */
    private boolean isDone(Runnable step) {
        try {
            step.run();
            return true;
        } catch (JobRefusedException e) {
            notes.accept("cannot be stopped too: " + e.getMessage());
            return false;
        }
    }

    // ---- consistency

    private void simplify() {
        markWhatMatters();
        if (mode == JobMode.FAIL) {
            minimizeImpact();
        }
        dropRedundant();
        do {
            collectGarbage();
        } while (!breakCycle());
        while (!dropConflict()) {
            collectGarbage();
        }
        drafts.values().forEach(this::merge);
        dropRedundant();
        refuseIfDestructive();
    }

    private void markWhatMatters() {
        Deque<Draft> todo = new ArrayDeque<>(List.of(anchor));
        anchor.setMatters();
        while (!todo.isEmpty()) {
            for (Draft.Link link : todo.removeFirst().pulls()) {
                if (link.matters() && !link.pulled().matters()) {
                    link.pulled().setMatters();
                    todo.addLast(link.pulled());
                }
            }
        }
    }

    private void minimizeImpact() {
        for (Draft job : jobs()) {
            Job there = installed.of(job.unit());
            boolean stopsWhatRuns = job.type() == JobType.STOP && job.unit().activeState().isUp();
            boolean replaces = there != null && job.type().conflictsWith(there.type());
            if (!job.matters() && (stopsWhatRuns || replaces) && isThere(job)) {
                delete(job);
            }
        }
    }

    private boolean isThere(Draft job) {
        return of(job.unit()).contains(job);
    }

    private void dropRedundant() {
        for (List<Draft> jobs : List.copyOf(drafts.values())) {
            if (jobs.stream().allMatch(this::isRedundant)) {
                drafts.remove(jobs.getFirst().unit());
                jobs.forEach(job -> {
                    List<Draft> _ = job.unlink();
                });
            }
        }
    }

    private boolean isRedundant(Draft job) {
        Job there = installed.of(job.unit());
        return job != anchor
                && job.type().isRedundant(job.unit().activeState())
                && (there == null || !job.type().conflictsWith(there.type()));
    }

    /** Drops the jobs that nothing pulls in any more; when isolating, all jobs are kept. */
    private void collectGarbage() {
        if (mode == JobMode.ISOLATE) {
            return;
        }
        Deque<Draft> todo = new ArrayDeque<>(jobs());
        while (!todo.isEmpty()) {
            Draft job = todo.removeFirst();
            if (job != anchor && !job.isPulledIn() && isThere(job)) {
                job.pulls().forEach(link -> todo.addLast(link.pulled()));
                delete(job);
            }
        }
    }

    /** Deletes a job and the jobs that require it. */
    void delete(Draft first) {
        Deque<Draft> todo = new ArrayDeque<>(List.of(first));
        while (!todo.isEmpty()) {
            Draft job = todo.removeFirst();
            List<Draft> left = drafts.get(job.unit());
            if (left != null && left.remove(job)) {
                if (left.isEmpty()) {
                    drafts.remove(job.unit());
                }
                todo.addAll(job.unlink());
            }
        }
    }

    /**
     * Drops a unit that closes an ordering cycle.
     *
     * @return whether there was no cycle
     * @throws JobRefusedException if all units of the cycle matter
     */
    private boolean breakCycle() {
        Optional<List<Ordered>> cycle = new OrderCheck(this, installed).findCycle();
        if (cycle.isEmpty()) {
            return true;
        }
        String text = OrderCheck.text(cycle.get());
        Ordered dropped =
                cycle.get().reversed().stream()
                        .filter(job -> has(job.unit()))
                        .filter(job -> of(job.unit()).stream().noneMatch(Draft::matters))
                        .findFirst()
                        .orElseThrow(() ->
                                new JobRefusedException(
                                        Reason.CYCLIC_ORDER,
                                        "Transaction order is cyclic: " + text + "."));
        notes.accept(
                "ordering cycle: " + text + ": " + dropped.text() + " is left out to break it");
        List.copyOf(of(dropped.unit())).forEach(this::delete);
        return false;
    }

    /**
     * Drops one of two jobs of a unit that undo each other.
     *
     * @return whether there was no such pair
     * @throws JobRefusedException if both matter
     */
    private boolean dropConflict() {
        for (List<Draft> jobs : drafts.values()) {
            for (int i = 0; i < jobs.size(); i++) {
                for (int j = i + 1; j < jobs.size(); j++) {
                    if (jobs.get(i).type().conflictsWith(jobs.get(j).type())) {
                        Draft dropped = lessWanted(jobs.get(i), jobs.get(j));
                        Draft kept = dropped == jobs.get(i) ? jobs.get(j) : jobs.get(i);
                        notes.accept(
                                "%s of %s is left out: %s of it is needed too"
                                        .formatted(
                                                dropped.type().word(),
                                                dropped.unit().name(),
                                                kept.type().word()));
                        delete(dropped);
                        return false;
                    }
                }
            }
        }
        return true;
    }

    /**
     * Chooses the job to drop: a stop rather than a start, unless the stop is there because of a
     * conflict.
     */
    private static Draft lessWanted(Draft one, Draft other) {
        if (one.matters() && other.matters()) {
            throw new JobRefusedException(
                    Reason.DEPENDENCY,
                    "Transaction contains conflicting jobs '%s' and '%s' for %s. Probably contradicting requirement dependencies configured."
                            .formatted(one.type().word(), other.type().word(), one.unit().name()));
        }
        if (one.matters() != other.matters()) {
            return one.matters() ? other : one;
        }
        if (one.type() == JobType.STOP) {
            return one.isConflictedBy() ? other : one;
        }
        if (other.type() == JobType.STOP) {
            return other.isConflictedBy() ? one : other;
        }
        return one;
    }

    private void merge(List<Draft> jobs) {
        if (jobs.size() < 2) {
            return;
        }
        ActiveState state = jobs.getFirst().unit().activeState();
        Draft kept = jobs.contains(anchor) ? anchor : jobs.getFirst();
        JobType type = kept.type();
        for (Draft other : List.copyOf(jobs)) {
            if (other != kept) {
                type = type.merge(other.type()).orElseThrow().collapse(state);
                kept.absorb(other, type);
            }
        }
        jobs.clear();
        jobs.add(kept);
    }

    private void refuseIfDestructive() {
        for (Draft job : jobs()) {
            Job there = installed.of(job.unit());
            if (there != null
                    && (mode == JobMode.FAIL || there.isIrreversible())
                    && there.type().conflictsWith(job.type())) {
                throw new JobRefusedException(
                        Reason.DESTRUCTIVE,
                        "Transaction for %s is destructive (%s has '%s' job queued, but '%s' is included in transaction)."
                                .formatted(
                                        anchor.text(),
                                        job.unit().name(),
                                        there.type().word(),
                                        job.type().word()));
            }
        }
    }
}
