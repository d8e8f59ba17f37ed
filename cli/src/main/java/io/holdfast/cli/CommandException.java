package io.holdfast.cli;

import java.io.Serial;

/** A command could not do what was asked. The message is the one line that the user sees. */
final class CommandException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    private final int exitCode;

    CommandException(String message) {
        this(message, ExitCode.FAILURE);
    }

    CommandException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    CommandException(String message, Throwable cause) {
        this(message, ExitCode.FAILURE, cause);
    }

    CommandException(String message, int exitCode, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
