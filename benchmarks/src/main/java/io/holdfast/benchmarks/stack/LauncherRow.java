package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.SourceTree;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.spi.ToolProvider;

/** Complete runs of the command beside a Hello World with the same flags and its own cache. */
public final class LauncherRow implements Row {
    private static final String MAIN = Hello.class.getName();

    @Override
    public String name() {
        return "door";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> found = Launcher.open();
        if (found.isEmpty()) {
            return List.of(Line.skipped("`./holdfast`", "there is no such command yet"));
        }
        Launcher launcher = found.get();
        List<String> hello = hello(launcher);
        String self = Long.toString(ProcessHandle.current().pid());
        Turns turns = new Turns();
        int they = turns.add(() -> wall(hello));
        int version = turns.add(() -> wall(List.of(launcher.script(), "--version")));
        int info = turns.add(() -> wall(List.of(launcher.script(), "info", self)));
        turns.run(effort.rounds(3), effort.rounds(31));
        String peer = Line.nanoseconds(turns.median(they, 0));
        return List.of(
                Line.of(
                        "warm `./holdfast --version`",
                        Line.nanoseconds(turns.median(version, 0)),
                        "Hello World",
                        peer,
                        turns.ratio(version, they, 0),
                        2.5),
                Line.of(
                        "warm `./holdfast info PID`",
                        Line.nanoseconds(turns.median(info, 0)),
                        "Hello World",
                        peer,
                        turns.ratio(info, they, 0),
                        3));
    }

    /** Returns the command line of the Hello World, whose cache is trained as the launcher's is. */
    private static List<String> hello(Launcher launcher) throws IOException, InterruptedException {
        Path target = SourceTree.MODULE.resolve("target");
        Path jar = target.resolve("hello.jar");
        Path cache = target.resolve("hello.aot");
        ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
        int packed =
                tool.run(
                        System.out,
                        System.err,
                        "--create",
                        "--file=" + jar,
                        "-C",
                        target.resolve("classes").toString(),
                        MAIN.replace('.', '/') + ".class");
        if (packed != 0) {
            throw new IOException("jar could not pack " + MAIN);
        }
        boolean ignored = Files.deleteIfExists(cache);
        List<String> command = new ArrayList<>(List.of(launcher.java()));
        command.addAll(launcher.flags());
        command.addAll(List.of("-XX:AOTCacheOutput=" + cache, "-cp", jar.toString(), MAIN));
        String trained = Launcher.run(command);
        if (!Files.exists(cache)) {
            throw new IOException("no AOT cache of " + MAIN + ": " + trained);
        }
        command.replaceAll(
                word -> word.startsWith("-XX:AOTCacheOutput=") ? "-XX:AOTCache=" + cache : word);
        return command;
    }

    private static double[] wall(List<String> command) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        try (Child child =
                Spawn.of(command)
                        .directory(SourceTree.ROOT)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .start()) {
            Exit exit = child.await();
            double[] wall = {System.nanoTime() - begin};
            if (!exit.equals(new Exit.Exited(0))) {
                throw new IOException(command + ": " + exit);
            }
            return wall;
        }
    }
}
