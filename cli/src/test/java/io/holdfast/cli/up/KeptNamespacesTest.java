package io.holdfast.cli.up;

import static java.nio.file.attribute.PosixFilePermissions.asFileAttribute;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Units that share a temporary folder ({@code JoinsNamespaceOf=}), and a manager that is killed. It
 * has a /tmp of its own, so that no manager of another test removes what is left there on purpose.
 */
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter"})
class KeptNamespacesTest {
    /** Runs a command with a /tmp and a /var/tmp of its own, which have only what it names. */
    private static final String WITH_OWN_TMP =
            """
            mkdir "$0" && mount -t tmpfs none "$0"
            for path in $(printf '%s\\n' "$@" | tr ':=' '\\n\\n' | sed -En 's,^(/(var/)?tmp/[^/]+)/.*,\\1,p' | sort -u); do
                mkdir -p "$0$path" && mount --rbind "$path" "$0$path"
            done
            for shared in /tmp /var/tmp; do
                mkdir -p "$0$shared" && chmod 1777 "$0$shared" && mount --rbind "$0$shared" $shared
            done
            exec "$@"
            """;

    static final class InRun implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test)
                throws IOException {
            return Files.createTempDirectory(Path.of("/run"), "hfjoined");
        }
    }

    @TempDir(factory = InRun.class)
    private Path folder;

    private void service(String name, String... lines) throws IOException {
        Files.writeString(
                folder.resolve(name),
                "[Unit]\nDefaultDependencies=no\n" + String.join("\n", lines) + "\n");
    }

    private Invocation command(String verb, String... rest) {
        return Invocation.of(
                Stream.concat(Stream.of(verb, "--runtime-dir", folder + "/run"), Stream.of(rest))
                        .toArray(String[]::new));
    }

    /** Kills the manager, and lets another one of root start and end before the next one starts. */
    private void removeLeftoversWhileItIsDead(CommandProcess up) throws Exception {
        List<String> inItsMounts = List.of("nsenter", "--mount=/proc/" + up.pid() + "/ns/mnt");
        try (PidFd manager = KeeperTest.manager(up).orElseThrow()) {
            up.signal("STOP");
            boolean _ = manager.signal(Signal.KILL);
            Path left = Path.of("/proc", up.pid() + "", "root/tmp/holdfast-gate-" + "0".repeat(16));
            Files.createDirectory(left, asFileAttribute(fromString("rwx------")));
            try (CommandProcess other =
                    CommandProcess.start(
                            inItsMounts,
                            "up",
                            "--runtime-dir",
                            folder + "/other",
                            "--slice",
                            "hfother" + ProcessHandle.current().pid() + ".slice",
                            "--units",
                            folder.toString(),
                            "other.service")) {
                other.await("that a killed manager left");
                other.signal("TERM");
                assertThat(other.exitCode()).isZero();
            }
        } finally {
            up.signal("CONT");
        }
    }

    @Test
    void aUnitKeepsTheFolderOfTheUnitThatItHasJoined() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        String mark = "hf-" + ProcessHandle.current().pid();
        service(
                "maker.service",
                "[Service]\nPrivateTmp=yes\nExecStartPre=/bin/touch /tmp/" + mark,
                "ExecStart=/bin/sleep 1000");
        service(
                "a-joiner.service",
                "After=maker.service\nJoinsNamespaceOf=maker.service",
                "[Service]\nPrivateTmp=yes\nExecStart=/bin/sh -c 'while :; do sleep 1000; done'",
                "ExecReload=/bin/sh -c 'test -e /tmp/%s && test -e /proc/$MAINPID/root/tmp/%s'"
                        .formatted(mark, mark));
        service("other.service", "[Service]\nExecStart=/bin/sleep 1000");
        String slice = "hfjoined" + ProcessHandle.current().pid() + ".slice";
        try (CommandProcess up =
                CommandProcess.start(
                        List.of("unshare", "--mount", "sh", "-c", WITH_OWN_TMP, folder + "/own"),
                        "up",
                        "--runtime-dir",
                        folder + "/run",
                        "--slice",
                        slice,
                        "--units",
                        folder.toString(),
                        "maker.service",
                        "a-joiner.service",
                        "other.service")) {
            up.await("holdfast: ready");
            KeeperTest.kill(up, 1);
            assertThat(command("reload", "a-joiner.service").err()).isEmpty();
            assertThat(command("stop", "maker.service").err()).isEmpty();
            KeeperTest.kill(up, 2);
            assertThat(command("start", "maker.service").err()).isEmpty();
            assertThat(command("reload", "a-joiner.service").err()).isEmpty();
            assertThat(command("stop", "maker.service").err()).isEmpty();
            removeLeftoversWhileItIsDead(up);
            up.await("adopted", 3);
            assertThat(command("reload", "a-joiner.service").err())
                    .as(() -> String.join("\n", up.lines()))
                    .isEmpty();
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /** Kills the manager before each step in which it records the end of a unit. */
    @Test
    void aFolderIsLockedAsLongAsItExistsWheneverItsManagerIsKilled() throws Exception {
        String unit = "hfended" + ProcessHandle.current().pid();
        service(
                unit + ".service",
                "StartLimitIntervalSec=0",
                "[Service]\nPrivateTmp=yes\nExecStart=/bin/sleep 1000");
        service("other.service", "[Service]\nExecStart=/bin/sleep 1000");
        Path fault = folder.resolve("fault");
        List<String> options =
                List.of(
                        "-Dio.holdfast.manager.crashPause=1",
                        "-Dio.holdfast.manager.fault=" + fault);
        try (CommandProcess up =
                CommandProcess.start(
                        List.of("env", "JDK_JAVA_OPTIONS=" + String.join(" ", options)),
                        "up",
                        "--runtime-dir",
                        folder + "/run",
                        "--slice",
                        unit + ".slice",
                        "--units",
                        folder.toString(),
                        "other.service")) {
            up.await("holdfast: ready");
            for (int kills = 0; ; kills++) {
                assertThat(command("start", unit).err()).isEmpty();
                try (PidFd manager = KeeperTest.manager(up).orElseThrow()) {
                    up.signal("STOP");
                    Files.writeString(fault, Integer.toString(kills + 1));
                    Process stop = Program.start("stop", "--runtime-dir", folder + "/run", unit);
                    Await.until(() -> !manager.isAlive() || !stop.isAlive());
                    if (!stop.isAlive() && stop.exitValue() == 0) {
                        Files.writeString(fault, "0");
                        up.signal("CONT");
                        assertThat(kills).isGreaterThan(4);
                        break;
                    }
                    Await.until(() -> !manager.isAlive());
                    stop.destroy();
                    assertThat(unlocked(unit)).as("killed before step " + (kills + 1)).isEmpty();
                }
                up.signal("CONT");
                up.await("the manager before this one was killed", kills + 1);
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /** Returns the temporary folders of a unit that another manager would remove. */
    private static List<String> unlocked(String unit) {
        List<String> unlocked = new ArrayList<>();
        for (String base : List.of("/tmp", "/var/tmp")) {
            try (Fd above = Fcntl.open(base, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
                SysDirent.forEachDirectory(
                        above,
                        name -> {
                            if (name.contains(unit)) {
                                ScratchFolder.dead(above, Path.of(base, name))
                                        .ifPresent(dead -> {
                                            dead.close();
                                            unlocked.add(name);
                                        });
                            }
                            return true;
                        });
            }
        }
        return unlocked;
    }
}
