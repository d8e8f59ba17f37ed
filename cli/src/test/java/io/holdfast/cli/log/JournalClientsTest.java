package io.holdfast.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Unmodified clients of journald write to a running receiver and read what it stores. Those whose
 * sockets have fixed paths run in a mount namespace where they are the receiver's.
 */
@Timeout(180)
@Needs(
        root = true,
        programs = {"unshare", "mount", "logger", "systemd-cat", "journalctl"})
class JournalClientsTest {
    private static final String AS_THE_MACHINES =
            "mount -t tmpfs none /run && mkdir -p /run/systemd/journal &&"
                    + " mount --bind \"$0\" /run/systemd/journal && exec \"$@\"";

    @TempDir private Path folder;
    private CommandProcess journal;

    @BeforeEach
    void start() throws Exception {
        journal =
                CommandProcess.start(
                        "journal",
                        "--sockets",
                        folder.resolve("run").toString(),
                        "--directory",
                        folder.resolve("log").toString());
        journal.await("receiving in ");
    }

    @AfterEach
    void stop() throws Exception {
        journal.close();
    }

    /** Runs a client whose sockets are the receiver's, and expects that it succeeds. */
    private void run(String... client) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                AS_THE_MACHINES,
                                folder.resolve("run").toString()));
        command.addAll(List.of(client));
        RunResult result = Run.of(command).mergeError().run();
        assertThat(result.exit().isSuccess()).as(result.output()).isTrue();
    }

    private String journalctl(String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("journalctl", "--no-pager", "-q", "-D"));
        command.add(folder.resolve("log").toString());
        command.addAll(List.of(options));
        return Run.of(command).run().output();
    }

    private void await(int count, String... options) {
        Await.until(() -> {
            try {
                return journalctl(options).lines().count() >= count;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void loggerInAllItsForms() throws Exception {
        String socket = folder.resolve("run/dev-log").toString();
        run("logger", "-u", socket, "-t", "older", "-i", "-p", "mail.warning", "text");
        run("logger", "-u", socket, "-t", "rfc3164", "--rfc3164", "text");
        run("logger", "-u", socket, "-t", "rfc5424", "--rfc5424", "--msgid", "id", "text");
        run("sh", "-c", "seq 3 | logger -t lines -u " + socket);
        run(
                "sh",
                "-c",
                "printf 'MESSAGE=native\\nPRIORITY=3\\nSYSLOG_IDENTIFIER=fields\\nOWN=1\\n'"
                        + " | logger --journald");
        await(7, "-o", "cat");
        assertThat(journalctl("-o", "cat", "-t", "lines")).isEqualTo("1\n2\n3\n");
        assertThat(journalctl("-o", "cat", "-t", "older", "SYSLOG_FACILITY=2", "-p", "warning"))
                .isEqualTo("text\n");
        assertThat(journalctl("-o", "cat", "-t", "rfc5424")).isEqualTo("text\n");
        assertThat(journalctl("-o", "cat", "-g", "rfc3164"))
                .as("with a host, which messages to journald do not have")
                .endsWith(" rfc3164: text\n");
        assertThat(journalctl("-o", "cat", "OWN=1", "-p", "err")).isEqualTo("native\n");
    }

    @Test
    void systemdCat() throws Exception {
        run("systemd-cat", "-t", "cat", "-p", "notice", "sh", "-c", "echo out; echo '<3>err' >&2");
        run("sh", "-c", "printf 'one\\ntwo\\n' | systemd-cat -t pipe");
        await(4, "-o", "cat");
        assertThat(journalctl("-o", "cat", "-t", "cat")).isEqualTo("out\nerr\n");
        assertThat(journalctl("-o", "cat", "-t", "cat", "-p", "err")).isEqualTo("err\n");
        assertThat(journalctl("-o", "cat", "-t", "pipe", "_TRANSPORT=stdout"))
                .isEqualTo("one\ntwo\n");
    }

    @Test
    void journalctlInItsOutputModesWhileTheReceiverRuns() throws Exception {
        String socket = folder.resolve("run/dev-log").toString();
        run("logger", "-u", socket, "-t", "me", "-i", "-p", "user.err", "hello");
        await(1, "-o", "cat");
        assertThat(journalctl("-o", "short")).matches("(?s).* me\\[[0-9]+]: hello\n");
        for (String mode :
                List.of(
                        "short-full",
                        "short-iso",
                        "short-iso-precise",
                        "short-precise",
                        "short-monotonic",
                        "short-unix",
                        "with-unit")) {
            assertThat(journalctl("-o", mode)).as(mode).endsWith(": hello\n");
        }
        assertThat(journalctl("-o", "verbose")).contains("_TRANSPORT=syslog", "_UID=0");
        assertThat(journalctl("-o", "json")).contains("\"MESSAGE\":\"hello\"");
        assertThat(journalctl("-o", "json-pretty")).contains("\"SYSLOG_IDENTIFIER\" : \"me\"");
        assertThat(journalctl("-o", "json-seq", "-n", "1")).startsWith("\u001e{");
        assertThat(journalctl("-o", "json-sse", "-n", "1")).startsWith("data: {");
        assertThat(journalctl("-o", "export")).contains("\nMESSAGE=hello\n");
        assertThat(journalctl("-F", "SYSLOG_IDENTIFIER")).isEqualTo("me\n");
        assertThat(journalctl("--list-boots")).isNotEmpty();
        assertThat(Invocation.of("logs", "-D", folder.resolve("log").toString(), "-o", "cat").out())
                .isEqualTo("hello\n");
    }

    @Test
    void journalctlSyncsAndRotates() throws Exception {
        String socket = folder.resolve("run/dev-log").toString();
        run("sh", "-c", "seq 5000 | logger -t many -u " + socket + " && journalctl --sync");
        assertThat(journalctl("-o", "cat", "-t", "many").lines()).hasSize(5000);
        run("journalctl", "--rotate");
        run("sh", "-c", "logger -t last -u " + socket + " end && journalctl --sync");
        try (DirectoryStream<Path> archived =
                Files.newDirectoryStream(folder.resolve("log"), "system@*.journal")) {
            assertThat(archived).hasSize(1);
        }
        assertThat(journalctl("-o", "cat", "-n", "2")).isEqualTo("5000\nend\n");
        assertThat(journalctl("--verify")).isEmpty();
    }

    @Test
    void journalctlFollowsTheReceiver() throws Exception {
        String socket = folder.resolve("run/dev-log").toString();
        run("logger", "-u", socket, "-t", "me", "before");
        await(1, "-o", "cat");
        Path seen = folder.resolve("seen");
        Process follower =
                new ProcessBuilder(
                                "journalctl",
                                "-D",
                                folder.resolve("log").toString(),
                                "-q",
                                "-f",
                                "-o",
                                "cat")
                        .redirectOutput(seen.toFile())
                        .start();
        try {
            Await.until(() -> read(seen).equals("before\n"));
            run("logger", "-u", socket, "-t", "me", "after");
            Await.until(() -> read(seen).equals("before\nafter\n"));
        } finally {
            Process _ = follower.destroyForcibly();
            int _ = follower.waitFor();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
