package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LeftoversCommandTest {
    @TempDir private Path temp;

    /** The user may not create a cgroup, so the run has a scope. */
    @Test
    @Needs(cgroup2 = true, root = true)
    void theProcessesOfAKilledRunAreFoundAndEnded() throws Exception {
        String command = "echo pid $$; exec sleep 1000";
        try (CommandProcess run = asNobody("one", "run", "--", "sh", "-c", command)) {
            int pid = Integer.parseInt(run.await("pid ").substring(4));
            try (PidFd left = PidFd.open(pid)) {
                run.signal("KILL");
                try (CommandProcess end = asNobody("other", "leftovers", "--end")) {
                    assertThat(end.exitCode()).isZero();
                    assertThat(end.lines())
                            .anyMatch(line -> line.endsWith(": 1 process without a cgroup"));
                    left.await();
                } finally {
                    boolean _ = left.signal(Signal.KILL);
                }
            }
        }
    }

    private CommandProcess asNobody(String home, String... arguments) throws Exception {
        Files.setAttribute(temp, "unix:mode", 01777);
        Path folder = Files.createDirectory(temp.resolve(home));
        Files.setAttribute(folder, "unix:mode", 01777);
        return CommandProcess.startAsNobody(folder, List.of(), arguments);
    }
}
