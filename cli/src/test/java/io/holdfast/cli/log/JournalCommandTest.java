package io.holdfast.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the receiver as a process, with clients of others. */
@Timeout(120)
class JournalCommandTest {
    @TempDir private Path folder;

    private CommandProcess start() throws Exception {
        CommandProcess journal =
                CommandProcess.start(
                        "journal",
                        "--sockets",
                        folder.resolve("run").toString(),
                        "--directory",
                        folder.resolve("log").toString());
        journal.await("receiving in ");
        return journal;
    }

    private String logs(String... options) {
        String[] line = new String[options.length + 3];
        line[0] = "logs";
        line[1] = "-D";
        line[2] = folder.resolve("log").toString();
        System.arraycopy(options, 0, line, 3, options.length);
        return Invocation.of(line).out();
    }

    @Test
    @Needs(programs = "logger")
    void storesWhatLoggerSends() throws Exception {
        try (CommandProcess journal = start()) {
            String socket = folder.resolve("run/dev-log").toString();
            assertThat(
                            Run.of("logger", "-u", socket, "-t", "me", "-p", "user.err", "older")
                                    .run()
                                    .exit()
                                    .isSuccess())
                    .isTrue();
            assertThat(
                            Run.of("logger", "--rfc5424", "-u", socket, "-t", "me", "newer")
                                    .run()
                                    .exit()
                                    .isSuccess())
                    .isTrue();
            Await.until(() -> logs("-o", "cat").equals("older\nnewer\n"));
            assertThat(logs("-p", "err")).contains(" me[").contains("]: older");
            journal.signal("TERM");
            assertThat(journal.exitCode()).isZero();
        }
        assertThat(logs("-o", "cat")).isEqualTo("older\nnewer\n");
    }

    @Test
    void goesOnAfterItWasKilled() throws Exception {
        String socket = folder.resolve("run/dev-log").toString();
        try (CommandProcess journal = start()) {
            assertThat(Run.of("logger", "-u", socket, "one").run().exit().isSuccess()).isTrue();
            Await.until(() -> logs("-o", "cat").equals("one\n"));
            journal.signal("KILL");
            int _ = journal.exitCode();
        }
        try (CommandProcess journal = start()) {
            assertThat(Run.of("logger", "-u", socket, "two").run().exit().isSuccess()).isTrue();
            Await.until(() -> logs("-o", "cat").equals("one\ntwo\n"));
            journal.signal("TERM");
            assertThat(journal.exitCode()).isZero();
        }
    }
}
