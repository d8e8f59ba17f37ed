package io.holdfast.interop.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.interop.stack.RunningProgram;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * A container as the common runtimes make it by default: 14 capabilities, a seccomp filter, and a
 * cgroup file system that is read-only ({@code plain.json}). It has the files of this machine, and
 * loses its changes. The command of this checkout is its PID 1.
 */
final class PlainContainer implements AutoCloseable {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

    /** The command of this checkout, as in the container. */
    static final String HOLDFAST = CHECKOUT.resolve("holdfast").toString();

    private static final String NAME = "plain";

    private final Path folder;
    private final RunningProgram init;

    private PlainContainer(Path folder, RunningProgram init) {
        this.folder = folder;
        this.init = init;
    }

    /**
     * Starts a container.
     *
     * @param folder an empty folder
     * @param arguments of the command that is PID 1
     */
    static PlainContainer start(Path folder, String... arguments) throws IOException {
        assumeTrue(
                Files.exists(CHECKOUT.resolve(".holdfast/launch")),
                "the command must have been built: ./holdfast --version");
        Path bundle = Files.createDirectory(folder.resolve("bundle"));
        Path config = folder.resolve("config.json");
        List<String> words = new ArrayList<>(List.of(HOLDFAST));
        words.addAll(List.of(arguments));
        Files.writeString(
                config,
                resource("plain.json")
                        .replace(
                                "\"@ARGUMENTS@\"",
                                words.stream()
                                        .map(word -> "\"" + word + "\"")
                                        .collect(Collectors.joining(", ")))
                        .replace("@ROOT@", bundle.resolve("root").toString())
                        .replace("@CHECKOUT@", CHECKOUT.toString())
                        .replace("@JAVA@", System.getProperty("java.home")));
        return new PlainContainer(
                bundle,
                new RunningProgram(
                        Spawn.of("unshare", "--mount", "sh", "-c", resource("container.sh"), "sh")
                                .arguments(List.of(bundle.toString(), config.toString(), NAME))
                                .environment("NO_COLOR", "1")
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.merged())
                                .start()));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = PlainContainer.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
        }
    }

    /** Returns what PID 1 and the services have written. */
    RunningProgram init() {
        return init;
    }

    private RunningProgram crun(List<String> arguments) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "nsenter",
                                "--mount=/proc/" + init.process().pid() + "/ns/mnt",
                                "crun",
                                "--root",
                                folder.resolve("state").toString(),
                                "--cgroup-manager=disabled"));
        command.addAll(arguments);
        return new RunningProgram(
                Spawn.of(command)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged())
                        .start());
    }

    private RunningProgram bash(String script) {
        String path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        return crun(List.of("exec", "-e", path, NAME, "/bin/bash", "-c", script));
    }

    /**
     * Returns whether a client in the container succeeds and writes the answer: a service without
     * notification counts as started before it listens.
     */
    boolean answers(String client, String answer) {
        try (RunningProgram running = bash(client)) {
            return running.end().isSuccess() && running.written().contains(answer);
        } catch (InterruptedException e) {
            throw new IllegalStateException("no answer in time", e);
        }
    }

    /** Runs a script of bash(1) in the container, which must succeed; returns what it wrote. */
    String run(String script) throws InterruptedException {
        try (RunningProgram running = bash(script)) {
            assertThat(running.end())
                    .as(() -> script + ": " + running.written() + "\n" + init.written())
                    .isEqualTo(new Exit.Exited(0));
            return running.written().strip();
        }
    }

    /** Stops the container as its runtime does, and returns the exit status of PID 1. */
    Exit stop() throws InterruptedException {
        try (RunningProgram kill = crun(List.of("kill", NAME, "TERM"))) {
            assertThat(kill.end()).as(kill::written).isEqualTo(new Exit.Exited(0));
        }
        return init.end();
    }

    @Override
    public void close() {
        if (init.process().state() == PidFd.State.ALIVE) {
            try (RunningProgram kill = crun(List.of("kill", NAME, "KILL"))) {
                var _ = kill.end();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        init.close();
    }
}
