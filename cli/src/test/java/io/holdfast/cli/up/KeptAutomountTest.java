package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.section.MountUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests automounts whose manager is killed. The paths are below no mount of a distribution. */
@Timeout(180)
@Needs(root = true, cgroup2 = true, programs = "setsid", files = "/dev/autofs")
class KeptAutomountTest {
    @TempDir private Path folder;
    private final List<Process> walkers = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (Process walker : walkers) {
            assertThat(walker.destroyForcibly().waitFor()).isBetween(0, 255);
        }
    }

    private Process walk(Path where) throws IOException {
        Process walker =
                new ProcessBuilder("setsid", "stat", "-f", "-c", "%T", where + "/.")
                        .redirectErrorStream(true)
                        .start();
        walkers.add(walker);
        return walker;
    }

    private static String output(Process process) throws Exception {
        int _ = process.waitFor(); // unlike the read, it is interrupted by a time-out
        return new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    }

    private CommandProcess up(String unit) throws IOException {
        return CommandProcess.start(
                "up",
                "--runtime-dir",
                folder + "/run",
                "--slice",
                "hfautomount" + ProcessHandle.current().pid() + ".slice",
                "--units",
                folder.toString(),
                unit);
    }

    @Test
    void anAccessWhileTheManagerIsKilledIsAnsweredByTheNext() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path base = Files.createTempDirectory(Path.of("/var/tmp"), "holdfast").toRealPath();
        Path where = base.resolve("data");
        Path gate = folder.resolve("gate");
        String mount = MountUnit.nameOf(where.toString());
        String automount = mount.replace(".mount", ".automount");
        Files.writeString(
                folder.resolve("hf-slow.service"),
                """
                [Unit]
                DefaultDependencies=no
                [Service]
                Type=oneshot
                ExecStart=/bin/sh -c 'echo >%s; while [ -e %s ]; do sleep 0.05; done'
                """
                        .formatted(gate, gate));
        Files.writeString(
                folder.resolve(mount),
                """
                [Unit]
                DefaultDependencies=no
                Requires=hf-slow.service
                After=hf-slow.service
                [Mount]
                What=none
                Type=tmpfs
                Where=%s
                """
                        .formatted(where));
        Files.writeString(
                folder.resolve(automount),
                "[Unit]\nDefaultDependencies=no\n[Automount]\nWhere=" + where + "\n");
        try (CommandProcess up = up(automount)) {
            up.await("holdfast: ready");
            Process waiting = walk(where);
            Await.until(() -> Files.exists(gate));
            KeeperTest.kill(up, 1);
            assertThat(waiting.isAlive()).isTrue();
            Files.delete(gate);
            assertThat(output(waiting)).isEqualTo("tmpfs");
            KeeperTest.kill(up, 2);
            assertThat(output(walk(where))).isEqualTo("tmpfs");
            Await.until(() -> isMounted(mount)); // else its start goes on, and mounts it again
            assertThat(SysMount.detach(where.toString())).isZero();
            Process again = walk(where);
            Await.until(() -> Files.exists(gate));
            Files.delete(gate);
            assertThat(output(again)).isEqualTo("tmpfs");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            Await.until(() -> MountTable.read().at(where.toString()).isEmpty());
            assertThat(output(walk(where))).as("nothing is mounted").isNotEqualTo("autofs");
        } finally {
            while (SysMount.detach(where.toString()) == 0) {
                // of a test that has failed
            }
            Files.deleteIfExists(where);
            Files.delete(base);
        }
    }

    @Test
    void aPointThatAKilledManagerAndItsKeeperHaveLeftIsReplaced() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path base = Files.createTempDirectory(Path.of("/var/tmp"), "holdfast").toRealPath();
        String where = base + "/data";
        String mount = MountUnit.nameOf(where);
        String automount = mount.replace(".mount", ".automount");
        String plain = "[Unit]\nDefaultDependencies=no\n";
        Files.writeString(
                folder.resolve(mount), plain + "[Mount]\nWhat=none\nType=tmpfs\nWhere=" + where);
        Files.writeString(folder.resolve(automount), plain + "[Automount]\nWhere=" + where);
        try {
            try (CommandProcess up = up(automount)) {
                up.await("holdfast: ready");
                try (PidFd manager = KeeperTest.manager(up).orElseThrow()) {
                    assertThat(manager.signal(Signal.STOP)).isTrue();
                    up.signal("KILL");
                    assertThat(manager.signal(Signal.KILL)).isTrue();
                    assertThat(up.exitCode()).isNotZero();
                }
            }
            assertThat(MountTable.automounts(where)).hasSize(1);
            try (CommandProcess up = up(automount)) {
                up.await("holdfast: ready");
                assertThat(MountTable.automounts(where)).hasSize(1);
                assertThat(output(walk(Path.of(where)))).isEqualTo("tmpfs");
                up.signal("TERM");
                assertThat(up.exitCode()).isZero();
            }
            assertThat(MountTable.automounts(where)).isEmpty();
        } finally {
            while (SysMount.detach(where) == 0) {
                // of a test that has failed
            }
            Files.deleteIfExists(Path.of(where));
            Files.delete(base);
        }
    }

    private boolean isMounted(String mount) {
        return Invocation.of("status", "--runtime-dir", folder + "/run", mount)
                .out()
                .contains("Active: active (mounted)");
    }
}
