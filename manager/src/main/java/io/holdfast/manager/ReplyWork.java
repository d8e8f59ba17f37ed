package io.holdfast.manager;

import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.ManagerContext;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;

/**
 * Work that may block, for the replies of interfaces: it runs on worker threads, and its futures
 * complete on the event loop. Callable from any thread. When the manager ends, open futures fail on
 * the thread that ends it; later calls fail at once.
 */
final class ReplyWork implements AutoCloseable {
    private final Workers readers;
    private final Set<Runnable> open = ConcurrentHashMap.newKeySet(); // each refuses its answer

    ReplyWork(ManagerContext context) {
        readers = Workers.forReaders(context.loop(), context::warn);
    }

    Workers workers() {
        return readers;
    }

    /** Runs work in parallel to all other work. */
    <T> CompletableFuture<T> run(Callable<T> work) {
        return run(readers.ownLane("a question"), ManagerLimits.READ_TIMEOUT.duration(), work);
    }

    /**
     * Runs work for a user in parallel to all other work: users take turns, so that one with many
     * questions delays those of others by a single one.
     */
    <T> CompletableFuture<T> runFor(long user, Callable<T> work) {
        Lane lane = readers.ownLane("a question", user);
        return run(lane, ManagerLimits.READ_TIMEOUT.duration(), work);
    }

    /** Runs work after other work about the same thing. */
    <T> CompletableFuture<T> run(String about, Callable<T> work) {
        return run(about, ManagerLimits.READ_TIMEOUT.duration(), work);
    }

    /** Runs work after other work about the same thing, with a time limit of its own. */
    <T> CompletableFuture<T> run(String about, Duration limit, Callable<T> work) {
        return run(readers.lane(about), limit, work);
    }

    private <T> CompletableFuture<T> run(Lane lane, Duration limit, Callable<T> work) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Runnable refusal = () -> answer.completeExceptionally(stopped());
        open.add(refusal);
        var _ = answer.whenComplete((_, _) -> open.remove(refusal));
        try {
            Work<T> _ =
                    lane.work("the reading of data for a reply", work)
                            .within(limit)
                            .begin((value, failure) -> {
                                if (failure == null && value != null) {
                                    answer.complete(value);
                                } else {
                                    answer.completeExceptionally(Jobs.orUnknown(failure));
                                }
                            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    private static JobRefusedException stopped() {
        return new JobRefusedException(Reason.SHUTTING_DOWN, "The manager has stopped.");
    }

    /** Lets running work finish. Its results no longer reach the loop. */
    @Override
    public void close() {
        readers.close();
        open.forEach(Runnable::run);
    }
}
