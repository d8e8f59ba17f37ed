package io.holdfast.core;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * A pending call or a watch that can be cancelled: a {@linkplain EventLoop#after timer}, a
 * {@linkplain EventLoop#watch watched descriptor}, a {@linkplain Readiness#once callback}, the wait
 * for an exit.
 *
 * <pre>{@code
 * try (Registration exit = pidFd.onExit(loop, how -> …)) {
 *     loop.run();
 * }
 * }</pre>
 *
 * <p>The method that returns it says which threads may cancel it.
 */
@FunctionalInterface
public interface Registration extends AutoCloseable {
    /**
     * Cancels the call or the watch. Idempotent.
     *
     * @return true if it will not be called any more; false if it has been called, is being called
     *     now, or was cancelled before
     */
    @CanIgnoreReturnValue
    boolean cancel();

    /** Cancels it, like {@link #cancel}. */
    @Override
    default void close() {
        cancel();
    }
}
