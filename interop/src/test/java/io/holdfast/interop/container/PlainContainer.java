package io.holdfast.interop.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.interop.Checkout;
import io.holdfast.interop.stack.RunningProgram;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A container as the common runtimes make it by default: 14 capabilities, a seccomp filter, and a
 * cgroup file system that is read-only ({@code plain.json}). It has the files of this machine, and
 * loses its changes. The command of this checkout is its PID 1.
 *
 * <p>In another {@link Setting} it also is in a user namespace, or has an ordinary user, or is as
 * able as a machine.
 */
final class PlainContainer implements AutoCloseable {
    /** The command of this checkout, as in the container. */
    static final String HOLDFAST = Checkout.HOLDFAST.toString();

    private static final String NAME = "plain";
    private static final Duration PATIENCE = Duration.ofSeconds(100);

    /** Makes the folders of an ordinary user, which only it can. */
    private static final String FOLDERS = "mkdir -m 700 $HOME $XDG_RUNTIME_DIR && exec $0 $*";

    private static final String CAPABILITIES =
            """
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
            "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"
            """;

    /** Those that change nothing of the machine outside of the container's namespaces. */
    private static final String CAPABILITIES_OF_MACHINE =
            CAPABILITIES.strip()
                    + """
                    , "CAP_SYS_ADMIN", "CAP_SYS_NICE", "CAP_SYS_PTRACE", "CAP_NET_ADMIN",
                    "CAP_NET_BROADCAST", "CAP_DAC_READ_SEARCH", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_LEASE"
                    """;

    /** Who a container is for the machine, and what it may do. */
    enum Setting {
        /** User 0 with the default capabilities. */
        DEFAULT(0, 0),
        /** The same in a user namespace, where user 0 is an ordinary user of the machine. */
        USER_NAMESPACE(0, 1_000_000),
        /** A user without an account and without capabilities. */
        ORDINARY_USER(1000, 0),
        /**
         * User 0 with what the sandboxes of units need: more capabilities, no filter, and a
         * writable cgroup that ends with the container ({@code machine.json}).
         */
        MACHINE(0, 0);

        private final int user;
        private final int shift;

        /**
         * @param user of PID 1
         * @param shift added to each user of the container: that of the machine; 0: no namespace
         */
        Setting(int user, int shift) {
            this.user = user;
            this.shift = shift;
        }

        private List<String> environment() {
            return user == 0
                    ? List.of()
                    : List.of("HOME=/tmp/home", "XDG_RUNTIME_DIR=/tmp/runtime");
        }

        private String config() throws IOException {
            return resource(this == MACHINE ? "machine.json" : "plain.json");
        }

        private String capabilities() {
            return this == MACHINE ? CAPABILITIES_OF_MACHINE : user == 0 ? CAPABILITIES : "";
        }

        private String in(String config) {
            String mapping = "[{\"containerID\": 0, \"hostID\": " + shift + ", \"size\": 65536}]";
            return config.replace("@USER@", Integer.toString(user))
                    .replace("@CAPABILITIES@", capabilities())
                    .replace(
                            "@ENVIRONMENT@",
                            environment().stream()
                                    .map(each -> ", \"" + each + "\"")
                                    .collect(Collectors.joining()))
                    .replace("@NAMESPACES@", shift == 0 ? "" : ", {\"type\": \"user\"}")
                    .replace(
                            "\"@MAPPINGS@\",",
                            shift == 0
                                    ? ""
                                    : "\"uidMappings\": %1$s, \"gidMappings\": %1$s,"
                                            .formatted(mapping));
        }
    }

    private final Setting setting;
    private final Path folder;
    private final @Nullable Cgroup cgroup;
    private final RunningProgram init;
    private boolean closed;

    private PlainContainer(
            Setting setting, Path folder, @Nullable Cgroup cgroup, RunningProgram init) {
        this.setting = setting;
        this.folder = folder;
        this.cgroup = cgroup;
        this.init = init;
    }

    /**
     * Starts a container.
     *
     * @param folder an empty folder
     * @param arguments of the command that is PID 1
     */
    static PlainContainer start(Path folder, String... arguments) throws IOException {
        return start(Setting.DEFAULT, folder, arguments);
    }

    /** Starts a container in a setting. */
    static PlainContainer start(Setting setting, Path folder, String... arguments)
            throws IOException {
        List<String> words = new ArrayList<>(List.of(HOLDFAST));
        words.addAll(List.of(arguments));
        return start(setting, folder, words, config -> config);
    }

    /**
     * Starts a container in a setting.
     *
     * @param command PID 1
     * @param change of {@code plain.json}
     */
    static PlainContainer start(
            Setting setting, Path folder, List<String> command, UnaryOperator<String> change)
            throws IOException {
        Checkout.requireBuilt();
        Path bundle = Files.createDirectory(folder.resolve("bundle"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path config = folder.resolve("config.json");
        List<String> words = new ArrayList<>(command);
        if (setting == Setting.ORDINARY_USER) {
            words.addAll(0, List.of("/bin/sh", "-c", FOLDERS));
        }
        return run(setting, bundle, config, change, words, "/");
    }

    /**
     * Starts a container on folders other than the root of this machine.
     *
     * @param folder an empty folder
     * @param layers the folders, the topmost first
     * @param command PID 1
     */
    static PlainContainer ofLayers(
            Setting setting, Path folder, List<Path> layers, String... command) throws IOException {
        return run(
                setting,
                Files.createDirectory(folder.resolve("bundle")),
                folder.resolve("config.json"),
                text -> text,
                List.of(command),
                layers.stream().map(Path::toString).collect(Collectors.joining(":")));
    }

    private static PlainContainer run(
            Setting setting,
            Path bundle,
            Path config,
            UnaryOperator<String> change,
            List<String> words,
            String layers)
            throws IOException {
        Files.writeString(
                config,
                setting.in(change.apply(setting.config()))
                        .replace(
                                "\"@ARGUMENTS@\"",
                                words.stream()
                                        .map(word -> "\"" + word + "\"")
                                        .collect(Collectors.joining(", ")))
                        .replace("@ROOT@", bundle.resolve("root").toString())
                        .replace("@CHECKOUT@", Checkout.FOLDER.toString())
                        .replace("@JAVA@", System.getProperty("java.home")));
        Spawn spawn =
                Spawn.of("unshare", "--mount", "sh", "-c", resource("container.sh"), "sh")
                        .arguments(
                                List.of(
                                        bundle.toString(),
                                        config.toString(),
                                        NAME,
                                        Integer.toString(setting.shift),
                                        layers))
                        .environment("NO_COLOR", "1")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged());
        if (setting != Setting.MACHINE) {
            return new PlainContainer(setting, bundle, null, new RunningProgram(spawn.start()));
        }
        try (Cgroup own = Cgroup.own()) {
            Cgroup cgroup = own.create("hfmachine" + ProcessHandle.current().pid());
            return new PlainContainer(
                    setting, bundle, cgroup, new RunningProgram(spawn.cgroup(cgroup).start()));
        }
    }

    static String resource(String name) throws IOException {
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
        List<String> words =
                new ArrayList<>(List.of("exec", "-e", path, "-e", "HOLDFAST_AS_BUILT=yes"));
        setting.environment().forEach(each -> words.addAll(List.of("-e", each)));
        words.addAll(List.of(NAME, "/bin/bash", "-c", script));
        return crun(words);
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
        return run(script, RunningProgram.TIMEOUT);
    }

    /** As {@link #run(String)}, within a limit. */
    String run(String script, Duration limit) throws InterruptedException {
        try (RunningProgram running = bash(script)) {
            assertThat(running.end(limit))
                    .as(() -> script + ": " + running.written() + "\n" + init.written())
                    .isEqualTo(new Exit.Exited(0));
            return running.written().strip();
        }
    }

    /**
     * Waits until no process is left but those with these names. One that has ended is left until
     * its parent has reaped it.
     */
    void awaitOnly(Set<String> names) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        List<String> left;
        do {
            left = run("ps -eo comm=").lines().filter(name -> !names.contains(name)).toList();
        } while (!left.isEmpty() && System.nanoTime() < deadline);
        assertThat(left).as(init::written).isEmpty();
    }

    /** Stops the container as its runtime does, and returns the exit status of PID 1. */
    Exit stop() throws InterruptedException {
        try (RunningProgram kill = crun(List.of("kill", NAME, "TERM"))) {
            assertThat(kill.end()).as(kill::written).isEqualTo(new Exit.Exited(0));
        }
        return init.end();
    }

    /** Stops the container, which must succeed, and closes it. */
    void end() throws InterruptedException {
        try {
            assertThat(stop()).as(init::written).isEqualTo(new Exit.Exited(0));
        } finally {
            close();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (init.process().state() == PidFd.State.ALIVE) {
            try (RunningProgram kill = crun(List.of("kill", NAME, "KILL"))) {
                var _ = kill.end();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        init.close();
        if (cgroup != null) {
            removeCgroup(cgroup);
        }
    }

    private static void removeCgroup(Cgroup cgroup) {
        try (cgroup) {
            cgroup.kill();
            assertThat(cgroup.awaitEmpty(PATIENCE)).isTrue();
            cgroup.removeAll();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
