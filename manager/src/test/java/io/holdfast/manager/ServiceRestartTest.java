package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services that are started again by themselves, and when that ends. */
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
        stage.happenings().await("a.service: ERROR failed: start-limit-hit");

        assertThat(stage.status("a").log()).containsExactly("run", "run", "run");
        assertThat(stage.state("a")).isEqualTo("failed/failed start-limit-hit");
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
            String end = stage.happenings().awaitRest(name + ".service");
            assertThat(end.contains("start-limit-hit")).as("%s", one).isEqualTo(one.again());
            assertThat(stage.status(name).log()).as("%s", one).hasSize(one.again() ? 2 : 1);
        }
    }

    @Test
    void aWatchdogThatIsNotFedEndsTheServiceWithAbort() throws Exception {
        stage.service(
                "a",
                "Type=notify",
                "WatchdogSec=300ms",
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
}
