package io.holdfast.authority.rules.evaluation;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The error message for a program of {@code polkit.spawn} that could not be executed. It is that of
 * polkit(8), whether this process executes the program or env(1) does after a change of user:
 *
 * <pre>
 *   Error spawning: Failed to execute child process “/usr/bin/x” (Permission denied)
 * </pre>
 */
final class SpawnError {
    private static final int NOT_EXECUTABLE = 126; // exit status of env(1)
    private static final int NOT_FOUND = 127;
    private static final String ENV = "env: ";
    private static final String REASON = ": ";

    private SpawnError() {}

    /**
     * Returns the message for a failed start. If a tool that starts the program failed, such as a
     * missing setpriv(1), the message names the tool.
     */
    static String of(String program, ErrnoException e) {
        String message = message(program);
        return name(e.subject()).equals(name(program))
                ? message + " (" + strerror(e.errno()) + ")"
                : message + ": " + e.getMessage();
    }

    /** Returns strerror(3) for the errors of execve(2), as polkitd's message has it. */
    private static String strerror(int errno) {
        return switch (errno) {
            case Errno.EPERM -> "Operation not permitted";
            case Errno.ENOENT -> "No such file or directory";
            case Errno.E2BIG -> "Argument list too long";
            case Errno.ENOEXEC -> "Exec format error";
            case Errno.ENOMEM -> "Cannot allocate memory";
            case Errno.EACCES -> "Permission denied";
            case Errno.ENOTDIR -> "Not a directory";
            case Errno.ETXTBSY -> "Text file busy";
            case Errno.ENAMETOOLONG -> "File name too long";
            case Errno.ELOOP -> "Too many levels of symbolic links";
            default -> Errno.text(errno);
        };
    }

    private static String name(String path) {
        return String.valueOf(Path.of(path).getFileName());
    }

    /**
     * Returns the message for an env(1) that could not execute the program as its user: only this
     * process may execute the program, or it was removed.
     *
     * @param status the exit status of env, or of the program that env has executed
     * @return empty if the program itself exited
     */
    static Optional<String> ofEnv(String program, int status, String stdout, String stderr) {
        String line = stderr.strip();
        String path = program.contains("/") ? program : "/" + program;
        boolean isOfEnv =
                (status == NOT_EXECUTABLE || status == NOT_FOUND)
                        && stdout.isEmpty()
                        && line.startsWith(ENV)
                        && line.contains(path)
                        && line.indexOf('\n') < 0;
        if (!isOfEnv) {
            return Optional.empty();
        }
        String reason = line.substring(line.lastIndexOf(REASON) + REASON.length());
        return Optional.of(message(program) + " (" + reason + ")");
    }

    private static String message(String program) {
        return "Error spawning: Failed to execute child process “" + program + "”";
    }
}
