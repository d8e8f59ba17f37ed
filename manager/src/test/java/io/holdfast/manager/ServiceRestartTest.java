package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitStatus;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services that are restarted automatically, and what ends the restarts. */
@Timeout(120)
class ServiceRestartTest {
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
    void aKilledServiceIsRestartedAsAnotherProcess() throws Exception {
        stage.service("a", "Restart=on-failure", "RestartSec=0", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        try (PidFd first = stage.hold("a")) {
            first.signal(Signal.KILL);
            stage.happenings().await("a.service: INFO started", 2);
            try (PidFd second = stage.hold("a")) {
                assertThat(second.id()).isNotEqualTo(first.id());
                assertThat(second.isAlive()).isTrue();
            }
        }
        UnitStatus status = stage.status("a");
        assertThat(status.restarts()).isEqualTo(1);
        assertThat(stage.state("a")).isEqualTo("active/running success");

        stage.stop("a");
        stage.start("a");
        assertThat(stage.status("a").restarts()).as("counted from a start by hand").isZero();
    }

    @Test
    void aServiceThatFailsAgainAndAgainHitsTheLimit() throws Exception {
        stage.serviceWith(
                "a",
                "StartLimitBurst=3",
                "Restart=always",
                "RestartSec=10ms",
                "ExecStart=/bin/sh -c 'echo run; exit 1'");
        stage.start("a");
        stage.happenings().await("a.service: ERROR start limit hit");
        stage.happenings().awaitRest("a.service");

        assertThat(stage.status("a").log()).containsExactly("run", "run", "run");
        assertThat(stage.state("a"))
                .as("the result stays the first failure")
                .isEqualTo("failed/failed exit-code");
        assertThat(stage.start("a")).as("a start by hand counts too").isEqualTo(JobResult.FAILED);
    }

    @Test
    void aStartThatFailsIsToldThoughItWillBeTriedAgain() throws Exception {
        stage.service("a", "Restart=always", "RestartSec=1h", "ExecStart=/nowhere/program");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("activating/auto-restart exit-code");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void aStartByHandDoesNotWaitForTheDelay() throws Exception {
        stage.service("a", "Restart=always", "RestartSec=1h", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        stage.kill("a", Signal.TERM, true);
        stage.happenings().await("a.service: INFO its main process");

        assertThat(stage.start("a")).as("while it stops, or waits").isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void whetherItIsRestartedDependsOnHowItEnded() throws Exception {
        record Case(String restart, String script, boolean again) {}
        Case[] cases = {
            new Case("no", "exit 1", false),
            new Case("on-success", "exit 0", true),
            new Case("on-success", "exit 1", false),
            new Case("on-failure", "exit 0", false),
            new Case("on-failure", "exit 1", true),
            new Case("on-abnormal", "exit 1", false),
            new Case("on-abnormal", "kill -KILL $$", true),
            new Case("on-abort", "kill -KILL $$", true),
            new Case("on-abort", "kill -TERM $$", false),
            new Case("always", "kill -TERM $$", true),
            new Case("on-failure\nRestartPreventExitStatus=5", "exit 5", false),
            new Case("no\nRestartForceExitStatus=5", "exit 5", true),
            new Case("on-failure\nSuccessExitStatus=5", "exit 5", false),
        };
        int number = 0;
        for (Case one : cases) {
            String name = "case" + number++;
            stage.serviceWith(
                    name,
                    "StartLimitBurst=2",
                    "Restart=" + one.restart(),
                    "RestartSec=1ms",
                    "ExecStart=" + stage.shell(name, "echo run\n" + one.script()));
            stage.start(name);
            String _ = stage.happenings().awaitRest(name + ".service");
            boolean hit =
                    stage.happenings().lines().stream()
                            .anyMatch(line ->
                                    line.startsWith(name + ".service: ERROR start limit hit"));
            assertThat(hit).as("%s", one).isEqualTo(one.again());
            assertThat(stage.status(name).log()).as("%s", one).hasSize(one.again() ? 2 : 1);
        }
    }

    @Test
    void aWatchdogThatIsNotFedEndsTheServiceWithAbort() throws Exception {
        stage.service(
                "a",
                "Type=notify",
                "WatchdogSec=3s",
                "LimitCORE=0",
                "ExecStart="
                        + stage.python(
                                "a",
                                """
                                notify("READY=1")
                                for i in range(4):
                                    time.sleep(0.1)
                                    notify("WATCHDOG=1")
                                say("tired")
                                signal.pause()
                                """));

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: ERROR failed: watchdog");
        assertThat(stage.status("a").log()).containsExactly("tired");
        assertThat(stage.status("a").mainExit())
                .hasValueSatisfying(exit ->
                        assertThat(exit)
                                .isInstanceOfSatisfying(
                                        Exit.Killed.class,
                                        killed ->
                                                assertThat(killed.signal())
                                                        .isEqualTo(Signal.ABRT)));
    }

    @Test
    void aFailureThatIsForgottenNoLongerCounts() throws Exception {
        stage.serviceWith("a", "StartLimitBurst=1", "ExecStart=/bin/sh -c 'exit 1'");
        stage.start("a");
        stage.happenings().await("a.service: ERROR failed: exit-code");
        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        stage.happenings().await("a.service: ERROR start limit hit");

        Stage.get(stage.manager().resetFailed(List.of(UnitName.of("a.service"))));
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: ERROR failed: exit-code", 2);
        Stage.get(stage.manager().resetFailed(List.of()));
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void aSetUpThatFailsEndsAsItsStepIsCalled() throws Exception {
        stage.service("user", "User=nobody-of-this-name", "ExecStart=/bin/true");
        stage.service("chdir", "WorkingDirectory=/nowhere/at/all", "ExecStart=/bin/true");
        stage.service("pre", "ExecStartPre=/nowhere/program", "ExecStart=/bin/true");
        Object[][] cases = {
            {"user", 217, "217/USER"}, {"chdir", 200, "200/CHDIR"}, {"pre", 203, "203/EXEC"}
        };
        for (Object[] one : cases) {
            String name = (String) one[0];
            assertThat(stage.start(name)).isEqualTo(JobResult.FAILED);
            assertThat(stage.state(name)).isEqualTo("failed/failed exit-code");
            assertThat(stage.happenings().await(name + ".service: ERROR cannot"))
                    .contains("(exited with status " + one[2] + ")");
            if (!name.equals("pre")) {
                assertThat(stage.status(name).mainExit())
                        .contains(new Exit.Exited((Integer) one[1]));
            }
        }
    }

    @Test
    void aRestartByHandSendsItsOwnSignal() throws Exception {
        stage.service(
                "a",
                "RestartKillSignal=SIGUSR1",
                "ExecStart="
                        + stage.python(
                                "a",
                                """
                                signals = {signal.SIGUSR1, signal.SIGTERM}
                                signal.pthread_sigmask(signal.SIG_BLOCK, signals)
                                say("up")
                                say("got %d" % signal.sigwait(signals))
                                """));
        stage.start("a");
        stage.happenings().await("a.service | up", 1);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service | up", 2);
        stage.stop("a");

        assertThat(stage.status("a").log()).containsExactly("up", "got 10", "up", "got 15");
    }

    @Test
    void aRuntimeFolderIsPreservedOverARestartAndNotLonger() throws Exception {
        String name = "hftest" + ProcessHandle.current().pid();
        Path runtime = Path.of("/run", name);
        String script =
                stage.shell("a", "ls $RUNTIME_DIRECTORY; touch $RUNTIME_DIRECTORY/kept; exit 1");
        String[] lines = {
            "RuntimeDirectory=" + name,
            "RuntimeDirectoryPreserve=restart",
            "Restart=on-failure",
            "ExecStart=" + script
        };
        stage.serviceWith("a", "StartLimitBurst=2", lines);
        stage.start("a");
        assertThat(stage.happenings().awaitRest("a.service")).contains("exit-code");
        assertThat(stage.status("a").log()).containsExactly("kept");
        assertThat(runtime).doesNotExist();

        stage.serviceWith("b", "", lines);
        stage.unit("b.service.d/x.conf", "[Service]\nRestartSec=1h\n");
        stage.start("b");
        stage.happenings().await("b.service: WARNING its main process");
        while (!stage.state("b").startsWith("activating/auto-restart")) {
            assertThat(stage.status("b").activeState()).isNotEqualTo(ActiveState.FAILED);
        }
        assertThat(runtime).as("until the restart").exists();
        assertThat(stage.stop("b")).isEqualTo(JobResult.DONE);
        assertThat(runtime).doesNotExist();

        stage.service(
                "c",
                lines[0],
                lines[1],
                "ExecStart=" + stage.shell("c", "ls $RUNTIME_DIRECTORY; echo up; exec sleep 1000"));
        stage.start("c");
        stage.happenings().awaitOutput("c.service", "up");
        Path ignored = java.nio.file.Files.createFile(runtime.resolve("kept"));
        assertThat(stage.restart("c")).isEqualTo(JobResult.DONE);
        stage.happenings().await("c.service | up", 2);
        assertThat(stage.status("c").log()).containsExactly("up", "kept", "up");
        stage.stop("c");
        assertThat(runtime).doesNotExist();
    }
}
