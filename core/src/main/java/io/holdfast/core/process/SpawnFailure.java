package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelPath;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Explains why a child was not started: a spawn has a single errno for all that it does.
 *
 * @param held whether the child is held before it executes its program
 */
record SpawnFailure(Spawn spawn, @Nullable ChildTerminal terminal, boolean held) {
    /** Returns the exception for a call that executes a program. */
    ErrnoException of(String call, String program, int errno) {
        ErrnoException ofTerminal = terminal == null ? null : terminal.failure(errno);
        if (ofTerminal != null) {
            return ofTerminal;
        }
        String ofDirectory = adviceOfDirectory(errno);
        String advice = ofDirectory != null ? ofDirectory : advice(KernelPath.of(program), errno);
        return new ErrnoException(call, program, errno, advice);
    }

    /**
     * Returns advice about the directory, or null. The child enters it before it executes the
     * program, and its single errno does not show which of the two was refused.
     */
    private @Nullable String adviceOfDirectory(int errno) {
        Path directory = spawn.directory;
        if (directory == null) {
            return null;
        }
        if (spawn.isolation != null) { // the namespaces of the look-ups are gone
            return switch (errno) {
                case Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP ->
                        "check the program and its directory " + directory + " in its namespaces";
                default -> null;
            };
        }
        return errno == Errno.EACCES && !Files.isExecutable(directory)
                ? "its directory " + directory + " may not be entered"
                : null;
    }

    private @Nullable String advice(Path program, int errno) {
        String cgroup = spawn.cgroup == null ? null : spawn.cgroup.toString();
        return switch (errno) {
            case Errno.ENOENT ->
                    !Files.exists(program)
                            ? StartCommand.adviceOnWords(spawn.program)
                            : cgroup == null
                                    ? "its interpreter is missing"
                                    : "its interpreter is missing, or " + cgroup + " was removed";
            case Errno.EACCES ->
                    Files.isDirectory(program)
                            ? "it is a directory"
                            : cgroup != null && Files.isExecutable(program)
                                    ? "no permission to start processes in " + cgroup
                                    : null;
            case Errno.ENOEXEC -> "a script needs a #! line";
            case Errno.EAGAIN -> "a limit of processes is reached (RLIMIT_NPROC, pids.max)";
            case Errno.EBUSY ->
                    cgroup + " enables controllers for its children (cgroup.subtree_control)";
            case Errno.EOPNOTSUPP -> cgroup + " is threaded, or a relative of it is";
            case Errno.ENXIO ->
                    held ? "it was held for longer than fs.lease-break-time allows" : null;
            default -> null;
        };
    }
}
