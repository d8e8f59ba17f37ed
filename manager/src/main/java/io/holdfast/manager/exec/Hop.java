package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The programs that a child passes through before it executes its own: setpriv(1) for what only the
 * child itself can give up, then env(1), for what must not be there before that and because setpriv
 * still has our capabilities when it executes something: it could execute what the user may not.
 */
final class Hop {
    private static final int SCRIPT_LINE = 256; // what the kernel looks at

    /** Variables that the dynamic linker and the C library take orders from, as secure mode is. */
    private static final Set<String> GUARDED =
            Set.of(
                    "GCONV_PATH",
                    "GETCONF_DIR",
                    "GLIBC_TUNABLES",
                    "HOSTALIASES",
                    "LOCALDOMAIN",
                    "LOCPATH",
                    "NIS_PATH",
                    "NLSPATH",
                    "RESOLV_HOST_CONF",
                    "RES_OPTIONS",
                    "TZDIR");

    private Hop() {}

    /**
     * The whole command line.
     *
     * @param options of setpriv
     * @param arguments of the program, with argv[0]
     * @param environment of the program; what could turn setpriv against us is taken out of it, and
     *     is set after the privileges are gone
     * @throws SetupException if a tool is missing
     */
    static List<String> commandLine(
            List<String> options,
            Path program,
            List<String> arguments,
            boolean ownName,
            Map<String, String> environment)
            throws SetupException {
        List<String> line = new ArrayList<>();
        line.add(tool("setpriv", "util-linux"));
        line.addAll(options);
        line.add("--");
        if (program.toString().indexOf('=') >= 0) {
            throw new SetupException(
                    SetupException.Step.RESOURCES,
                    program + ": env(1) takes a path with = for a variable");
        }
        line.add(tool("env", "coreutils"));
        if (ownName) {
            line.add("--argv0=" + arguments.getFirst());
        }
        guarded(environment).forEach((name, value) -> line.add(name + "=" + value));
        line.add(program.toString());
        line.addAll(arguments.subList(1, arguments.size()));
        return line;
    }

    private static Map<String, String> guarded(Map<String, String> environment) {
        Map<String, String> guarded = new TreeMap<>(environment);
        guarded.keySet()
                .removeIf(name ->
                        !name.startsWith("LD_")
                                && !name.startsWith("MALLOC_")
                                && !GUARDED.contains(name));
        environment.keySet().removeAll(guarded.keySet());
        return guarded;
    }

    private static String tool(String name, String source) throws SetupException {
        for (String folder : ExecCommand.SEARCH_PATH) {
            Path candidate = Path.of(folder, name);
            if (Files.isExecutable(candidate)) {
                return candidate.toString();
            }
        }
        throw new SetupException(
                SetupException.Step.RESOURCES,
                name + " is needed and not installed: it is of " + source);
    }

    /**
     * Finds out what {@code execve(2)} would say, since behind a hop nobody would tell.
     *
     * @throws ErrnoException ENOENT, EACCES, ENOEXEC
     */
    static void requireExecutable(Path program) {
        if (!Files.exists(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.ENOENT);
        }
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.EACCES);
        }
        byte[] head;
        try (OpenedFile file = OpenedFile.open(program, OpenHow.reading())) {
            head = file.readFirst(SCRIPT_LINE);
        } catch (FileException e) {
            return; // it may be executable, and not for us to read
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("#!")) {
            String interpreter = text.substring(2).lines().findFirst().orElse("").strip();
            interpreter = interpreter.split("[ \t]", 2)[0];
            if (!interpreter.isEmpty() && !Files.exists(Path.of(interpreter))) {
                throw new ErrnoException(
                        "execve",
                        program.toString(),
                        Errno.ENOENT,
                        "its interpreter " + interpreter + " is missing");
            }
        } else if (!text.startsWith("\u007fELF")
                && !Files.exists(Path.of("/proc/sys/fs/binfmt_misc/register"))) {
            throw new ErrnoException(
                    "execve", program.toString(), Errno.ENOEXEC, "a script needs a #! line");
        }
    }
}
