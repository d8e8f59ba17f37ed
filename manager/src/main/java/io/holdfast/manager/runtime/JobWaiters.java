package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobResult;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The callers that wait for one kind of job of a unit. Used on the event loop. */
public final class JobWaiters {
    private List<Consumer<JobResult>> waiters = List.of(); // as for most units at most times

    public JobWaiters() {}

    public void add(Consumer<JobResult> waiter) {
        if (waiters.isEmpty()) {
            waiters = new ArrayList<>(1);
        }
        waiters.add(waiter);
    }

    public boolean isEmpty() {
        return waiters.isEmpty();
    }

    /** Moves all waiters to a separate list, which is answered later. */
    public JobWaiters take() {
        JobWaiters taken = new JobWaiters();
        taken.waiters = waiters;
        waiters = List.of();
        return taken;
    }

    /** Answers all waiters; a waiter added meanwhile waits for the next answer. */
    public void answer(JobResult how) {
        List<Consumer<JobResult>> now = waiters;
        waiters = List.of();
        now.forEach(waiter -> waiter.accept(how));
    }
}
