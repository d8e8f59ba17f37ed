package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The resident size of an idle {@code ./holdfast up}, and its growth per service. */
public final class DaemonRow implements Row {
    private static final int REACH_MIB = 64;
    private static final int MANY = 21;
    private static final Duration START = Duration.ofMinutes(1);
    private static final Duration IDLE = Duration.ofSeconds(5);

    @Override
    public String name() {
        return "daemon";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        String what = "idle `./holdfast up`";
        if (launcher.isEmpty() || !hasUp(launcher.get())) {
            return List.of(Line.skipped(what, "needs ./holdfast up"));
        }
        List<Double> one = new ArrayList<>();
        List<Double> each = new ArrayList<>();
        for (int i = 0; i < effort.rounds(5); i++) {
            double first = resident(launcher.get(), 1);
            double many = resident(launcher.get(), MANY);
            one.add(first / 1024);
            each.add((many - first) / (MANY - 1));
        }
        double mib = median(one);
        return List.of(
                Line.limit(
                        what + " with one service",
                        Line.format("%.1f MiB RSS", mib),
                        "",
                        "≤ " + REACH_MIB + " MiB",
                        mib <= REACH_MIB),
                Line.note(
                        what + ", each of " + (MANY - 1) + " further services",
                        Line.format("%.0f KiB", median(each)),
                        ""));
    }

    private static boolean hasUp(Launcher launcher) throws InterruptedException {
        try (Child help =
                Spawn.of(launcher.script(), "up", "--help")
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start()) {
            return help.await().equals(new Exit.Exited(0));
        }
    }

    /** Returns the resident size in KiB of a daemon with that many services. */
    private static double resident(Launcher launcher, int services)
            throws IOException, InterruptedException {
        Path units = Files.createTempDirectory("holdfast-bench-units");
        List<String> command =
                new ArrayList<>(List.of(launcher.script(), "up", "--no-keeper", "--units"));
        command.add(units.toString());
        try {
            for (int i = 0; i < services; i++) {
                String unit = "bench-" + i + ".service";
                Files.writeString(
                        units.resolve(unit), "[Service]\nExecStart=/bin/sleep infinity\n");
                command.add(unit);
            }
            try (Child daemon =
                    Spawn.of(command)
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.devNull())
                            .stderr(Stdio.devNull())
                            .start()) {
                try {
                    int pid = daemon.pidFd().pid();
                    awaitServices(daemon, pid, services);
                    Optional<Exit> exited = daemon.await(IDLE);
                    if (exited.isPresent()) {
                        throw new IOException(command + ": " + exited.get());
                    }
                    return Launcher.status(pid, "VmRSS");
                } finally { // the daemon and its services must not stay, whatever happened
                    boolean ignored = daemon.signal(Signal.TERM);
                    var _ = daemon.await();
                }
            }
        } finally {
            try (Stream<Path> files = Files.list(units)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(units);
        }
    }

    private static void awaitServices(Child daemon, int pid, int services)
            throws IOException, InterruptedException {
        for (long deadline = System.nanoTime() + START.toNanos(); children(pid) < services; ) {
            if (System.nanoTime() > deadline || daemon.await(Duration.ofMillis(50)).isPresent()) {
                throw new IOException("the daemon did not start its services");
            }
        }
    }

    private static int children(int pid) throws IOException {
        int children = 0;
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads.toList()) {
                try {
                    String text = Files.readString(thread.resolve("children")).strip();
                    children += text.isEmpty() ? 0 : text.split(" ").length;
                } catch (NoSuchFileException e) {
                    // the thread has ended, and its children belong to another one
                }
            }
        }
        return children;
    }

    private static double median(List<Double> values) {
        return Turns.quantile(values.stream().mapToDouble(Double::doubleValue).toArray(), 0.5);
    }
}
