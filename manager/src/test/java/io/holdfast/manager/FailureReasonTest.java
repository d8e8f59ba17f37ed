package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.job.JobResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The status of a unit says why it failed or was not started. */
@Timeout(120)
class FailureReasonTest {
    private static final String SLEEP = "ExecStart=/bin/sleep 1000";

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    @Test
    void aFailedDependencyIsNamedWithItsReason() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStartPre=/bin/false", "ExecStart=/bin/true");
        stage.serviceWith("b", "Requires=a.service\nAfter=a.service", SLEEP);

        assertThat(stage.start("b")).isEqualTo(JobResult.DEPENDENCY);

        assertThat(stage.status("a").failure()).contains("/bin/false exited with status 1/FAILURE");
        assertThat(stage.status("b").failure())
                .as("also when the unit is unloaded")
                .contains("dependency failed: a.service (/bin/false exited with status 1/FAILURE)");
    }

    @Test
    void conditionsAndAssertionsThatDoNotHoldAreNamed() throws Exception {
        stage.serviceWith("a", "ConditionPathExists=/nowhere", SLEEP);
        stage.unit("b.target", "[Unit]\nAssertPathExists=/nowhere\n");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("b.target")).isEqualTo(JobResult.ASSERT);

        assertThat(stage.status("a").failure().orElseThrow())
                .contains("condition", "PathExists=/nowhere");
        assertThat(stage.status("b.target").failure().orElseThrow())
                .contains("assertion", "PathExists=/nowhere");
    }

    @Test
    void aBusyAddressIsNamedWithTheSocketThatHasIt() throws Exception {
        stage.service("a", SLEEP);
        stage.service("b", SLEEP);
        stage.unit("a.socket", "[Socket]\nListenStream=@" + folder + "\n");
        stage.unit("b.socket", "[Socket]\nListenStream=@" + folder + "\n");
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);

        assertThat(stage.start("b.socket")).isEqualTo(JobResult.FAILED);

        assertThat(stage.status("b.socket").failure().orElseThrow())
                .contains("@" + folder, "EADDRINUSE", "a.socket listens there");
    }

    @Test
    void aJobThatHasRunOutOfTimeIsTheReason() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStart=/bin/sh -c 'echo runs; exec sleep 1000'");
        stage.serviceWith("b", "After=a.service\nJobTimeoutSec=50ms", SLEEP);
        CompletableFuture<JobResult> first = stage.starting("a");
        String _ = stage.happenings().awaitOutput("a.service", "runs");

        assertThat(stage.start("b")).isEqualTo(JobResult.TIMEOUT);
        assertThat(stage.status("b").failure().orElseThrow()).contains("start job timed out");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(first.get()).isEqualTo(JobResult.CANCELED);
    }

    @Test
    void theNextStartForgetsTheReason() throws Exception {
        Path flag = folder.resolve("flag");
        stage.serviceWith("a", "ConditionPathExists=" + flag, SLEEP);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").failure()).isPresent();

        Files.createFile(flag);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);

        assertThat(stage.status("a").failure()).isEmpty();
    }
}
