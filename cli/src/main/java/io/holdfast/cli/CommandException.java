package io.holdfast.cli;

import java.io.Serial;

/** A command could not do what was asked. The message is the one line that the user sees. */
final class CommandException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    CommandException(String message) {
        super(message);
    }

    CommandException(String message, Throwable cause) {
        super(message, cause);
    }
}
