package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A program that is a message bus.
 *
 * @param command the command for a bus at a socket with that path; its process becomes the bus
 */
record BusProgram(String name, Function<String, List<String>> command) {
    /** Returns our bus; empty if these sources have no such command. */
    static Optional<BusProgram> ours() throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty() || !runs(launcher.get().script(), "bus", "--help")) {
            return Optional.empty();
        }
        String script = launcher.get().script();
        return Optional.of(
                new BusProgram(
                        "Holdfast",
                        path -> List.of(script, "bus", "--address", "unix:path=" + path)));
    }

    /**
     * Returns the reference buses that are installed, under the names that the targets are stated
     * for.
     */
    static List<BusProgram> others() throws IOException, InterruptedException {
        String generator = Native.BUSLOAD.build().toString();
        List<BusProgram> others = new ArrayList<>();
        for (String kind : List.of("broker", "daemon")) {
            String program = "dbus-" + kind;
            if (runs(program, "--version")) {
                others.add(new BusProgram(program, path -> List.of(generator, kind, path)));
            }
        }
        return others;
    }

    /** Returns the first line that a program prints about its version. */
    static String version(String program) throws IOException, InterruptedException {
        return Launcher.run(List.of(program, "--version")).lines().findFirst().orElse(program);
    }

    private static boolean runs(String... command) throws InterruptedException {
        try (Child child =
                Spawn.of(List.of(command))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start()) {
            return child.await().equals(new Exit.Exited(0));
        } catch (ErrnoException e) {
            return false; // not installed
        }
    }

    /** Starts the bus at a socket in a folder. */
    BusProcess start(Path folder) throws IOException {
        return new BusProcess(this, folder.resolve(name + ".socket"));
    }
}
