package io.holdfast.core.run;

import io.holdfast.core.process.PidFd;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Run} that was started.
 *
 * <pre>{@code
 * try (Running build = Run.of("make", "-j8").onOutputLine(IO::println).start()) {
 *     …
 *     RunResult result = build.await();
 * } // ends the build if it is not over
 * }</pre>
 *
 * <p>Safe for use by any thread.
 */
public final class Running implements AutoCloseable {
    private final RunExecution execution;

    Running(RunExecution execution) {
        this.execution = execution;
    }

    /**
     * Returns a future of the result. It completes on a virtual thread, with the exceptions of
     * {@link Run#run}. Cancelling it ends the run. Each call returns a new future.
     *
     * @return the future
     */
    public CompletableFuture<RunResult> future() {
        CompletableFuture<RunResult> future = execution.result().copy();
        var _ =
                future.whenComplete((_, _) -> {
                    if (future.isCancelled()) {
                        cancel();
                    }
                });
        return future;
    }

    /**
     * {@return the process of the program, in a pipeline of the last one; lent, and closed when the
     * run is over}
     */
    public PidFd pidFd() {
        return execution.pidFd();
    }

    /**
     * Parks the calling thread until the run is over. An interrupt does not end the run.
     *
     * @return how it ended, and what it wrote
     * @throws InterruptedException if the thread is or gets interrupted
     * @throws RunFailedException as {@link Run#run}
     * @throws io.holdfast.core.scope.ProcessesLeftException as {@link Run#run}
     */
    public RunResult await() throws InterruptedException {
        try {
            return execution.result().get();
        } catch (ExecutionException e) {
            throw unchecked(e.getCause());
        }
    }

    /**
     * Parks the calling thread until the run is over, with a time limit. The run continues if the
     * limit passes.
     *
     * @param limit the time limit
     * @return how it ended, and what it wrote; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<RunResult> await(Duration limit) throws InterruptedException {
        try {
            long nanos = TimeUnit.NANOSECONDS.convert(limit);
            return Optional.of(execution.result().get(nanos, TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw unchecked(e.getCause());
        }
    }

    private static RuntimeException unchecked(@Nullable Throwable cause) {
        return switch (cause) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            case null, default -> new IllegalStateException(cause);
        };
    }

    /**
     * Ends all processes of the run, with its grace, and returns at once. The result then reports
     * programs that were killed; a run whose programs have exited already is not changed.
     */
    public void cancel() {
        if (!execution.result().isDone()) {
            Thread _ = Thread.ofVirtual().name("holdfast-run-cancel").start(execution::end);
        }
    }

    /**
     * Ends the run as {@link #cancel} does, if it is not over, and waits until it is over. If a
     * line callback of this run calls this, it only waits until the processes are gone, and not at
     * all if the programs have exited already. An interrupt does not end the wait; the thread stays
     * interrupted. Idempotent.
     */
    @Override
    public void close() {
        if (!execution.result().isDone()) {
            execution.end();
            if (execution.isCaller()) {
                return;
            }
            try {
                RunResult _ = execution.result().join();
            } catch (CompletionException e) {
                // await() and future() report it
            }
        }
    }

    /** {@return the command, for people} */
    @Override
    public String toString() {
        return execution.toString();
    }
}
