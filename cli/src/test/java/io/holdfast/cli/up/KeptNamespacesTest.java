package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.testkit.Alone;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Units that share a temporary folder ({@code JoinsNamespaceOf=}), and a manager that is killed.
 */
@Alone("another manager that starts removes the folder while no manager holds its lock")
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class KeptNamespacesTest {
    @TempDir private Path folder;

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
