package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
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
 * has a /tmp of its own: otherwise a manager of another test, when it starts, removes the folder
 * while no manager holds its lock.
 */
@Timeout(180)
@Needs(root = true, cgroup2 = true, programs = "unshare")
class KeptNamespacesTest {
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
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
