package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobResult;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Those who wait for one kind of job of a unit. On the loop. */
public final class JobWaiters {
    private final List<Consumer<JobResult>> waiters = new ArrayList<>();

    public JobWaiters() {}

    public void add(Consumer<JobResult> waiter) {
        waiters.add(waiter);
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    /** Tells all of them; who comes meanwhile waits for the next answer. */
    public void answer(JobResult how) {
        List<Consumer<JobResult>> now = List.copyOf(waiters);
        waiters.clear();
        now.forEach(waiter -> waiter.accept(how));
    }
}
