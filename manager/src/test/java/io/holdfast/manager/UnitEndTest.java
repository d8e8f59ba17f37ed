package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What follows when a unit ends: handlers, automatic restarts, and the end of the manager. */
@Timeout(120)
class UnitEndTest {
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

    private UnitJob enqueue(String name, JobType type, JobMode mode) throws Exception {
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        stage.manager()
                                .view()
                                .jobs()
                                .enqueue(UnitName.of(name), type, mode, answer));
        return Stage.get(answer);
    }

    @Test
    void aFailureHandlerLearnsWhoFailedAndHow() throws Exception {
        stage.service(
                "handler",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo $MONITOR_UNIT $MONITOR_SERVICE_RESULT"
                        + " $MONITOR_EXIT_CODE $MONITOR_EXIT_STATUS $MONITOR_INVOCATION_ID'");
        stage.serviceWith("a", "OnFailure=handler.service", "ExecStart=/bin/sh -c 'exit 7'");
        stage.start("a");
        stage.happenings()
                .awaitOutput(
                        "handler.service",
                        "a.service exit-code exited 7 " + stage.status("a").invocationId());
    }

    @Test
    void aHandlerOfSeveralUnitsDoesNotLearnWhichOneFailed() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/sh -c 'echo unit=$MONITOR_UNIT.'");
        stage.serviceWith("b", "OnSuccess=handler.service", SLEEP);
        stage.serviceWith("a", "OnFailure=handler.service", "ExecStart=/bin/sh -c 'exit 7'");
        stage.start("b");
        stage.start("a");
        stage.happenings().awaitOutput("handler.service", "unit=.");
    }

    @Test
    void aGoodEndAndAStopOnRequestStartTheSuccessHandler() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/sh -c 'echo after $MONITOR_UNIT'");
        stage.serviceWith(
                "good", "OnSuccess=handler.service", "Type=oneshot", "ExecStart=/bin/true");
        stage.start("good");
        stage.happenings().awaitOutput("handler.service", "after good.service");

        stage.service("other", "Type=oneshot", "ExecStart=/bin/echo stopped");
        stage.serviceWith("sleeps", "OnSuccess=other.service", SLEEP);
        stage.start("sleeps");
        stage.stop("sleeps");
        stage.happenings().awaitOutput("other.service", "stopped");
    }

    @Test
    void anUnmetConditionIsNoEnd() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/echo handled");
        stage.serviceWith("a", "OnSuccess=handler.service\nConditionPathExists=/nowhere", SLEEP);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("handler")).isEqualTo("inactive/dead success");
        assertThat(stage.happenings().lines())
                .noneMatch(line -> line.startsWith("handler.service"));
    }

    @Test
    void eachFailureStartsTheHandlerAlsoBeforeAnAutomaticRestart() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/echo handled");
        stage.serviceWith(
                "a",
                "OnFailure=handler.service",
                "Restart=on-failure",
                "RestartSec=1h",
                "ExecStart=/bin/sh -c 'exit 1'");
        stage.start("a");
        stage.happenings().awaitOutput("handler.service", "handled");
        assertThat(stage.state("a")).isEqualTo("activating/auto-restart exit-code");
    }

    @Test
    void aDirectRestartHidesTheFailureUntilNoRestartIsLeft() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/echo handled");
        stage.serviceWith(
                "a",
                "OnFailure=handler.service\nStartLimitBurst=3",
                "Restart=on-failure",
                "RestartMode=direct",
                "RestartSec=1ms",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo run; exit 1'");
        assertThat(stage.start("a")).as("the job lasts").isEqualTo(JobResult.FAILED);
        stage.happenings().awaitOutput("handler.service", "handled");
        assertThat(stage.status("a").log()).containsExactly("run", "run", "run");
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.equals("handler.service | handled"))
                .hasSize(1);
    }

    @Test
    void anAutomaticRestartRestartsWhatRequiresIt() throws Exception {
        stage.service("base", SLEEP, "Restart=always", "RestartSec=1ms");
        stage.serviceWith("user", "Requires=base.service\nAfter=base.service", SLEEP);
        stage.start("user");
        stage.kill("base", Signal.KILL, true);
        stage.happenings().await("base.service: INFO started process", 2);
        stage.happenings().await("user.service: INFO started process", 2);
        assertThat(stage.state("user")).startsWith("active/running");
    }

    @Test
    void anAutomaticRestartDoesNotKeepUpWhatIsBoundToTheUnit() throws Exception {
        stage.service("base", SLEEP, "Restart=always", "RestartSec=1h");
        stage.serviceWith("bound", "BindsTo=base.service\nAfter=base.service", SLEEP);
        stage.start("bound");
        stage.kill("base", Signal.KILL, true);
        assertThat(stage.happenings().awaitRest("bound.service")).contains("stopped");
        while (stage.state("base").startsWith("deactivating/")) {
            Await.pause(); // the clean-up of the run
        }
        assertThat(stage.state("base")).isEqualTo("activating/auto-restart signal");
    }

    @Test
    void aUnitThatNoActiveUnitNeedsIsStopped() throws Exception {
        stage.serviceWith("helper", "StopWhenUnneeded=yes", SLEEP);
        stage.serviceWith("one", "Wants=helper.service\nAfter=helper.service", SLEEP);
        stage.serviceWith("two", "Requires=helper.service\nAfter=helper.service", SLEEP);
        stage.start("one");
        stage.start("two");
        stage.stop("one");
        assertThat(stage.state("helper")).as("for the other").startsWith("active/running");
        stage.stop("two");
        assertThat(stage.happenings().awaitRest("helper.service")).contains("stopped");
    }

    @Test
    void aUnitThatEndsTakesTheManagerWithIt() throws Exception {
        stage.service("other", SLEEP);
        stage.serviceWith("a", "FailureAction=exit", "ExecStart=/bin/sh -c 'exit 7'");
        stage.start("other");
        stage.start("a");
        stage.happenings().await("a.service: NOTICE FailureAction=exit: the manager ends");
        stage.happenings().awaitRest("other.service");
        Stage.get(stage.manager().shutdown());
        assertThat(stage.manager().end().status()).hasValue(7);
    }

    @Test
    void theExitStatusOfTheManagerCanBeChosen() throws Exception {
        stage.serviceWith(
                "a",
                "SuccessAction=exit\nSuccessActionExitStatus=3",
                "Type=oneshot",
                "ExecStart=/bin/true");
        stage.start("a");
        stage.happenings().await("a.service: NOTICE SuccessAction=exit: the manager ends");
        Stage.get(stage.manager().shutdown());
        assertThat(stage.manager().end().status()).hasValue(3);
    }

    @Test
    void anActionThatIsOfPid1SaysThatItIsNotPossible() throws Exception {
        stage.serviceWith("a", "FailureAction=reboot", "ExecStart=/bin/sh -c 'exit 7'");
        stage.start("a");
        stage.happenings().await("a.service: WARNING FailureAction=reboot is not possible");
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
    }

    @Test
    void aJobThatTakesTooLongIsActedOn() throws Exception {
        Path gate = stage.fifo("gate");
        stage.serviceWith(
                "a",
                "JobTimeoutSec=10ms\nJobTimeoutAction=poweroff",
                "Type=oneshot",
                "ExecStart=" + stage.shell("waits", "read x <" + gate));
        assertThat(stage.start("a")).isEqualTo(JobResult.TIMEOUT);
        stage.happenings().await("a.service: WARNING JobTimeoutAction=poweroff is not possible");
    }

    @Test
    void aStartWaitsUntilTheStopIsOver() throws Exception {
        Path gate = stage.fifo("gate");
        Path done = folder.resolve("done");
        String once =
                "[ -e %s ] || { touch %s; echo waits; read x <%s; }".formatted(done, done, gate);
        stage.service("a", SLEEP, "ExecStop=" + stage.shell("waits", once));
        stage.start("a");
        var stop = stage.stopping("a");
        stage.happenings().awaitOutput("a.service", "waits");
        UnitJob start = enqueue("a.service", JobType.START, JobMode.REPLACE);
        assertThat(Stage.get(stop)).isEqualTo(JobResult.CANCELED);
        CompletableFuture<Boolean> running = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        running.complete(
                                stage.manager().view().jobs().all().stream()
                                        .anyMatch(
                                                job -> job.id() == start.id() && job.isRunning())));
        assertThat(Stage.get(running)).isFalse();
        assertThat(stage.state("a")).isEqualTo("deactivating/stop success");
        Files.writeString(gate, "go\n");
        stage.happenings().await("a.service: INFO started process", 2);
    }

    @Test
    void aRestartThatIsCancelledDoesNotSendTheSignalOfRestarts() throws Exception {
        Path gate = stage.fifo("gate");
        stage.service(
                "a",
                "RestartKillSignal=SIGUSR1",
                "ExecStop=" + stage.shell("waits", "echo waits; read x <" + gate),
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
        stage.happenings().awaitOutput("a.service", "up");
        UnitJob restart = enqueue("a.service", JobType.RESTART, JobMode.REPLACE);
        stage.happenings().awaitOutput("a.service", "waits");
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() -> cancelled.complete(stage.manager().view().jobs().cancel(restart.id())));
        assertThat(Stage.get(cancelled)).isTrue();
        Files.writeString(gate, "go\n");
        stage.happenings().awaitOutput("a.service", "got 15");
        assertThat(stage.happenings().awaitRest("a.service")).contains("stopped");
    }
}
