package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * A running authority on its own {@code dbus-daemon}, with a systemd that returns a unit for every
 * process, and a generator of checks. It has its own mount namespace, where its rules are in the
 * system's folders.
 */
final class AuthorityProcess implements AutoCloseable {
    private static final String RULES = "/etc/polkit-1/rules.d";

    /** Defined by polkit itself; without a rule, a user has to authenticate. */
    static final String ACTION = "org.freedesktop.policykit.exec";

    private final List<AutoCloseable> parts = new ArrayList<>();
    private final String name;
    private final Worker generator;
    private final MeasuredDaemon authority;
    private final double startNanoseconds;

    /**
     * Starts it, and waits for its first answer.
     *
     * @param rules a folder that others can read
     * @param folder the folder of its bus, which other users can reach
     */
    AuthorityProcess(AuthorityProgram program, Path rules, Path folder)
            throws IOException, InterruptedException {
        this.name = program.name();
        try {
            String load = Native.BUSLOAD.build().toString();
            BusProgram daemon = new BusProgram(name, path -> List.of(load, "daemon", path));
            String socket = folder.resolve(name + ".socket").toString();
            BusProcess bus = opened(daemon.start(folder));
            this.generator = opened(bus.generator());
            double[] _ = generator.request("subject"); // once it has connected to the bus
            var _ =
                    opened(
                            new MeasuredDaemon(
                                    Spawn.of(load, "systemd", socket).stdin(Stdio.devNull())));
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    "unshare",
                                    "--mount",
                                    "sh",
                                    "-c",
                                    "mount --bind \"$0\" " + RULES + " && exec \"$@\"",
                                    rules.toString()));
            command.addAll(program.command());
            long begin = System.nanoTime();
            this.authority =
                    opened(
                            new MeasuredDaemon(
                                    Spawn.of(command)
                                            .environment(
                                                    "DBUS_SYSTEM_BUS_ADDRESS",
                                                    "unix:path=" + socket)
                                            .stdin(Stdio.devNull())
                                            .stdout(Stdio.devNull())
                                            .stderr(Stdio.devNull())));
            double[] _ = generator.request("first " + ACTION);
            this.startNanoseconds = System.nanoTime() - begin;
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.add(part);
        return part;
    }

    String name() {
        return name;
    }

    /** Returns the time from its start to its first answer. */
    double startNanoseconds() {
        return startNanoseconds;
    }

    /** Returns its resident memory, in MiB. */
    double residentMib() {
        return authority.resident() / 1024.0;
    }

    /** Sends the generator a command and waits for its answer. */
    double[] request(String command) throws IOException, InterruptedException {
        return generator.request(command);
    }

    @Override
    public void close() throws IOException {
        for (AutoCloseable part : parts.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                throw new IOException("cannot end " + name, e);
            }
        }
    }

    /** Makes a folder that every user can reach, for buses and rules. */
    static Path folder() throws IOException {
        Path folder = Files.createTempDirectory("holdfast-bench-authority");
        return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
