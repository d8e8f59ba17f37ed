package io.holdfast.cli.tour;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.KernelFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs this command again in a new PID namespace (unshare(1)). PIDs can be reused there without
 * disturbing other processes, and an unprivileged user needs only the permission to create user
 * namespaces. The kernel kills all processes of the namespace when its first process ends.
 */
final class OwnNamespace {
    private OwnNamespace() {}

    /**
     * Runs the command line of this JVM up to the subcommand, followed by other words.
     *
     * @param subcommand the word of the command line from which on it is replaced
     * @param instead the words in its place
     * @return how the command ended; empty if it could not be started, or if the command line does
     *     not contain the subcommand
     */
    static Optional<Exit> run(String subcommand, String... instead) throws InterruptedException {
        List<String> words = commandLine(subcommand);
        if (words.isEmpty()) {
            return Optional.empty();
        }
        List<String> line = new ArrayList<>(List.of("unshare"));
        if (!System.getProperty("user.name").equals("root")) {
            line.addAll(List.of("--user", "--map-root-user"));
        }
        line.addAll(List.of("--pid", "--fork", "--kill-child", "--mount-proc"));
        line.addAll(words);
        line.addAll(List.of(instead));
        Spawn spawn = Spawn.of(line).stdin(Stdio.devNull()).stderr(Stdio.devNull());
        try (Child child = spawn.start()) {
            Thread end = new Thread(() -> child.signal(Signal.KILL), "holdfast-end");
            Runtime.getRuntime().addShutdownHook(end);
            try {
                return Optional.of(child.await());
            } finally {
                forget(end);
            }
        } catch (ErrnoException e) {
            return Optional.empty(); // no unshare(1)
        }
    }

    private static void forget(Thread end) {
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // the hook is running
        }
    }

    /** Returns the command line of this JVM up to the subcommand; empty if it has no such word. */
    private static List<String> commandLine(String subcommand) {
        List<String> words =
                new ArrayList<>(
                        List.of(KernelFile.text(null, "/proc/self/cmdline").split("\0", -1)));
        int at = words.lastIndexOf(subcommand);
        if (at < 1) {
            return List.of();
        }
        try {
            words.set(0, Files.readSymbolicLink(Path.of("/proc/self/exe")).toString());
        } catch (IOException e) {
            return List.of(); // no /proc
        }
        return words.subList(0, at);
    }
}
