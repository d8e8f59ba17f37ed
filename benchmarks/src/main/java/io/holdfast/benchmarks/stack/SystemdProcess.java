package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.SourceTree;
import io.holdfast.benchmarks.frame.TestCgroup;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The real systemd, as PID 1 of its own namespaces, with a service and a dbus-daemon. It refuses
 * clients outside of its PID namespace, so the generators run inside.
 */
final class SystemdProcess implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/lib/systemd/systemd");
    private static final Path SCRIPT = SourceTree.MODULE.resolve("src/main/sh/systemd");
    private static final Duration READY = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final int PROCESSOR = 1; // as for the generators at a stack

    private final TestCgroup cgroup;
    private final Child unshare;
    private final Path pid1;

    private SystemdProcess(TestCgroup cgroup, List<String> units)
            throws IOException, InterruptedException {
        this.cgroup = cgroup;
        this.unshare =
                Spawn.of("unshare", "--mount", "--pid", "--cgroup", "--net", "--ipc", "--uts")
                        .arguments(List.of("--fork", "--kill-child=KILL", SCRIPT.toString()))
                        .arguments(units)
                        .cgroup(cgroup.cgroup())
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start();
        try {
            this.pid1 = Path.of("/proc", awaitReady());
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Returns whether it can run here. */
    static boolean isThere() {
        return Files.isExecutable(PROGRAM) && Unistd.geteuid() == 0;
    }

    /** Returns its name and version. */
    static String version() throws IOException, InterruptedException {
        String[] words = Launcher.run(List.of(PROGRAM.toString(), "--version")).split("\\s+");
        return words[0] + " " + words[1];
    }

    /** Starts it, and waits until it answers. */
    static SystemdProcess start() throws IOException, InterruptedException {
        return new SystemdProcess(TestCgroup.make(), List.of());
    }

    /** Starts it with the units of a folder. */
    static SystemdProcess start(Path units) throws IOException, InterruptedException {
        return new SystemdProcess(TestCgroup.make(), List.of(units.toString()));
    }

    /** Returns its own resident memory, in KiB. */
    long managerKib() {
        return Launcher.status(managerPid(), "VmRSS");
    }

    long managerPid() {
        return Long.parseLong(pid1.getFileName().toString());
    }

    private String awaitReady() throws IOException, InterruptedException {
        Path outside = Path.of("/proc/" + unshare.pidFd().pid());
        for (long end = System.nanoTime() + READY.toNanos(); System.nanoTime() < end; ) {
            String child =
                    Files.readString(
                                    outside.resolve("task")
                                            .resolve(outside.getFileName())
                                            .resolve("children"))
                            .strip();
            if (!child.isEmpty() && Files.exists(Path.of("/proc", child, "root/run/ready"))) {
                return child;
            }
            Thread.sleep(PAUSE);
        }
        throw new IOException("systemd did not come up in " + READY.toSeconds() + " s");
    }

    /** Starts a generator at its bus. */
    Worker generator() throws IOException, InterruptedException {
        return generator("dbus/system_bus_socket");
    }

    /** Starts a generator at its private socket. */
    Worker generatorOfPeers() throws IOException, InterruptedException {
        return generator("systemd/private");
    }

    private Worker generator(String socket) throws IOException, InterruptedException {
        return Worker.busload(inside(), "systemd's " + socket, socket(socket), PROCESSOR);
    }

    /** Returns the words that run a command in its PID namespace. */
    private List<String> inside() {
        return List.of("nsenter", "-t", pid1.getFileName().toString(), "--pid");
    }

    private Path socket(String socket) {
        return pid1.resolve("root/run").resolve(socket);
    }

    /** Returns whether it lists its units, at its private socket, within a time. */
    boolean answers(Duration limit) throws IOException, InterruptedException {
        String generator = Native.BUSLOAD.build().toString();
        try (Child list =
                Spawn.of(inside())
                        .arguments(
                                List.of(
                                        generator,
                                        socket("systemd/private").toString(),
                                        "list",
                                        "1"))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start()) {
            if (list.await(limit).isEmpty()) {
                boolean _ = list.signal(Signal.KILL);
            }
            return list.await().equals(new Exit.Exited(0));
        }
    }

    /** Sends it a signal from a process inside its PID namespace. */
    void signalFromInside(Signal signal) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(inside());
        command.addAll(List.of("sh", "-c", "kill -s " + signal.name() + " 1"));
        String _ = Launcher.run(command);
    }

    /** Sends it a signal from a process outside its PID namespace. */
    void signalFromOutside(Signal signal) {
        try (PidFd process = PidFd.open(Integer.parseInt(pid1.getFileName().toString()))) {
            boolean _ = process.signal(signal);
        }
    }

    /** Returns whether it ends within a time. */
    boolean awaitEnd(Duration limit) throws InterruptedException {
        return unshare.await(limit).isPresent();
    }

    /** Returns how many of its processes have that name. */
    long running(String name) {
        try (Members members = cgroup.cgroup().membersBelow()) {
            long running = 0;
            for (PidFd member : members) {
                running += isNamed(member, name) ? 1 : 0;
            }
            return running;
        }
    }

    private static boolean isNamed(PidFd process, String name) {
        try {
            return process.isAlive() && process.proc().name().equals(name);
        } catch (ErrnoException e) {
            return false; // it has ended since
        }
    }

    /** Returns the PID of its service's process, as seen inside its PID namespace. */
    long member() throws IOException {
        Path procs = Path.of(cgroup.folder(), "system.slice/member.service/cgroup.procs");
        Path status = Path.of("/proc", Files.readAllLines(procs).getFirst(), "status");
        String numbers =
                Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("NSpid:"))
                        .findFirst()
                        .orElseThrow(() -> new IOException("no NSpid in " + status));
        return Long.parseLong(numbers.substring(numbers.lastIndexOf('\t') + 1));
    }

    /** Ends it with all its processes. */
    @Override
    public void close() {
        try (cgroup;
                unshare) {
            cgroup.cgroup().kill();
        }
    }
}
