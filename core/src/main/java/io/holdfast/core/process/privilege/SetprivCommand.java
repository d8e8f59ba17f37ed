package io.holdfast.core.process.privilege;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.KernelPath;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The command line that a child executes before its own program: setpriv(1) sets the attributes
 * that only the child itself can change, then env(1) executes the program. env(1) is needed for two
 * reasons: it sets variables that must not be set before the privileges are gone, and setpriv still
 * has our capabilities when it executes something, so it could execute a program that the user may
 * not.
 *
 * <pre>
 *   spawn ─▶ setpriv --reuid=33 … -- ─▶ env LD_LIBRARY_PATH=… ─▶ program
 *            as us                      as the user
 * </pre>
 *
 * <p>All three run in the same process, so it is held from its birth. Neither a thread of this
 * process nor posix_spawn(3) could do what setpriv does: see docs/decisions/setpriv.md.
 */
public final class SetprivCommand {
    private static final List<String> FOLDERS =
            List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

    /**
     * The beginnings of the names of variables that the dynamic linker, the C library, its name
     * services or setpriv's own libraries read: setpriv has all our capabilities while it reads
     * them. All other variables stay in its environment, which other users cannot read: the
     * arguments of a process, where env(1) finds these, are public.
     */
    private static final List<String> GUARDED =
            List.of(
                    "CHARSET",
                    "GCONV",
                    "GETCONF",
                    "GLIBC",
                    "HOSTALIASES",
                    "LANG",
                    "LC_",
                    "LD_",
                    "LIB",
                    "LOC",
                    "MALLOC_",
                    "NIS_",
                    "NLS",
                    "NSS_",
                    "OUTPUT_CHARSET",
                    "POSIX",
                    "RES_",
                    "RESOLV_",
                    "SELINUX",
                    "SSS_",
                    "SYSTEMD_",
                    "TEXTDOMAIN",
                    "TZ",
                    "UL_");

    /** Overrides every other variable of the locale, and disables message catalogues. */
    private static final String LOCALE = "LC_ALL";

    private static volatile @Nullable String checkedEnv; // it has the option --argv0

    private SetprivCommand() {}

    /**
     * Returns the whole command line.
     *
     * @param options the options of setpriv
     * @param arguments the arguments of the program, including argv[0]
     * @param ownName whether argv[0] is to differ from the program
     * @param environment the environment of the program, mutable; it becomes that of setpriv:
     *     variables that could subvert setpriv are removed, the locale is C, and env(1) restores
     *     both after the privileges are gone
     * @throws ErrnoException ENOENT if a tool is missing, EOPNOTSUPP if argv[0] is to differ and
     *     env(1) has no option for it
     * @throws IllegalArgumentException if the path of the program contains an equals sign, which
     *     env(1) takes for a variable
     */
    public static List<String> line(
            List<String> options,
            Path program,
            List<String> arguments,
            boolean ownName,
            Map<String, String> environment) {
        String path = KernelPath.text(program);
        if (path.indexOf('=') >= 0) {
            throw new IllegalArgumentException(
                    program + ": env(1) takes a path with = for a variable");
        }
        List<String> line = new ArrayList<>();
        line.add(program());
        line.addAll(options);
        line.add("--");
        String env = tool("env", "coreutils");
        line.add(env);
        if (ownName) {
            requireArgumentZero(env);
            line.add("--argv0=" + arguments.getFirst());
        }
        Map<String, String> guarded = guarded(environment);
        if (!guarded.containsKey(LOCALE)) {
            line.add("--unset=" + LOCALE);
        }
        environment.put(LOCALE, "C");
        guarded.forEach((name, value) -> line.add(name + "=" + value));
        line.add(path);
        line.addAll(arguments.subList(1, arguments.size()));
        return line;
    }

    /**
     * Returns the path of setpriv(1).
     *
     * @throws ErrnoException ENOENT if it is missing
     */
    public static String program() {
        return tool("setpriv", "util-linux");
    }

    /**
     * Refuses an env(1) without the option --argv0, which would only end the child, with status
     * 125, after its start has returned. Runs env(1) once to check that.
     *
     * @throws ErrnoException EOPNOTSUPP
     */
    static void requireArgumentZero(String env) {
        if (env.equals(checkedEnv)) {
            return;
        }
        Spawn check =
                Spawn.of(env, "--argv0=env", "--version")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull());
        try (Child child = check.start()) {
            if (!child.onExit().join().equals(new Exit.Exited(0))) {
                throw new ErrnoException(
                        "execve",
                        env + " --argv0",
                        Errno.EOPNOTSUPP,
                        "another argv[0] for a child whose user, group or parent-death signal is"
                                + " set needs coreutils 9.5");
            }
        }
        checkedEnv = env;
    }

    private static Map<String, String> guarded(Map<String, String> environment) {
        Map<String, String> guarded = new TreeMap<>(environment);
        guarded.keySet().removeIf(name -> GUARDED.stream().noneMatch(name::startsWith));
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
        throw new ErrnoException("execve", name, Errno.ENOENT, "install " + source);
    }
}
