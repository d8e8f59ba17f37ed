package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.privilege.ProgramCheck;
import io.holdfast.core.process.privilege.SetprivCommand;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.process.Stdlib;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The command that a start executes: the program of the spawn itself, or setpriv(1), which then
 * executes it, or the shell for a script.
 *
 * @param arguments the arguments, including argv[0]
 * @param environment null: that of this process
 */
record StartCommand(
        String program, List<String> arguments, @Nullable Map<String, String> environment) {
    private static final String SHELL = "/bin/sh";

    /**
     * Returns the command of a spawn.
     *
     * @throws ErrnoException ENOENT, EACCES, ENOEXEC, EPERM
     */
    static StartCommand of(Spawn spawn) {
        String program = spawn.resolve();
        String name = spawn.argumentZero == null ? spawn.program : spawn.argumentZero;
        List<String> arguments = new ArrayList<>(spawn.arguments.size() + 1);
        arguments.add(name);
        arguments.addAll(spawn.arguments);
        List<String> options = options(spawn);
        if (options.isEmpty()) {
            return new StartCommand(program, arguments, spawn.environment);
        }
        requireCapabilities(spawn);
        Path path = KernelPath.of(program);
        if (spawn.isolation == null) { // otherwise it is looked up in namespaces that we do not see
            ProgramCheck.requireExecutable(path, spawn.scriptsByShell);
        }
        Map<String, String> environment =
                new LinkedHashMap<>(
                        spawn.environment == null ? Stdlib.environment() : spawn.environment);
        boolean ownName = spawn.argumentZero != null;
        List<String> line = SetprivCommand.line(options, path, arguments, ownName, environment);
        return new StartCommand(line.getFirst(), line, environment);
    }

    /** Returns advice on the name of a missing program that may be a whole command; or null. */
    static @Nullable String adviceOnWords(String program) {
        return program.contains(" ")
                ? "the program and each of its arguments are separate strings, not one with spaces"
                : null;
    }

    private static List<String> options(Spawn spawn) {
        List<String> options = spawn.ids.options();
        if (spawn.parentDeath != null) {
            options.add("--pdeathsig=" + spawn.parentDeath.name());
        }
        return options;
    }

    private static void requireCapabilities(Spawn spawn) {
        long needed = spawn.ids.capabilities();
        if (needed == 0) {
            return;
        }
        try (PidFd self = PidFd.self()) {
            if ((self.proc().effectiveCapabilities() & needed) != needed) {
                throw new ErrnoException(
                        "setpriv",
                        spawn.toString(),
                        Errno.EPERM,
                        "only root can start a program as another user (CAP_SETUID, CAP_SETGID)");
            }
        }
    }

    /**
     * Returns the command that runs the same program as a shell script, as execvp(3) runs a script
     * without a #! line.
     */
    StartCommand byShell() {
        List<String> line = new ArrayList<>();
        line.add(SHELL);
        line.add(program);
        line.addAll(arguments.subList(1, arguments.size()));
        return new StartCommand(SHELL, line, environment);
    }
}
