package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.ActiveState;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code systemctl --job-mode=}: what each mode does, and which requests are refused with which
 * text.
 */
@Timeout(120)
@Needs(programs = "systemctl")
class JobModesTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Path gate;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        gate = stage.fifo("gate");
        stage.service("y", "ExecStart=/bin/sleep 1000");
        stage.serviceWith("x", "Requires=y.service\nAfter=y.service", "ExecStart=/bin/sleep 1000");
        stage.service(
                "slow",
                "ExecStartPre=" + stage.shell("wait", "read word <" + gate),
                "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private String systemctl(int status, String... words) throws Exception {
        return Systemctl.of(stage).expect(status, words);
    }

    private void letGo() throws Exception {
        Files.writeString(gate, "go\n");
    }

    @Test
    void failIsRefusedWhereAnotherJobIsInTheWay() throws Exception {
        systemctl(0, "start", "--no-block", "slow");
        assertThat(systemctl(4, "stop", "--job-mode=fail", "slow"))
                .contains(
                        "Transaction for slow.service/stop is destructive (slow.service has 'start'"
                                + " job queued, but 'stop' is included in transaction).");
        letGo();
        systemctl(0, "start", "--job-mode=fail", "slow");
        systemctl(0, "stop", "--job-mode=fail", "slow");
    }

    @Test
    void anIrreversibleJobGivesWayToNone() throws Exception {
        stage.serviceWith("rival", "Conflicts=slow.service", "ExecStart=/bin/sleep 1000");
        systemctl(0, "start", "--no-block", "--job-mode=replace-irreversibly", "slow");
        for (String words : new String[] {"stop slow", "start rival"}) {
            assertThat(systemctl(4, words.split(" ")))
                    .contains("is destructive (slow.service has 'start' job queued, but 'stop'");
        }
        assertThat(systemctl(0, "list-jobs")).containsPattern("slow.service +start +running");
        letGo();
        systemctl(0, "start", "slow");
        systemctl(0, "stop", "slow");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ignore-dependencies", "ignore-requirements"})
    void othersAreLeftAloneWhereDependenciesAreIgnored(String mode) throws Exception {
        stage.serviceWith(
                "lonely",
                "Requires=nosuch.service\nAfter=nosuch.service\nRequisite=slow.service",
                "ExecStart=/bin/sleep 1000");
        stage.serviceWith("rival", "Conflicts=y.service", "ExecStart=/bin/sleep 1000");
        String how = "--job-mode=" + mode;
        assertThat(systemctl(5, "start", "lonely")).contains("Unit nosuch.service not found.");
        systemctl(0, "start", how, "lonely");
        systemctl(0, "start", how, "x");
        systemctl(3, "is-active", "y");
        systemctl(0, "start", "y");
        systemctl(0, "start", how, "rival");
        systemctl(0, "is-active", "y");
        systemctl(0, "restart", how, "y");
        systemctl(0, "stop", how, "y");
        systemctl(0, "is-active", "x");
        systemctl(0, "stop", how, "x");
        systemctl(5, "start", how, "nosuch");
    }

    @Test
    void restartDependenciesRestartsWhatDependsOnTheUnit() throws Exception {
        systemctl(0, "start", "x");
        String ofX = stage.status("x").invocationId();
        String ofY = stage.status("y").invocationId();
        systemctl(0, "start", "--job-mode=restart-dependencies", "y");
        stage.happenings().await("x.service: INFO started", 2);
        assertThat(stage.status("x").invocationId()).isNotEqualTo(ofX);
        assertThat(stage.status("y").invocationId()).isEqualTo(ofY);
        systemctl(0, "stop", "x", "y");
        systemctl(0, "start", "--job-mode=restart-dependencies", "y");
        systemctl(3, "is-active", "x");
        assertThat(systemctl(0, "list-jobs")).contains("No jobs running.");
    }

    @Test
    void triggeringStopsWhatWouldStartTheUnitAgain() throws Exception {
        stage.service("s", "ExecStart=/bin/sleep 1000");
        stage.unit(
                "s.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream="
                        + folder.resolve("s.sock")
                        + "\n");
        systemctl(0, "start", "s.socket", "s.service");
        systemctl(0, "stop", "--job-mode=triggering", "s.service");
        systemctl(3, "is-active", "s.service");
        systemctl(3, "is-active", "s.socket");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    stop    | isolate              | Isolate is only valid for start.
                    start   | isolate              | Operation refused, unit may not be isolated
                    stop    | restart-dependencies | is only valid for start.
                    restart | triggering           | --job-mode=triggering is only valid for stop.
                    start   | lenient              | is not supported by this manager.
                    start   | nonsense             | Job mode nonsense invalid
                    """)
    void whatAModeIsNotForIsToldInOneLine(String verb, String mode, String text) throws Exception {
        Tool ran = Systemctl.of(stage).run(verb, "--job-mode=" + mode, "y");
        assertThat(ran.status()).as(ran.output()).isNotZero();
        assertThat(ran.output().strip().lines()).as(ran.output()).hasSizeLessThanOrEqualTo(2);
        assertThat(ran.output()).contains(text).doesNotContain("Exception");
        assertThat(stage.status("y").activeState()).isEqualTo(ActiveState.INACTIVE);
    }
}
