package io.holdfast.manager.job;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A job that was granted: it waits, runs, or has ended. */
final class Job implements Ordered {
    private final long id;
    private final JobUnit unit;
    private final List<Consumer<JobResult>> waiters = new ArrayList<>();
    private JobType type;
    private boolean irreversible;
    private boolean ignoresOrder;
    private boolean running;
    private int attempt;
    private @Nullable JobResult result;

    /** The jobs that wait for this one to end, or to become another. */
    private final List<Job> held = new ArrayList<>();

    /** The job that this one waits for. */
    private @Nullable Job heldBy;

    private final List<Runnable> timers = new ArrayList<>();

    Job(long id, Draft draft, boolean irreversible) {
        this.id = id;
        this.unit = draft.unit();
        this.type = draft.type();
        this.ignoresOrder = draft.ignoresOrder();
        this.irreversible = irreversible;
    }

    long id() {
        return id;
    }

    @Override
    public JobUnit unit() {
        return unit;
    }

    @Override
    public JobType type() {
        return type;
    }

    @Override
    public boolean ignoresOrder() {
        return ignoresOrder;
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

    /** As others see it now. */
    UnitJob snapshot() {
        return new UnitJob(id, unit.name(), type, running);
    }

    /** Calls back once when it has ended; at once if it has. */
    void onEnd(Consumer<JobResult> waiter) {
        if (result == null) {
            waiters.add(waiter);
        } else {
            waiter.accept(result);
        }
    }

    /**
     * It has begun.
     *
     * @return the number of this attempt: what an earlier one reports is out of date
     */
    int begin() {
        running = true;
        return ++attempt;
    }

    boolean isAttempt(int number) {
        return running && result == null && attempt == number;
    }

    /** It waits, for the first time or again. */
    void await() {
        running = false;
    }

    /** A restart has stopped its unit. */
    void turnIntoStart() {
        type = JobType.START;
        await();
    }

    /** Takes over what another job of the same unit was to do. */
    void absorb(Draft other, boolean otherIsIrreversible) {
        type = type.merge(other.type()).orElseThrow().collapse(unit.activeState());
        irreversible |= otherIsIrreversible;
        ignoresOrder |= other.ignoresOrder();
    }

    /** The other waits for this one. */
    void hold(Job other) {
        held.add(other);
        other.heldBy = this;
    }

    /** The jobs that may be able to go on; they are asked again. */
    List<Job> release() {
        List<Job> released = List.copyOf(held);
        released.forEach(job -> job.heldBy = null);
        held.clear();
        return released;
    }

    /** Whether it waits for the other, or for one that does. */
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
     * @param cancel ends the timer
     */
    void addTimer(Runnable cancel) {
        timers.add(cancel);
    }

    void end(JobResult how) {
        result = how;
        timers.forEach(Runnable::run);
        timers.clear();
    }

    /** Those who wait for its end, once. */
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
