package io.holdfast.core;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Something that is to be called later, or is watched, until it is cancelled: a {@linkplain
 * EventLoop#after timer}, a {@linkplain EventLoop#watch watched descriptor}, a {@linkplain
 * Readiness#once callback}, an exit that is waited for.
 *
 * <pre>{@code
 * try (Registration exit = pidFd.onExit(loop, how -> …)) {
 *     loop.run();
 * }
 * }</pre>
 *
 * <p>Which thread may cancel it is said where it is made.
 */
@FunctionalInterface
public interface Registration extends AutoCloseable {
    /**
     * Gives it up. Idempotent.
     *
     * @return true if it will not be called any more; false if it has been, is being called at this
     *     moment, or was cancelled before
     */
    @CanIgnoreReturnValue
    boolean cancel();

    /** The same as {@link #cancel}. */
    @Override
    default void close() {
        cancel();
    }
}
