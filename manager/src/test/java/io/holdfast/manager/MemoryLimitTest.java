package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services that the kernel kills because their memory cgroup is full. */
@Timeout(120)
@Needs(root = true)
class MemoryLimitTest {
    /**
     * The hierarchy of cgroup version 1: where version 2 has the memory controller, this test would
     * need another path.
     */
    private static final Path MEMORY = Path.of("/sys/fs/cgroup/memory");

    private static final String LIMIT = Integer.toString(16 << 20);

    @TempDir private Path folder;
    private Stage stage;
    private Path limited = MEMORY;

    @BeforeEach
    void open() throws Exception {
        assumeTrue(
                Files.isWritable(MEMORY.resolve("memory.limit_in_bytes")),
                "no memory controller of cgroup version 1");
        stage = Stage.in(folder);
        limited =
                Files.createDirectory(
                        MEMORY.resolve("hftest" + ProcessHandle.current().pid() + "memory"));
        Files.writeString(limited.resolve("memory.limit_in_bytes"), LIMIT);
    }

    @AfterEach
    void close() throws Exception {
        if (stage != null) {
            stage.close();
            Await.until(this::isRemoved); // after the kernel has released the killed processes
        }
    }

    private boolean isRemoved() {
        try {
            return Files.deleteIfExists(limited) || !Files.exists(limited);
        } catch (IOException e) {
            return false;
        }
    }

    /** Makes a script that joins the cgroup, and then takes memory until it is killed. */
    private String greedy() throws IOException {
        return stage.shell(
                "greedy", "echo $$ > " + limited.resolve("cgroup.procs") + "; exec tail /dev/zero");
    }

    @Test
    void aServiceThatIsKilledForItsMemoryHasFailedBySigkill() throws Exception {
        stage.service("innocent", "ExecStart=/bin/sleep 1000");
        stage.start("innocent");
        stage.service("a", "ExecStart=" + greedy());
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: WARNING its main process killed by SIGKILL");
        stage.happenings().await("a.service: ERROR failed: signal");
        assertThat(stage.state("a")).isEqualTo("failed/failed signal");
        assertThat(stage.state("innocent")).isEqualTo("active/running success");
    }

    @Test
    void itIsStartedAgainAndLeavesNothingBehind() throws Exception {
        stage.service("a", "Restart=on-failure\nRestartSec=10ms", "ExecStart=" + greedy());
        stage.start("a");
        stage.happenings().await("a.service: WARNING its main process killed by SIGKILL", 3);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
    }
}
