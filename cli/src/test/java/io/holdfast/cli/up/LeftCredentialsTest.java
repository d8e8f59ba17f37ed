package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests credentials of a service whose manager and keeper were both killed. */
@Timeout(180)
@Needs(root = true, cgroup2 = true, programs = "setpriv")
class LeftCredentialsTest {
    private static final String PLAIN = "[Unit]\nDefaultDependencies=no\n[Service]\n";

    private final String name = "hf-left" + ProcessHandle.current().pid();
    private final Path credentials = Path.of("/run/credentials", name + ".service");

    @TempDir private Path folder;

    private CommandProcess up(String slice, String unit) throws IOException {
        return CommandProcess.start(
                "up",
                "--runtime-dir",
                folder + "/" + slice,
                "--slice",
                name + slice + ".slice",
                "--units",
                folder.toString(),
                unit);
    }

    @Test
    void nobodyElseReadsThemAndTheNextRunRemovesThem() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path file = credentials.resolve("a");
        Files.writeString(
                folder.resolve(name + ".service"),
                PLAIN + "User=nobody\nSetCredential=a:hidden\nExecStart=/bin/sleep 1000\n");
        Files.writeString(
                folder.resolve("other.service"),
                PLAIN
                        + "Type=oneshot\nPrivateTmp=yes\nExecStart=/bin/sh -c 'cat %s; echo done'\n"
                                .formatted(file));
        try (CommandProcess up = up("one", name + ".service")) {
            up.await("holdfast: ready");
            try (PidFd manager = KeeperTest.manager(up).orElseThrow()) {
                assertThat(manager.signal(Signal.STOP)).isTrue();
                up.signal("KILL");
                assertThat(manager.signal(Signal.KILL)).isTrue();
                assertThat(up.exitCode()).isNotZero();
            }
        }
        assertThat(file).hasContent("hidden");
        assertThat(Files.getPosixFilePermissions(credentials)).isEqualTo(fromString("r-x------"));
        assertThat(readAsOther(file)).contains("Permission denied").doesNotContain("hidden");
        try (CommandProcess up = up("two", "other.service")) { // of root, with a sandbox
            up.await("done");
            assertThat(up.lines()).noneMatch(line -> line.contains("hidden"));
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        endProcesses();
        try (CommandProcess up = up("one", name + ".service")) {
            up.await("holdfast: ready");
            assertThat(file).hasContent("hidden");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        assertThat(credentials).doesNotExist();
    }

    private static String readAsOther(Path file) throws Exception {
        Process process =
                new ProcessBuilder(
                                "setpriv",
                                "--reuid=games",
                                "--regid=games",
                                "--clear-groups",
                                "cat",
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).isNotZero();
        return output;
    }

    private void endProcesses() {
        try (Cgroup own = Cgroup.own();
                Cgroup slice = own.child(name + "one.slice")) {
            slice.kill();
            Await.until(() -> !slice.isPopulated());
        }
    }
}
