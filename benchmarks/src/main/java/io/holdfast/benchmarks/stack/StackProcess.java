package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A running {@code ./holdfast up} with all its parts, in its own runtime folder. */
final class StackProcess implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(30);

    private final Launcher launcher;
    private final Path runtime;
    private final Child keeper;
    private final double readyNanoseconds;

    /** Starts it, and waits until it reports that it is ready. */
    StackProcess(Launcher launcher, Path runtime) throws IOException, InterruptedException {
        this(launcher, runtime, List.of());
    }

    /** Starts it with other units than its parts. */
    StackProcess(Launcher launcher, Path runtime, List<String> units)
            throws IOException, InterruptedException {
        this(launcher, runtime, units, "");
    }

    /**
     * Starts it with other limits than the defaults.
     *
     * @param options options of its JVM, after the default ones
     */
    StackProcess(Launcher launcher, Path runtime, List<String> units, String options)
            throws IOException, InterruptedException {
        this(List.of(), launcher, runtime, units, options);
    }

    /**
     * Starts it by another command, which executes it.
     *
     * @param by the words of that command
     */
    static StackProcess in(List<String> by, Launcher launcher, Path runtime, List<String> units)
            throws IOException, InterruptedException {
        return new StackProcess(by, launcher, runtime, units, "");
    }

    private StackProcess(
            List<String> by, Launcher launcher, Path runtime, List<String> units, String options)
            throws IOException, InterruptedException {
        this.launcher = launcher;
        this.runtime = runtime;
        long begin = System.nanoTime();
        List<String> words = new ArrayList<>(by);
        words.addAll(List.of(launcher.script(), "up", "--runtime-dir", runtime.toString()));
        Spawn up =
                Spawn.of(words)
                        .arguments(units)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull());
        if (!options.isEmpty()) {
            up.environment("_JAVA_OPTIONS", options);
        }
        this.keeper = up.start();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(keeper.stdout(), StandardCharsets.UTF_8));
        String line = lines.readLine();
        while (line != null && !line.endsWith("ready")) {
            line = lines.readLine();
        }
        this.readyNanoseconds = System.nanoTime() - begin;
        if (line == null) {
            close();
            throw new IOException("./holdfast up ended before it was ready");
        }
        Thread _ =
                Thread.ofPlatform().daemon().name("lines of the stack").start(() -> drain(lines));
    }

    private static void drain(BufferedReader lines) {
        try {
            while (lines.readLine() != null) {
                // discards what it writes from now on
            }
        } catch (IOException e) {
            // it was closed
        }
    }

    double readyNanoseconds() {
        return readyNanoseconds;
    }

    /** Starts a generator at its bus. */
    Worker generator() throws IOException, InterruptedException {
        return Worker.busload("the stack's bus", runtime.resolve("bus"), 1);
    }

    /** Starts a generator at its manager's private socket, where there is no bus. */
    Worker generatorOfPeers() throws IOException, InterruptedException {
        return Worker.busload("the private socket", privateSocket(), 1);
    }

    /** Returns the private D-Bus socket of its manager. */
    Path privateSocket() {
        return runtime.resolve("systemd/private");
    }

    /** Returns the current manager, a child of the keeper: unlike adopted services, it is a JVM. */
    PidFd manager() throws IOException {
        Path java = Path.of(launcher.java()).toRealPath();
        try (Members children = keeper.pidFd().children()) {
            for (PidFd child : children) {
                if (child.proc().executable().equals(java)) {
                    return child.duplicate();
                }
            }
        }
        throw new IOException("the keeper has no manager");
    }

    /** Returns the resident memory of its manager alone, in KiB. */
    long managerKib() throws IOException {
        return Launcher.status(managerPid(), "VmRSS");
    }

    long managerPid() throws IOException {
        return processes().get(1);
    }

    /** Returns the PID of a process of one of its units. */
    long member() throws IOException {
        return processes().getLast();
    }

    /**
     * Returns the sum over all its processes of a line of {@code /proc/PID/smaps_rollup}, in MiB.
     */
    double memoryMib(String field) throws IOException {
        double kib = 0;
        for (long pid : processes()) {
            kib += kib(pid, field);
        }
        return kib / 1024;
    }

    /** Returns the same for its keeper alone. */
    double keeperMib(String field) throws IOException {
        return kib(keeper.pidFd().pid(), field) / 1024.0;
    }

    private static long kib(long pid, String field) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/smaps_rollup"))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        }
    }

    int parts() throws IOException {
        return processes().size();
    }

    /** Returns the PIDs of the keeper, its manager, and the processes that the manager started. */
    private List<Long> processes() throws IOException {
        List<Long> found = new ArrayList<>(List.of((long) keeper.pidFd().pid()));
        for (int i = 0; i < found.size(); i++) {
            try (Stream<Path> threads = Files.list(Path.of("/proc/" + found.get(i) + "/task"))) {
                for (Path thread : threads.toList()) {
                    String children = Files.readString(thread.resolve("children")).strip();
                    for (String child : children.isEmpty() ? new String[0] : children.split(" ")) {
                        found.add(Long.parseLong(child));
                    }
                }
            } catch (NoSuchFileException e) {
                // a thread has ended, and has no children
            }
        }
        return found;
    }

    @Override
    public void close() {
        try (keeper) {
            boolean signalled = keeper.signal(Signal.TERM);
            if (signalled && keeper.await(END).isEmpty()) {
                boolean ignored = keeper.signal(Signal.KILL);
                var _ = keeper.await();
            }
        } catch (InterruptedException e) {
            boolean ignored = keeper.signal(Signal.KILL);
            Thread.currentThread().interrupt();
        }
    }
}
