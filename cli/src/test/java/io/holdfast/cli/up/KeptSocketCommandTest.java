package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests sockets whose manager is killed while one of their commands runs. */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class KeptSocketCommandTest {
    @TempDir private Path folder;

    private Invocation command(String verb, String unit) {
        return Invocation.of(verb, "--runtime-dir", folder + "/run", unit);
    }

    private List<String> notes() {
        try {
            Path notes = folder.resolve("notes");
            return Files.exists(notes) ? Files.readAllLines(notes) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theNextManagerAwaitsTheCommandAndRunsTheRest() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path gate = folder.resolve("gate");
        Path script = folder.resolve("script.sh");
        Files.writeString(
                script,
                "echo begun >>%1$s/notes\nuntil [ -e %1$s/gate ]; do sleep 0.02; done\necho end >>%1$s/notes\n"
                        .formatted(folder));
        Files.writeString(
                folder.resolve("a.socket"),
                """
                [Unit]
                DefaultDependencies=no
                [Socket]
                ListenStream=%1$s/a.sock
                ExecStartPre=/bin/sh %2$s
                ExecStartPre=/bin/sh -c 'echo second >>%1$s/notes'
                """
                        .formatted(folder, script));
        Files.writeString(
                folder.resolve("a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n");
        Files.writeString(
                folder.resolve("b.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
        String slice = "hfsock" + ProcessHandle.current().pid() + ".slice";
        try (CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--runtime-dir",
                        folder + "/run",
                        "--slice",
                        slice,
                        "--units",
                        folder.toString(),
                        "b.service")) {
            up.await("holdfast: ready");
            CompletableFuture<Invocation> start =
                    CompletableFuture.supplyAsync(() -> command("start", "a.socket"));
            Await.until(() -> notes().contains("begun"));
            KeeperTest.kill(up, 1);
            Files.createFile(gate);
            Await.until(() ->
                    command("status", "a.socket").out().contains("Active: active (listening)"));
            assertThat(notes()).containsExactly("begun", "end", "second");
            assertThat(start)
                    .as("its client has ended, too")
                    .succeedsWithin(Duration.ofSeconds(60));
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
