package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.request.TransientUnit;
import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Scopes: processes of others that the manager groups. */
@Timeout(120)
class ScopeTest {
    private static final String NAME = "x.scope";

    @TempDir private Path folder;
    private Stage stage;
    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        for (Process process : started) {
            int _ = process.destroyForcibly().waitFor();
        }
        stage.close();
        assertThat(stage.runtimeDirectory().resolve("transient")).doesNotExist();
    }

    private Process process(String... command) throws Exception {
        Process process = new ProcessBuilder(command).start();
        started.add(process);
        return process;
    }

    private Process sleeper() throws Exception {
        return process("/bin/sleep", "1000");
    }

    /** Starts a process that ignores SIGTERM, after it has reported that. */
    private Process stubborn() throws Exception {
        Process process = process("/bin/sh", "-c", "trap '' TERM; echo ready; exec sleep 1000");
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    private CompletableFuture<UnitJob> making(String lines, Process... processes) {
        return making(
                "[Unit]\nDefaultDependencies=no\n[Scope]\n" + lines + "\n",
                Stream.of(processes).map(PidFd::of).toList());
    }

    private CompletableFuture<UnitJob> making(String text, List<PidFd> held) {
        TransientUnit unit =
                new TransientUnit(
                        UnitName.of(NAME), text, new TransientResources(held, List.of(), Map.of()));
        CompletableFuture<UnitJob> job = new CompletableFuture<>();
        Manager manager = stage.manager();
        manager.loop().post(() -> manager.view().startTransient(List.of(unit), JobMode.FAIL, job));
        return job;
    }

    private void make(String lines, Process... processes) throws Exception {
        var _ = Stage.get(making(lines, processes));
        assertThat(stage.start(NAME)).isEqualTo(JobResult.DONE); // joins the job
        assertThat(stage.state(NAME)).isEqualTo("active/running success");
    }

    private Path cgroup() {
        return Path.of(
                Cgroup.mountPoint()
                        + stage.manager().slice().orElseThrow().path()
                        + "/system.slice/"
                        + NAME);
    }

    private Path file() {
        return stage.runtimeDirectory().resolve("transient").resolve(NAME);
    }

    private static boolean ends(Process process) throws InterruptedException {
        return process.waitFor(30, TimeUnit.SECONDS);
    }

    @Test
    void aScopeHoldsProcessesOfOthersUntilTheyHaveEnded() throws Exception {
        Process one = sleeper();
        Process other = sleeper();
        make("", one, other);
        if (stage.manager().slice().isPresent()) {
            assertThat(Files.readAllLines(cgroup().resolve("cgroup.procs")))
                    .containsExactlyInAnyOrder("" + one.pid(), "" + other.pid());
            assertThat(stage.status(NAME).processes()).hasSize(2);
        }
        assertThat(stage.status(NAME).invocationId()).hasSize(32);
        one.destroy();
        assertThat(ends(one)).isTrue();
        assertThat(stage.state(NAME)).isEqualTo("active/running success");
        other.destroy();
        stage.happenings().awaitRest(NAME);
        assertThat(stage.loaded()).isEmpty();
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void itsRunIsPublishedForTheReceiverOfLogMessages() throws Exception {
        make("", sleeper());
        Path link = stage.runtimeDirectory().resolve("units/invocation:" + NAME);
        assertThat(Files.readSymbolicLink(link)).hasToString(stage.status(NAME).invocationId());
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(Files.isSymbolicLink(link)).isFalse();
    }

    @Test
    void whatItConsistsOfIsAFileForAsLongAsItIsLoaded() throws Exception {
        Process process = sleeper();
        make("KillMode=mixed", process);
        assertThat(stage.status(NAME).fragment()).contains(file());
        assertThat(file()).content().contains("KillMode=mixed");
        assertThat(Stage.get(stage.reloading())).isEqualTo(1);
        assertThat(stage.state(NAME)).isEqualTo("active/running success");
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        make("", sleeper()); // waits until the previous file is gone
        assertThat(file()).content().doesNotContain("KillMode");
    }

    @Test
    void aStopEndsItsProcessesAndTheirChildren() throws Exception {
        Process process = sleeper();
        make("", process);
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(ends(process)).isTrue();
        if (stage.manager().slice().isPresent()) {
            assertThat(cgroup()).doesNotExist();
        }
    }

    @Test
    void whoDoesNotStopInTimeIsKilledAndTheScopeFails() throws Exception {
        Process process = stubborn();
        make("TimeoutStopSec=50ms", process);
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(ends(process)).isTrue();
        assertThat(stage.state(NAME)).isEqualTo("failed/failed timeout");
        assertThat(stage.start(NAME)).isEqualTo(JobResult.ONCE);
        assertThatThrownBy(() -> Stage.get(making("", sleeper())))
                .hasMessageContaining("Unit x.scope was already loaded or has a fragment file.");
        var _ = Stage.get(stage.manager().resetFailed(List.of(UnitName.of(NAME))));
        assertThat(stage.loaded()).isEmpty();
    }

    @Test
    void withoutSigkillTheProcessesAreLeftOver() throws Exception {
        Process process = stubborn();
        make("TimeoutStopSec=50ms\nSendSIGKILL=no", process);
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(process.isAlive()).isTrue();
        assertThat(stage.state(NAME)).isEqualTo("failed/failed timeout");
    }

    @Test
    void aKillModeThatReachesNobodyLeavesTheProcessesAlone() throws Exception {
        for (String mode : List.of("none", "process")) {
            Process process = sleeper();
            make("KillMode=" + mode, process);
            assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
            assertThat(stage.loaded()).isEmpty();
            assertThat(process.isAlive()).isTrue();
            process.destroy();
            assertThat(ends(process)).isTrue();
        }
    }

    @Test
    void mixedMeansThatAllAreKilledAtOnceSinceThereIsNoMainProcess() throws Exception {
        Process process = stubborn();
        make("KillMode=mixed", process);
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(ends(process)).isTrue(); // it ignores SIGTERM; the manager may have its status
        assertThat(stage.loaded()).isEmpty();
    }

    @Test
    void aScopeThatRunsTooLongIsStoppedAndFails() throws Exception {
        Process process = sleeper();
        var _ = Stage.get(making("RuntimeMaxSec=50ms\nRuntimeRandomizedExtraSec=1ms", process));
        stage.happenings().awaitRest(NAME);
        assertThat(ends(process)).isTrue();
        assertThat(stage.state(NAME)).isEqualTo("failed/failed timeout");
    }

    @Test
    void anAbandonedScopeRunsOnAndCanBeStopped() throws Exception {
        Process process = sleeper();
        make("RuntimeMaxSec=1h", process);
        assertThat(released()).isTrue();
        assertThat(stage.state(NAME)).isEqualTo("active/abandoned success");
        assertThat(released()).isTrue();
        assertThat(stage.stop(NAME)).isEqualTo(JobResult.DONE);
        assertThat(ends(process)).isTrue();
        assertThat(released()).isFalse();
    }

    private boolean released() throws Exception {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        answer.complete(stage.manager().view().releaseScope(UnitName.of(NAME))));
        return Stage.get(answer);
    }

    @Test
    void aScopeOfProcessesThatHaveEndedDoesNotStay() throws Exception {
        Process process = sleeper();
        PidFd held = PidFd.of(process);
        process.destroyForcibly();
        assertThat(ends(process)).isTrue();
        var _ = Stage.get(making("[Unit]\nDefaultDependencies=no\n", List.of(held)));
        stage.happenings().awaitRest(NAME);
        assertThat(stage.status(NAME).activeState().isUp()).isFalse();
    }

    @Test
    void aFileDoesNotMakeAScope() throws Exception {
        stage.unit(NAME, "[Scope]\nTimeoutStopSec=3\n");
        assertThat(stage.start(NAME)).isEqualTo(JobResult.INVALID);
        assertThat(stage.status(NAME).loadState()).isEqualTo("not-found");
        make("", sleeper()); // does not interfere either
        assertThat(stage.status(NAME).fragment()).contains(file());
    }

    @Test
    void aScopeThatIsNotStartedLeavesNothing() throws Exception {
        stage.service("gone", "ExecStart=/bin/sleep 1000");
        Process process = sleeper();
        assertThatThrownBy(() -> Stage.get(making("[Unit]\nRequires=nosuch.service", process)))
                .hasMessageContaining("nosuch.service");
        assertThat(stage.loaded()).isEmpty();
        assertThat(process.isAlive()).isTrue();
        make("", process);
    }
}
