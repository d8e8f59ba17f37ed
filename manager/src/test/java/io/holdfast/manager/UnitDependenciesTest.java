package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The effects of units on each other by their dependencies. */
@Timeout(120)
class UnitDependenciesTest {
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

    /** Writes a service that logs to the common log when it has started and when it stops. */
    private void loggingService(String name, String unitLines, String... lines) throws Exception {
        String log = " >>" + folder.resolve("order");
        stage.serviceWith(
                name,
                unitLines,
                "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo +%N"
                        + log
                        + "'\nExecStop=/bin/sh -c 'echo -%N"
                        + log
                        + "'\n"
                        + String.join("\n", lines));
    }

    private List<String> order() {
        Path file = folder.resolve("order");
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String active(String name) throws Exception {
        return stage.status(name).activeState().word();
    }

    @Test
    void whatIsRequiredStartsFirstAndStopsLast() throws Exception {
        loggingService("a", "Requires=b.service\nAfter=b.service");
        loggingService("b", "Wants=c.service");
        loggingService("c", "Before=b.service");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+c", "+b", "+a");
        assertThat(stage.stop("b")).isEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+c", "+b", "+a", "-a", "-b");
        assertThat(active("c")).isEqualTo("active");
    }

    @Test
    void aShutdownStopsInReverseOrder() throws Exception {
        loggingService("a", "After=b.service");
        loggingService("b", "After=c.service");
        loggingService("c", "");
        for (String name : new String[] {"c", "a", "b"}) {
            stage.start(name);
        }
        Map<UnitName, JobResult> results = Stage.get(stage.manager().shutdown());

        assertThat(results).hasSize(3).values().containsOnly(JobResult.DONE);
        assertThat(order()).containsExactly("+c", "+a", "+b", "-a", "-b", "-c");
    }

    @Test
    void aFailedRequirementFailsWhatWaitsForIt() throws Exception {
        loggingService("a", "Requires=b.service\nAfter=b.service");
        loggingService("wanting", "Wants=b.service\nAfter=b.service");
        loggingService("unordered", "Requires=b.service");
        stage.service("b", "Type=oneshot", "ExecStart=/bin/false");
        stage.unit("b.service.d/x.conf", "[Unit]\nStartLimitIntervalSec=0\n");

        assertThat(stage.start("a")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(order()).isEmpty();
        assertThat(stage.start("wanting")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("unordered"))
                .as("whichever is quicker")
                .isIn(JobResult.DONE, JobResult.DEPENDENCY);
    }

    @Test
    void aRequirementThatIsNotThereFailsAllThatNeedIt() throws Exception {
        loggingService("a", "Requires=b.service");
        loggingService("b", "Requires=nowhere.service");
        loggingService("wanting", "Wants=nowhere.service b.service");
        stage.serviceWith("bad", "", "Type=oneshot");
        loggingService("needs-bad", "Requires=bad.service");

        assertThat(stage.start("a")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.start("b")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.happenings().await("b.service: ERROR Requires=nowhere.service"))
                .contains("there is no such unit");
        assertThat(stage.start("wanting")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("nowhere")).isEqualTo(JobResult.INVALID);
        assertThat(stage.start("needs-bad")).isNotEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+wanting");
    }

    @Test
    void aRequisiteIsNotStartedButMustRun() throws Exception {
        loggingService("a", "Requisite=b.service\nAfter=b.service");
        loggingService("b", "");

        assertThat(stage.start("a")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(order()).isEmpty();
        stage.start("b");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+b", "+a");
    }

    @Test
    void aBoundUnitStopsWhenTheOtherEndsForWhateverReason() throws Exception {
        loggingService("bound", "BindsTo=b.service\nAfter=b.service");
        loggingService("needing", "Requires=b.service\nAfter=b.service");
        stage.service("b", "ExecStart=/bin/sleep 1000");
        stage.start("bound");
        stage.start("needing");
        stage.kill("b", Signal.TERM, true);
        stage.happenings().awaitRest("bound.service");

        assertThat(active("bound")).isEqualTo("inactive");
        assertThat(active("needing")).as("a mere requirement").isEqualTo("active");
    }

    @Test
    void aPartIsStoppedAndRestartedWithTheWholeButNotStartedByIt() throws Exception {
        loggingService("part", "PartOf=whole.service\nAfter=whole.service");
        loggingService("whole", "");
        stage.start("whole");
        assertThat(active("part")).isEqualTo("inactive");
        stage.start("part");

        assertThat(stage.restart("whole")).isEqualTo(JobResult.DONE);
        Await.until(() -> order().size() == 6);
        assertThat(order())
                .containsExactly("+whole", "+part", "-part", "-whole", "+whole", "+part");
        stage.stop("whole");
        assertThat(active("part")).isEqualTo("inactive");
    }

    @Test
    void aFailureStartsWhatIsMeantForIt() throws Exception {
        stage.serviceWith("a", "OnFailure=alarm.service", "ExecStart=/bin/sh -c 'exit 1'");
        stage.service("alarm", "Type=oneshot", "ExecStart=/bin/echo alarm");
        stage.start("a");

        stage.happenings().awaitOutput("alarm.service", "alarm");
        stage.happenings().awaitRest("alarm.service");
    }

    @Test
    void aCircleIsBrokenAndTold() throws Exception {
        loggingService("a", "Wants=b.service\nAfter=b.service");
        loggingService("b", "Wants=c.service\nAfter=c.service");
        loggingService("c", "After=a.service");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().await("ordering cycle: ")).contains(".service/start → ");
        assertThat(order()).contains("+a");
        loggingService("d", "Requires=e.service\nAfter=e.service");
        loggingService("e", "Requires=d.service\nAfter=d.service");
        assertThat(stage.start("d")).as("both are required").isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.happenings().await("d.service: ERROR Transaction order is cyclic: "))
                .contains("d.service/start → e.service/start → d.service/start");
    }

    @Test
    void aTargetOfOnesOwnPullsInItsUnits() throws Exception {
        stage.unit("all.target", "[Unit]\nRequires=a.service\nWants=b.service\n");
        loggingService("a", "");
        loggingService("b", "");

        assertThat(stage.start("all.target")).isEqualTo(JobResult.DONE);
        Await.until(() -> order().size() == 2);
        assertThat(order()).containsExactlyInAnyOrder("+a", "+b");
        assertThat(active("all.target")).isEqualTo("active");
    }

    @Test
    void whatConflictsIsStoppedBeforeTheOtherStarts() throws Exception {
        loggingService("a", "Conflicts=b.service\nAfter=b.service");
        loggingService("b", "");
        loggingService("needs-b", "Requires=b.service\nAfter=b.service");
        stage.start("needs-b");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+b", "+needs-b", "-needs-b", "-b", "+a");
        assertThat(stage.start("b")).as("the other way round").isEqualTo(JobResult.DONE);
        assertThat(order()).endsWith("-a", "+b");
        assertThat(active("a")).isEqualTo("inactive");
    }

    @Test
    void ofTwoThatConflictTheOneThatWasAskedForIsStarted() throws Exception {
        loggingService("a", "Wants=b.service\nConflicts=b.service");
        loggingService("b", "");
        loggingService("needs", "Requires=a.service b.service");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(order()).containsExactly("+a");
        assertThat(stage.happenings().await("a.service: WARNING")).contains(" is left out: ");
        assertThat(stage.start("needs")).isEqualTo(JobResult.DEPENDENCY);
    }

    @Test
    void anUpheldUnitIsStartedAgainAsLongAsTheOtherIsUp() throws Exception {
        loggingService("a", "Upholds=b.service");
        stage.service("b", "ExecStart=/bin/sh -c 'echo up; exec sleep 1000'");
        stage.start("a");
        stage.happenings().await("b.service | up", 1);
        stage.kill("b", Signal.KILL, true);
        stage.happenings().await("b.service | up", 2);
        stage.stop("b");
        stage.happenings().await("b.service | up", 3);
        stage.stop("a");
        assertThat(stage.stop("b")).isEqualTo(JobResult.DONE);

        assertThat(active("b")).as("nobody upholds it").isEqualTo("inactive");
    }

    @Test
    void anUpheldUnitThatFailsAtOnceIsHeldUpByItsLimitOnly() throws Exception {
        loggingService("a", "Upholds=b.service");
        stage.serviceWith(
                "b",
                "StartLimitBurst=2\nStartLimitIntervalSec=1",
                "ExecStart=/bin/sh -c 'echo run; exit 1'");
        stage.start("a");
        stage.happenings().await("b.service: ERROR start limit hit");
        stage.happenings().await("b.service | run", 3);
    }

    @Test
    void aRequiredUnitThatIsMaskedRefusesTheRequestAsMasked() throws Exception {
        loggingService("a", "Requires=masked.service");
        Files.createSymbolicLink(
                stage.unitFolder().resolve("masked.service"), Path.of("/dev/null"));
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        stage.manager()
                                .view()
                                .jobs()
                                .enqueue(
                                        UnitName.of("a.service"),
                                        JobType.START,
                                        JobMode.REPLACE,
                                        answer));
        assertThatThrownBy(() -> Stage.get(answer))
                .hasMessageContaining("masked.service is masked.");
        assertThat(stage.start("a")).isEqualTo(JobResult.DEPENDENCY);
    }
}
