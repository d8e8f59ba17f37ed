package io.holdfast.core.process.privilege;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The programs that a child passes through before it executes its own: setpriv(1) for what only the
 * child itself can take on or give up, then env(1), for what must not be there before that and
 * because setpriv still has our capabilities when it executes something: it could execute what the
 * user may not.
 *
 * <pre>
 *   spawn ─▶ setpriv --reuid=33 … -- ─▶ env LD_LIBRARY_PATH=… ─▶ program
 *            as us                      as the user
 * </pre>
 *
 * <p>All three are the same process, so it is held from its birth. Neither a thread of ours nor
 * posix_spawn(3) could do what setpriv does: see the decision "Identity by setpriv(1)".
 */
public final class SetprivCommand {
    private static final List<String> FOLDERS =
            List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

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

    private SetprivCommand() {}

    /**
     * The whole command line.
     *
     * @param options of setpriv
     * @param arguments of the program, with argv[0]
     * @param ownName whether argv[0] is to differ from the program
     * @param environment of the program, changeable; what could turn setpriv against us is taken
     *     out of it, and is set after the privileges are gone
     * @throws ErrnoException ENOENT if a tool is missing
     * @throws IllegalArgumentException if the path of the program has an equals sign, which env(1)
     *     takes for a variable
     */
    public static List<String> line(
            List<String> options,
            Path program,
            List<String> arguments,
            boolean ownName,
            Map<String, String> environment) {
        if (program.toString().indexOf('=') >= 0) {
            throw new IllegalArgumentException(
                    program + ": env(1) takes a path with = for a variable");
        }
        List<String> line = new ArrayList<>();
        line.add(tool("setpriv", "util-linux"));
        line.addAll(options);
        line.add("--");
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

    private static String tool(String name, String source) {
        for (String folder : FOLDERS) {
            Path candidate = Path.of(folder, name);
            if (Files.isExecutable(candidate)) {
                return candidate.toString();
            }
        }
        throw new ErrnoException(
                "execve",
                name,
                Errno.ENOENT,
                name + " is needed and not installed: it is of " + source);
    }
}
