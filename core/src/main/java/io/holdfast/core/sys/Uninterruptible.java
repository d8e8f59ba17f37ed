package io.holdfast.core.sys;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Waits that an interrupt does not end. The calling thread has its interrupt status again
 * afterwards.
 */
public final class Uninterruptible {
    /** A wait that starts again after an interrupt. */
    @FunctionalInterface
    public interface Wait<T extends @Nullable Object> {
        /** Waits, and returns the result. */
        T await() throws InterruptedException;
    }

    private Uninterruptible() {}

    /** Returns the result of a wait. */
    public static <T extends @Nullable Object> T await(Wait<T> wait) {
        boolean interrupted = false;
        try {
            for (; ; ) {
                try {
                    return wait.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits for the end of a thread. */
    public static void join(Thread thread) {
        boolean _ =
                await(() -> {
                    thread.join();
                    return true;
                });
    }

    /**
     * Returns the result of a task that is not cancelled, or throws its unchecked exception, whose
     * stack trace is that of the task's thread.
     */
    public static <T extends @Nullable Object> T result(Future<T> task) {
        return await(() -> {
            try {
                return task.get();
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case RuntimeException runtime -> throw runtime;
                    case Error error -> throw error;
                    case null, default -> throw new IllegalStateException(e.getCause());
                }
            }
        });
    }
}
