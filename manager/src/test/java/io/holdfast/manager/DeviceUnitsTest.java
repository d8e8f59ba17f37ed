package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitEscape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices, and what needs them. */
@Timeout(120)
class DeviceUnitsTest {
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
    void aDeviceThatIsThereIsPlugged() throws Exception {
        stage.serviceWith(
                "user",
                "BindsTo=dev-null.device\nAfter=dev-null.device",
                "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("user.service")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("dev-null.device")).startsWith("active/plugged");
        assertThat(stage.state("user.service")).isEqualTo("active/running success");
    }

    @Test
    void aDeviceThatIsNotThereIsAwaitedForItsTimeoutOnly() throws Exception {
        stage.unit("dev-nothing.device", "[Unit]\nJobRunningTimeoutSec=300ms\n");
        stage.serviceWith(
                "user",
                "Requires=dev-nothing.device\nAfter=dev-nothing.device",
                "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("user.service")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.state("dev-nothing.device")).startsWith("inactive/dead");
    }

    @Test
    @Needs(root = true)
    void aStartWaitsUntilTheDeviceIsThere() throws Exception {
        Path node = Files.createTempDirectory(Path.of("/dev"), "holdfast").resolve("node");
        String device = UnitEscape.escapePath(node.toString()) + ".device";
        try {
            CompletableFuture<JobResult> start = stage.starting(device);
            stage.serviceWith("other", "", "Type=oneshot", "ExecStart=/bin/true");
            assertThat(stage.start("other.service")).isEqualTo(JobResult.DONE);
            assertThat(start).isNotDone();
            Files.createSymbolicLink(node, Path.of("/dev/null"));
            assertThat(start.get()).isEqualTo(JobResult.DONE);
        } finally {
            Files.deleteIfExists(node);
            Files.delete(node.getParent());
        }
    }
}
