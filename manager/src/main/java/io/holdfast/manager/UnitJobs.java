package io.holdfast.manager;

import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The jobs of a manager as its interfaces see and request them. Used on the event loop, where
 * futures complete, too.
 */
public final class UnitJobs {
    private final Jobs jobs;
    private final UnitTable units;

    UnitJobs(Jobs jobs, UnitTable units) {
        this.jobs = jobs;
        this.units = units;
    }

    /** Returns how many jobs have been granted so far. */
    public long granted() {
        return jobs.granted();
    }

    /** Returns how many jobs have failed so far, beside those that only a dependency failed. */
    public long failed() {
        Map<JobResult, Long> finished = jobs.finished();
        return finished.getOrDefault(JobResult.FAILED, 0L)
                + finished.getOrDefault(JobResult.INVALID, 0L);
    }

    /** Returns a copy of the waiting and running jobs, in the order of their ids. */
    public Collection<UnitJob> all() {
        return jobs.engine().all();
    }

    /** Returns the job with this id; empty if there was none, or it has ended. */
    public Optional<UnitJob> find(long id) {
        return jobs.engine().find(id);
    }

    /** Returns the jobs that wait for this one. */
    public List<UnitJob> after(long id) {
        return jobs.engine().waitingFor(id);
    }

    /** Returns the jobs that this one waits for. */
    public List<UnitJob> before(long id) {
        return jobs.engine().awaitedBy(id);
    }

    /**
     * Cancels a job; what it has begun in its unit continues. Returns false if there is no such
     * job.
     */
    public boolean cancel(long id) {
        return jobs.cancel(id);
    }

    public void cancelAll() {
        jobs.cancelAll();
    }

    /**
     * Requests a job.
     *
     * @param answer completed when the job is queued and before it begins, or failed with {@link
     *     JobRefusedException}
     */
    public void enqueue(
            UnitName name, JobType type, JobMode mode, CompletableFuture<UnitJob> answer) {
        try {
            jobs.enqueue(name, type, mode, answer);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /**
     * Requests a job, as {@link #enqueue} does.
     *
     * @param answer completed with the requested job and those that it entails, the requested one
     *     first
     */
    public void enqueueAll(
            UnitName name, JobType type, JobMode mode, CompletableFuture<List<UnitJob>> answer) {
        try {
            jobs.enqueueAll(name, type, mode, answer);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /**
     * Requests the restart or the reload of each marked unit; those that are down stay down.
     *
     * @return for each unit the answer as of {@link #enqueue}
     */
    public Map<UnitName, CompletableFuture<UnitJob>> enqueueMarked() {
        Map<UnitName, CompletableFuture<UnitJob>> answers = new LinkedHashMap<>();
        for (LoadedUnit unit : List.copyOf(units.nodes())) {
            if (!unit.markers().isEmpty()) {
                boolean reloads =
                        !unit.markers().contains(UnitMarker.NEEDS_RESTART)
                                && unit.unit().unit().canReload();
                CompletableFuture<UnitJob> answer = new CompletableFuture<>();
                answers.put(unit.name(), answer);
                JobType type = reloads ? JobType.TRY_RELOAD : JobType.TRY_RESTART;
                enqueue(unit.name(), type, JobMode.FAIL, answer);
            }
        }
        return answers;
    }
}
