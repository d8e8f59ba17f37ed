package io.holdfast.benchmarks.journal;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * A running receiver of log messages, in a mount namespace of its own, where the usual folders are
 * empty and in memory; neither has a rate limit.
 */
final class LogReceiver implements AutoCloseable {
    static final Path JOURNALD = Path.of("/usr/lib/systemd/systemd-journald");

    private static final String PREPARE =
            """
            set -e
            mkdir -p /run/systemd /run/log
            mount -t tmpfs tmpfs /run/systemd
            mount -t tmpfs -o size=90% tmpfs /run/log
            mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
            cat > /run/systemd/journald.conf.d/bench.conf <<END
            [Journal]
            Storage=volatile
            RateLimitIntervalSec=0
            RateLimitBurst=0
            RuntimeMaxUse=4G
            RuntimeKeepFree=1M
            RuntimeMaxFileSize=128M
            ReadKMsg=no
            Audit=no
            END
            exec "$@"
            """;
    private static final Duration END = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration READY = Duration.ofMinutes(1);

    private final Child child;
    private final Path root;

    private LogReceiver(List<String> command) throws IOException, InterruptedException {
        child =
                Spawn.of("unshare", "--mount", "sh", "-c", PREPARE, "sh")
                        .arguments(command)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.inherit())
                        .start();
        root = Path.of("/proc", Integer.toString(child.pidFd().pid()), "root");
        try {
            for (long deadline = System.nanoTime() + READY.toNanos(); !isReady(); ) {
                if (System.nanoTime() > deadline || child.await(PAUSE).isPresent()) {
                    throw new IOException(command + " does not listen");
                }
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    static LogReceiver journald() throws IOException, InterruptedException {
        return new LogReceiver(List.of(JOURNALD.toString()));
    }

    static LogReceiver ours(Launcher launcher) throws IOException, InterruptedException {
        return new LogReceiver(
                List.of(
                        "env",
                        "JDK_JAVA_OPTIONS=-Dio.holdfast.receiver.rateBurst=1000000000",
                        launcher.script(),
                        "journal",
                        "--directory",
                        "/run/log/journal/" + machine()));
    }

    private static String machine() throws IOException {
        return Files.readString(Path.of("/etc/machine-id")).strip();
    }

    private boolean isReady() throws IOException {
        return Files.exists(root.resolve("run/systemd/journal/stdout"))
                && Files.exists(files().resolve("system.journal"));
    }

    /** Returns the folder of its files. */
    Path files() throws IOException {
        return root.resolve("run/log/journal").resolve(machine());
    }

    /** Starts a generator of load. */
    Worker generator() throws IOException, InterruptedException {
        return Worker.command(
                "logload",
                List.of(
                        Native.LOGLOAD.build().toString(),
                        root.resolve("run/systemd/journal").toString(),
                        files().resolve("system.journal").toString()));
    }

    /** Removes the archived files. */
    void forget() throws IOException {
        try (Stream<Path> all = Files.list(files())) {
            for (Path file : all.filter(each -> each.toString().contains("@")).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Returns its resident memory, in MiB. */
    double resident() {
        return Launcher.status(child.pidFd().pid(), "VmRSS") / 1024.0;
    }

    @Override
    public void close() {
        try (child) {
            boolean signalled = child.signal(Signal.TERM);
            if (signalled && child.await(END).isEmpty()) {
                boolean ignored = child.signal(Signal.KILL);
                var _ = child.await();
            }
        } catch (InterruptedException e) {
            boolean ignored = child.signal(Signal.KILL);
            Thread.currentThread().interrupt();
        }
    }
}
