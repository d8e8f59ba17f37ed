package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of several requests, as systemctl(1) shows them: each waits for those that go first. */
@Timeout(120)
@Needs(programs = "systemctl")
class JobOrderTest {
    private static final String SLEEP = "ExecStart=/bin/sleep 1000";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private String systemctl(int status, String... words) throws Exception {
        return Systemctl.of(stage).expect(status, words);
    }

    private String jobs() throws Exception {
        return systemctl(0, "list-jobs", "--no-legend").replaceAll(" +", " ");
    }

    /**
     * Makes a oneshot service whose start, or stop, lasts until the returned file is written to.
     */
    private Path slow(String name, String unitLines, String directive) throws Exception {
        Path gate = stage.fifo("gate-" + name);
        String waits = stage.shell(name, "echo waiting; read line < " + gate);
        stage.serviceWith(
                name,
                unitLines,
                "Type=oneshot\nRemainAfterExit=yes\n"
                        + (directive.equals("ExecStart") ? "" : "ExecStart=/bin/true\n")
                        + directive
                        + "="
                        + waits);
        return gate;
    }

    private static void open(Path gate) throws Exception {
        Files.writeString(gate, "go\n");
    }

    @Test
    void aStartWaitsForOneThatAnotherRequestHasBegun() throws Exception {
        Path gate = slow("a", "", "ExecStart");
        stage.serviceWith("b", "After=a.service", SLEEP);
        stage.serviceWith("c", "", SLEEP);
        systemctl(0, "start", "--no-block", "a");
        systemctl(0, "start", "--no-block", "b");
        systemctl(0, "start", "c");
        assertThat(jobs()).contains("a.service start running", "b.service start waiting");
        assertThat(systemctl(0, "list-jobs", "--after")).contains("blocking job ");
        open(gate);
        systemctl(0, "start", "b");
        assertThat(systemctl(0, "list-jobs")).contains("No jobs running.");
    }

    @Test
    void aStartWaitsForAStopThatGoesFirst() throws Exception {
        Path gate = slow("a", "", "ExecStop");
        stage.serviceWith("b", "After=a.service", SLEEP);
        systemctl(0, "start", "a");
        systemctl(0, "stop", "--no-block", "a");
        stage.happenings().awaitOutput("a.service", "waiting");
        systemctl(0, "start", "--no-block", "b");
        assertThat(jobs()).contains("a.service stop running", "b.service start waiting");
        open(gate);
        systemctl(0, "start", "b");
        systemctl(3, "is-active", "a");
    }

    @Test
    void aTargetIsReachedAfterWhatItPullsIn() throws Exception {
        Path gate = stage.fifo("gate");
        stage.unit(
                "a.service",
                "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart="
                        + stage.shell("a", "echo waiting; read line < " + gate)
                        + "\n");
        stage.unit("all.target", "[Unit]\nWants=a.service\n");
        systemctl(0, "start", "--no-block", "all.target");
        stage.happenings().awaitOutput("a.service", "waiting");
        systemctl(3, "is-active", "all.target");
        open(gate);
        systemctl(0, "start", "all.target");
        systemctl(0, "is-active", "all.target");
    }

    @Test
    void aJobIsCancelledByItsNumber() throws Exception {
        Path gate = slow("a", "", "ExecStart");
        stage.serviceWith("b", "After=a.service\nRequires=a.service", SLEEP);
        systemctl(0, "start", "--no-block", "b");
        String number =
                jobs().lines()
                        .filter(line -> line.contains("b.service"))
                        .findFirst()
                        .orElseThrow()
                        .strip()
                        .split(" ")[0];
        systemctl(0, "cancel", number);
        assertThat(jobs()).doesNotContain("b.service").contains("a.service start running");
        systemctl(1, "cancel", number);
        systemctl(0, "cancel");
        assertThat(systemctl(0, "list-jobs")).contains("No jobs running.");
        open(gate);
    }

    @Test
    void aJobThatTakesTooLongEndsAndStartsWhatIsMeantForThat() throws Exception {
        Path gate = slow("a", "", "ExecStart");
        stage.serviceWith(
                "b", "After=a.service\nJobTimeoutSec=200ms\nOnFailure=alarm.service", SLEEP);
        stage.service("alarm", "Type=oneshot", "ExecStart=/bin/echo alarm");
        systemctl(0, "start", "--no-block", "a");
        systemctl(1, "start", "b");
        stage.happenings().awaitOutput("alarm.service", "alarm");
        assertThat(systemctl(0, "show", "-P", "JobTimeoutUSec", "b").strip()).isEqualTo("200ms");
        open(gate);
    }

    @Test
    void isolateStopsAllElse() throws Exception {
        stage.unit("rescue.target", "[Unit]\nAllowIsolate=yes\nWants=shell.service\n");
        stage.service("shell", SLEEP);
        stage.service("a", SLEEP);
        stage.serviceWith("stays", "IgnoreOnIsolate=yes", SLEEP);
        systemctl(0, "start", "a", "stays");
        systemctl(0, "isolate", "rescue.target");
        stage.happenings().await("a.service: INFO stopped");
        systemctl(0, "is-active", "stays");
        systemctl(0, "is-active", "rescue.target");
        assertThat(systemctl(4, "isolate", "a.service")).contains("may not be isolated");
    }

    @Test
    void stopsAndReloadsReachTheUnitsThatTheyArePropagatedTo() throws Exception {
        stage.serviceWith(
                "a",
                "PropagatesStopTo=b.service\nPropagatesReloadTo=b.service",
                SLEEP,
                "ExecReload=/bin/echo reloading a");
        stage.service("b", SLEEP, "ExecReload=/bin/echo reloading b");
        systemctl(0, "start", "a", "b");
        systemctl(0, "reload", "a");
        stage.happenings().awaitOutput("b.service", "reloading b");
        systemctl(0, "stop", "a");
        stage.happenings().await("b.service: INFO stopped");
    }

    @Test
    void aThousandUnitsThatAreWantedAndInactiveStopAndStartAgain() throws Exception {
        int count = 1000;
        StringBuilder wants = new StringBuilder();
        for (int i = 0; i < count; i++) {
            stage.service("u" + i, "Type=oneshot", "ExecStart=/bin/true");
            wants.append(" u").append(i).append(".service");
        }
        stage.unit("all.target", "[Unit]\nWants=" + wants + "\n");
        assertThat(stage.start("all.target")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("all.target")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("all.target")).isEqualTo(JobResult.DONE);
    }

    @Test
    void aCycleOfRequiredUnitsIsRefusedAndNamed() throws Exception {
        stage.serviceWith("a", "Requires=b.service\nAfter=b.service", SLEEP);
        stage.serviceWith("b", "Requires=a.service\nAfter=a.service", SLEEP);
        assertThat(systemctl(1, "start", "a"))
                .contains("Transaction order is cyclic")
                .contains("a.service/start → b.service/start → a.service/start");
        systemctl(3, "is-active", "a");
    }
}
