package io.holdfast.core.run;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A program did not do what was asked: it failed, ran out of time, or wrote more than was allowed;
 * or the code that reads its lines or writes its input failed, which is the cause then.
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

    /** {@return how the run ended, if it was not given up} */
    public Optional<RunResult> result() {
        return Optional.ofNullable(result);
    }
}
