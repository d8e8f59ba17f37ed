package io.holdfast.cli.up;

import static java.nio.file.attribute.PosixFilePermissions.asFileAttribute;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
@Timeout(180)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter"})
class KeptNamespacesTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");

    /** Runs a command with a /tmp and a /var/tmp whose changes it sees alone. */
    private static final String WITH_OWN_TMP =
            """
            mkdir "$0" && mount -t tmpfs none "$0"
            for shared in /tmp /var/tmp; do
                mkdir -p "$0$shared" "$0/work$shared"
                mount -t overlay -o "lowerdir=$shared,upperdir=$0$shared,workdir=$0/work$shared" none $shared
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
            if (LONG) { // failed once in some 30 runs; why is not known
                assertThat(command("stop", "maker.service").err()).isEmpty();
                removeLeftoversWhileItIsDead(up);
                up.await("adopted", 3);
                assertThat(command("reload", "a-joiner.service").err())
                        .as(() -> String.join("\n", up.lines()))
                        .isEmpty();
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
