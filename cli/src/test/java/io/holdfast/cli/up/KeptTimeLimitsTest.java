package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that time limits which a service has moved hold after its manager was killed. */
@Timeout(180)
@Needs(root = true, cgroup2 = true, programs = "python3")
class KeptTimeLimitsTest {
    /** What each program begins with. */
    private static final String NOTIFY =
            """
            import os, signal, socket, time
            def notify(text):
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                    out.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
            begin = time.monotonic()
            """;

    @TempDir private Path folder;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        slice = "hflimit" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    private CommandProcess up(String first, String program, String... lines) throws IOException {
        Path script = Files.writeString(folder.resolve("a.py"), NOTIFY + program);
        List<String> unit = new ArrayList<>(List.of("[Unit]", "DefaultDependencies=no"));
        unit.addAll(List.of("[Service]", "Type=notify", "ExecStart=/usr/bin/python3 -u " + script));
        unit.addAll(List.of(lines));
        Files.write(folder.resolve("a.service"), unit);
        Files.writeString(folder.resolve("none.target"), "[Unit]\nDefaultDependencies=no\n");
        return CommandProcess.start(
                "up",
                "--runtime-dir",
                folder + "/run",
                "--slice",
                slice,
                "--units",
                folder.toString(),
                first);
    }

    private Invocation command(String... verb) {
        List<String> words = new ArrayList<>(List.of(verb));
        words.addAll(List.of("--runtime-dir", folder + "/run", "a.service"));
        return Invocation.of(words.toArray(String[]::new));
    }

    private static void end(CommandProcess up) throws Exception {
        up.signal("TERM");
        assertThat(up.exitCode()).isZero();
    }

    @Test
    void aWatchdogThatIsFedDoesNotExpireWhenTheManagerIsKilled() throws Exception {
        String program =
                """
                notify("READY=1")
                notify("STATUS=a reason to record it")
                while time.monotonic() < begin + 5:
                    notify("WATCHDOG=1")
                    time.sleep(0.05)
                open("%1$s/fed", "w").close()
                while not os.path.exists("%1$s/adopted"): # no message waits for the next manager
                    time.sleep(0.05)
                while True:
                    notify("WATCHDOG=1")
                    time.sleep(0.05)
                """
                        .formatted(folder);
        try (CommandProcess up = up("a.service", program, "WatchdogSec=4s")) {
            up.await("holdfast: ready");
            Await.until(() -> Files.exists(folder.resolve("fed")));
            KeeperTest.kill(up, 1);
            assertThat(command("status").out()).contains("active (running)");
            Path _ = Files.createFile(folder.resolve("adopted"));
            assertThat(command("stop").code()).isZero();
            assertThat(up.lines()).noneMatch(line -> line.contains("watchdog timeout"));
            end(up);
        }
    }

    @Test
    void aWatchdogThatTheFilesHaveGotSinceTheStartDoesNotWatch() throws Exception {
        String program =
                """
                signal.signal(signal.SIGUSR1, lambda *_: print("longer than the new timeout"))
                notify("READY=1")
                while True:
                    signal.pause()
                """;
        try (CommandProcess up = up("a.service", program)) {
            up.await("holdfast: ready");
            Path unit = folder.resolve("a.service");
            Files.writeString(unit, "WatchdogSec=1ms\n", StandardOpenOption.APPEND);
            KeeperTest.kill(up, 1);
            assertThat(command("kill", "--signal", "USR1").code()).isZero();
            up.await("a.service | longer than the new timeout");
            Invocation stop = command("stop");
            assertThat(stop.code()).as(() -> stop.err() + up.lines()).isZero();
            end(up);
            assertThat(up.lines()).noneMatch(line -> line.contains("watchdog timeout"));
        }
    }

    @Test
    void aStartKeepsItsExtendedTimeWhenTheManagerIsKilled() throws Exception {
        String program =
                """
                signal.signal(signal.SIGUSR1, lambda *_: notify("READY=1"))
                notify("EXTEND_TIMEOUT_USEC=3600000000")
                time.sleep(3)
                print("longer than its timeout")
                while True:
                    signal.pause()
                """;
        try (CommandProcess up = up("none.target", program, "TimeoutStartSec=2s")) {
            up.await("holdfast: ready");
            Thread start = Thread.startVirtualThread(() -> command("start"));
            up.await("a.service | longer than its timeout");
            KeeperTest.kill(up, 1);
            assertThat(command("status").out()).contains("activating (start)");
            assertThat(command("kill", "--signal", "USR1").code()).isZero();
            start.join();
            Await.until(() -> command("status").out().contains("active (running)"));
            end(up);
        }
    }
}
