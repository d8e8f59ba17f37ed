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
 * Runs this command again in a PID namespace of its own (unshare(1)), where numbers are given away
 * at will without disturbing anybody, and for which a plain user needs no privilege but that of
 * making user namespaces. What is left in the namespace ends with its first process.
 */
final class OwnNamespace {
    private OwnNamespace() {}

    /**
     * @param subcommand the word of the present command line that is replaced, with what follows
     * @param instead the words in its place
     * @return how it ended; empty if it could not be begun, or if the line is not ours
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
            return Optional.empty(); // no unshare
        }
    }

    private static void forget(Thread end) {
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // it is running
        }
    }

    /** How this JVM was called, up to the subcommand; empty if that is not there. */
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
