package io.holdfast.cli.command;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A question to a daemon whose answer is welcome and not needed. A daemon that does not run,
 * refuses to answer, or does not answer soon leaves it open.
 */
public final class ShortQuestion {
    private ShortQuestion() {}

    /**
     * Asks, on a thread that is left behind if the answer comes too late.
     *
     * @param patience how long the answer is waited for
     * @param otherwise what is returned without one
     */
    public static <T> T ask(Duration patience, Callable<T> question, T otherwise) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .name("holdfast-question")
                .start(() -> {
                    try {
                        answer.complete(question.call());
                    } catch (Exception e) {
                        answer.completeExceptionally(e);
                    }
                });
        try {
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return otherwise;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return otherwise;
        }
    }
}
