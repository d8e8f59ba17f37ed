package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the errors of the authority and of its clients if there is no bus, no socket or no
 * authority.
 */
@Timeout(60)
class AuthorityCommandTest {
    @TempDir private Path folder;

    private static void refused(int code, Invocation run, String why) {
        assertThat(run.err()).startsWith("holdfast: ").contains(why).hasLineCount(1);
        assertThat(run.err()).doesNotContain("Exception", "fault");
        assertThat(run.code()).isEqualTo(code);
    }

    @Test
    void aBusThatIsNotThereIsNamed() {
        String none = "unix:path=" + folder.resolve("bus");

        refused(
                ExitCode.FAILURE,
                Invocation.of("authority", "--bus", none, "--rules", "/no", "--actions", "/no"),
                none + ": connect");
        refused(
                CheckCommand.NO_ANSWER,
                Invocation.of("check", "--bus", none, "org.example.a"),
                none + ": connect");
    }

    @Test
    void itDoesNotServeNobody() {
        refused(
                ExitCode.USAGE,
                Invocation.of("authority", "--bus", "none", "--rules", "/no", "--actions", "/no"),
                "nothing to serve");
    }

    @Test
    void anAddressThatIsNoneIsNotUnderstood() {
        refused(
                ExitCode.USAGE,
                Invocation.of("check", "--authority", "nonsense", "org.example.a"),
                "\"nonsense\"");
    }

    @Test
    void aSocketThatIsNotThereIsNamed() {
        Path none = folder.resolve("socket");

        refused(
                CheckCommand.NO_ANSWER,
                Invocation.of("check", "--authority", "unix:" + none, "org.example.a"),
                "connect " + none + ": ENOENT");
    }
}
