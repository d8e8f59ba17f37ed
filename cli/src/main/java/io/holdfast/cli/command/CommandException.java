package io.holdfast.cli.command;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Objects;

/** The failure of a command. Its message is the one line that the user sees. */
public final class CommandException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    private final int exitCode;

    public CommandException(String message) {
        this(message, ExitCode.FAILURE);
    }

    public CommandException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    public CommandException(String message, Throwable cause) {
        this(message, ExitCode.FAILURE, cause);
    }

    public CommandException(String message, int exitCode, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }

    /** Returns a file error in words; the messages of these Java exceptions are only file names. */
    public static String reason(IOException e) {
        String message = Objects.requireNonNullElse(e.getMessage(), e.toString());
        return switch (e) {
            case NoSuchFileException _ -> message + ": no such file or folder";
            case AccessDeniedException _ -> message + ": permission denied";
            case NotDirectoryException _ -> message + ": not a folder";
            case FileAlreadyExistsException _ -> message + ": exists already";
            default -> message;
        };
    }
}
