package io.holdfast.cli.command;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A question to a daemon whose answer is useful but not required. The answer is empty if the daemon
 * does not run, refuses, or does not answer in time. To ask several daemons, ask all of them before
 * taking the first answer, so that their time limits run in parallel.
 *
 * @param <T> the type of the answer
 */
public final class ShortQuestion<T> {
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final long deadline;

    private ShortQuestion(Duration timeout) {
        this.deadline = System.nanoTime() + timeout.toNanos();
    }

    /**
     * Asks on a new daemon thread, which is abandoned if the answer comes too late.
     *
     * @param timeout the time limit for the answer, from now on
     */
    public static <T> ShortQuestion<T> start(Duration timeout, Callable<T> question) {
        ShortQuestion<T> started = new ShortQuestion<>(timeout);
        Thread.ofPlatform()
                .daemon()
                .name("holdfast-question")
                .start(() -> {
                    try {
                        started.answer.complete(question.call());
                    } catch (Exception e) {
                        started.answer.completeExceptionally(e);
                    }
                });
        return started;
    }

    /** Waits for the answer; empty if none comes in time. */
    public Optional<T> answer() {
        try {
            return Optional.of(answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
