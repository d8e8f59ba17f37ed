package io.holdfast.manager.job;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A granted job: it waits, runs, or has ended. */
final class Job extends Ordered {
    private final long id;
    private final List<Consumer<JobResult>> waiters = new ArrayList<>();
    private boolean irreversible;
    private boolean running;
    private boolean resumed; // it had begun under an earlier manager
    private long timeoutAt;
    private int attempt;
    private @Nullable JobResult result;

    /** The jobs that wait for this one to end or to change its type. */
    private Set<Job> held = Set.of();

    /** The job that this one waits for. */
    private @Nullable Job heldBy;

    private final List<Runnable> timers = new ArrayList<>();

    Job(long id, Draft draft, boolean irreversible) {
        super(draft.unit(), draft.type(), draft.ignoresOrder());
        this.id = id;
        this.irreversible = irreversible;
    }

    Job(long id, JobUnit unit, JobRecord before) {
        super(unit, before.type(), before.ignoresOrder());
        this.id = id;
        this.irreversible = before.isIrreversible();
        this.resumed = before.isRunning();
    }

    JobRecord toRecord() {
        return new JobRecord(id, type, running || resumed, irreversible, ignoresOrder, timeoutAt);
    }

    /** Returns whether it had begun under an earlier manager, and continues whatever others do. */
    boolean isResumed() {
        return resumed;
    }

    long id() {
        return id;
    }

    boolean isIrreversible() {
        return irreversible;
    }

    boolean isRunning() {
        return running;
    }

    boolean hasEnded() {
        return result != null;
    }

    /** Returns its present state for other classes. */
    UnitJob snapshot() {
        return new UnitJob(id, unit().name(), type, running);
    }

    /** Returns the number of requests that wait for its end. */
    int waiters() {
        return waiters.size();
    }

    /** Calls the waiter once when the job has ended; at once if it has ended already. */
    void onEnd(Consumer<JobResult> waiter) {
        if (waiter.equals(JobEngine.NOBODY)) {
            return;
        }
        if (result == null) {
            waiters.add(waiter);
        } else {
            waiter.accept(result);
        }
    }

    /**
     * Marks the job as running.
     *
     * @return the number of this attempt; reports of an earlier attempt are out of date
     */
    int begin() {
        running = true;
        resumed = false;
        return ++attempt;
    }

    boolean isAttempt(int number) {
        return running && result == null && attempt == number;
    }

    /** Makes it wait, for the first time or again. */
    void await() {
        running = false;
        resumed = false;
    }

    /** Turns a restart whose stop is done into a start. */
    void turnIntoStart() {
        type = JobType.START;
        await();
    }

    /** Merges another job of the same unit into this one. */
    void absorb(Draft other, boolean otherIsIrreversible) {
        type = type.merge(other.type()).orElseThrow().collapse(unit().activeState());
        irreversible |= otherIsIrreversible;
        ignoresOrder |= other.ignoresOrder();
    }

    /** Makes another job wait for this one. */
    void hold(Job other) {
        if (held.isEmpty()) { // as of most of thousands of jobs
            held = new LinkedHashSet<>();
        }
        held.add(other);
        other.heldBy = this;
    }

    /**
     * Returns the jobs that waited for this one and may be able to begin; they are checked again.
     */
    List<Job> release() {
        List<Job> released = List.copyOf(held);
        released.forEach(job -> job.heldBy = null);
        held = Set.of();
        return released;
    }

    /** Returns whether it waits for the other job, directly or through others. */
    boolean awaits(Job other) {
        Job next = heldBy;
        while (next != null && next != other) {
            next = next.heldBy;
        }
        return next != null;
    }

    void ignoreOrder() {
        ignoresOrder = true;
    }

    /**
     * Adds a time limit.
     *
     * @param at when it expires, by {@link System#nanoTime}
     * @param cancel cancels its timer
     */
    void addTimer(long at, Runnable cancel) {
        timeoutAt = timeoutAt == 0 || at - timeoutAt < 0 ? at : timeoutAt;
        timers.add(cancel);
    }

    void end(JobResult how) {
        result = how;
        timers.forEach(Runnable::run);
        timers.clear();
    }

    /** Returns the waiters for its end, and clears them. */
    List<Consumer<JobResult>> takeWaiters() {
        List<Consumer<JobResult>> all = List.copyOf(waiters);
        waiters.clear();
        return all;
    }

    @Override
    public String toString() {
        return id + " " + text();
    }
}
