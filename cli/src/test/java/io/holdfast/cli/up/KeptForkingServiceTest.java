package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests forking services below a keeper: their processes are no children of the manager that it
 * started itself, but orphans of the manager or, after a crash, of the keeper.
 */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class KeptForkingServiceTest {
    /** Stops the main process, and waits until its PID is gone: a zombie still has it. */
    private static final String STOP =
            "ExecStop=/bin/sh -c 'kill $MAINPID; i=0; while kill -0 $MAINPID; do"
                    + " i=$((i+1)); [ $i -lt 500 ] || exit 9; sleep .01; done'";

    @TempDir private Path folder;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        slice = "hffork" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    /** Writes a service whose main process goes on when its parent has exited. */
    private void service(String name, String start, String... more) throws IOException {
        Files.writeString(
                folder.resolve(name),
                "[Unit]\nDefaultDependencies=no\n[Service]\nType=forking\nExecStart=/bin/sh -c '"
                        + start
                        + "'\n"
                        + STOP
                        + "\n"
                        + String.join("\n", more)
                        + "\n");
    }

    private CommandProcess up(String... units) throws IOException {
        return CommandProcess.start(
                Stream.concat(
                                Stream.of("up", "--runtime-dir", folder + "/run"),
                                Stream.concat(
                                        Stream.of("--slice", slice, "--units", folder.toString()),
                                        Stream.of(units)))
                        .toArray(String[]::new));
    }

    private Invocation command(String verb, String... rest) {
        return Invocation.of(
                Stream.concat(Stream.of(verb, "--runtime-dir", folder + "/run"), Stream.of(rest))
                        .toArray(String[]::new));
    }

    private void assertStops(String unit) {
        assertThat(command("stop", unit).code()).isZero();
        assertThat(command("status", unit).out())
                .contains("Active: inactive (dead)")
                .doesNotContain("Failure:");
    }

    @Test
    void theMainProcessIsReapedWhileTheStopCommandWaitsForThat() throws Exception {
        service("named.service", "sleep 1000 & echo $! >" + pidFile(), "PIDFile=" + pidFile());
        service("found.service", "sleep 1000 &");
        try (CommandProcess up = up("named.service", "found.service")) {
            up.await("holdfast: ready");
            assertStops("named.service");
            assertStops("found.service");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void theMainProcessIsReapedAtOnceAfterTheManagerWasKilled() throws Exception {
        service("named.service", "sleep 1000 & echo $! >" + pidFile(), "PIDFile=" + pidFile());
        service("found.service", "sleep 1000 &");
        service(
                "later.service",
                "(while [ ! -e "
                        + folder
                        + "/go ]; do sleep .01; done; sleep 1000 & echo $! >"
                        + pidFile()
                        + "2) &",
                "PIDFile=" + pidFile() + "2");
        try (CommandProcess up = up("named.service", "found.service")) {
            up.await("holdfast: ready");
            Thread later = Thread.startVirtualThread(() -> command("start", "later.service"));
            Await.until(
                    () -> command("status", "later.service").out().contains("activating (start)"));
            KeeperTest.kill(up, 1);
            Files.createFile(folder.resolve("go"));
            later.join();
            Await.until(() -> command("status", "later.service").out().contains("(running)"));
            assertStops("named.service");
            assertStops("found.service");
            assertStops("later.service");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void theOrphansOfAServiceAreReapedAtOnce() throws Exception {
        Files.writeString(
                folder.resolve("a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c '(sh -c \"echo"
                        + " orphan \\$\\$; exec sleep 1000\" &); sleep 1000; true'\n");
        try (CommandProcess up = up("a.service")) {
            up.await("holdfast: ready");
            String line = up.await("a.service | orphan ");
            String number = line.substring(line.lastIndexOf(' ') + 1);
            try (PidFd orphan = PidFd.open(Integer.parseInt(number))) {
                Await.until(() -> isAdopted(up, orphan));
                assertThat(orphan.signal(Signal.KILL)).isTrue();
                Await.until(() -> orphan.state() == PidFd.State.REAPED);
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    private static boolean isAdopted(CommandProcess up, PidFd orphan) {
        try (PidFd manager = KeeperTest.manager(up).orElseThrow();
                PidFd parent = orphan.parent().orElseThrow()) {
            return parent.equals(manager);
        }
    }

    private String pidFile() {
        return folder + "/pid";
    }
}
