package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Needs(cgroup2 = true, root = true)
class TopCommandTest {
    @Test
    void withoutATerminalOneTableIsPrinted() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup below = scratch.cgroup().create("below");
                CommandProcess top =
                        CommandProcess.start(
                                List.of(), "top", "--by", "path", scratch.cgroup().path().path())) {
            assertThat(top.exitCode()).isZero();
            assertThat(top.lines())
                    .hasSize(3)
                    .first()
                    .asString()
                    .contains("TASKS", "CPU%", "MEMORY", "CGROUP");
            assertThat(top.lines().get(1)).endsWith("  " + scratch.cgroup().path().path());
            assertThat(top.lines().get(2)).endsWith("  " + below.path().path());
        }
    }
}
