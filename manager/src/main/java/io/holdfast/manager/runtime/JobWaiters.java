package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobResult;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The callers that wait for one kind of job of a unit. Used on the event loop. */
public final class JobWaiters {
    private final List<Consumer<JobResult>> waiters = new ArrayList<>();

    public JobWaiters() {}

    public void add(Consumer<JobResult> waiter) {
        waiters.add(waiter);
    }

    public boolean isEmpty() {
        return waiters.isEmpty();
    }

    /** Moves all waiters to a separate list, which is answered later. */
    public JobWaiters take() {
        JobWaiters taken = new JobWaiters();
        taken.waiters.addAll(waiters);
        waiters.clear();
        return taken;
    }

    /** Answers all waiters; a waiter added meanwhile waits for the next answer. */
    public void answer(JobResult how) {
        List<Consumer<JobResult>> now = List.copyOf(waiters);
        waiters.clear();
        now.forEach(waiter -> waiter.accept(how));
    }
}
