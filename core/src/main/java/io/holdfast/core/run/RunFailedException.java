package io.holdfast.core.run;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a run has failed: a program failed, timed out, or wrote more than its limit; or the
 * code that reads its lines or provides its input threw, and is the cause.
 */
public final class RunFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable RunResult result;

    RunFailedException(String message, @Nullable RunResult result) {
        super(message);
        this.result = result;
    }

    RunFailedException(String message, Throwable cause) {
        super(message, cause);
        this.result = null;
    }

    /** {@return how the run ended; empty if it was aborted} */
    public Optional<RunResult> result() {
        return Optional.ofNullable(result);
    }
}
