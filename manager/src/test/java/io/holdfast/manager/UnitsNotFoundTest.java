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

/** Units that others name and that cannot be loaded are units of the table, with that state. */
@Timeout(120)
@Needs(programs = "systemctl")
class UnitsNotFoundTest {
    private static final String SLEEP = "ExecStart=/bin/sleep 1000";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        Files.createSymbolicLink(
                stage.unitFolder().resolve("masked.service"), Path.of("/dev/null"));
        stage.service("bad", "ExecStart=bin/relative");
        stage.serviceWith(
                "a", "Wants=lost.service masked.service bad.service\nAfter=lost.service", SLEEP);
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private String systemctl(int status, String... words) throws Exception {
        return Systemctl.of(stage).expect(status, words);
    }

    private String all() throws Exception {
        return systemctl(0, "list-units", "--all", "--full", "--plain", "--no-legend");
    }

    @Test
    void theyAreThereForAsLongAsAUnitNamesThem() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);

        assertThat(all())
                .containsPattern("(?m)^lost.service +not-found +inactive +dead +lost.service")
                .containsPattern("(?m)^masked.service +masked +inactive +dead")
                .containsPattern("(?m)^bad.service +bad-setting +inactive +dead");
        assertThat(systemctl(0, "show", "lost", "-p", "LoadState,ActiveState,WantedBy"))
                .contains("LoadState=not-found", "ActiveState=inactive", "WantedBy=a.service");
        assertThat(stage.loaded()).doesNotContain("lost.service");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(all()).doesNotContain("lost", "masked", "bad");
    }

    @Test
    void requestsForThemAreRefusedAsForAnyUnitThatIsNotThere() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);

        for (String name : new String[] {"lost", "nowhere"}) {
            assertThat(systemctl(5, "start", name))
                    .contains("Unit %s.service not found.".formatted(name));
            assertThat(systemctl(5, "stop", name))
                    .contains("Unit %s.service not loaded.".formatted(name));
            assertThat(stage.start(name)).isEqualTo(JobResult.INVALID);
        }
        assertThat(all()).contains("lost.service").doesNotContain("nowhere");
    }

    @Test
    void aRequiredOneRefusesTheStartOfAUnitThatOnlyTheFirstOneLoaded() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.serviceWith("b", "Requires=lost.service", SLEEP);
        stage.serviceWith("c", "Requisite=lost.service", SLEEP);
        stage.serviceWith("d", "Requires=masked.service", SLEEP);
        stage.serviceWith("e", "Wants=b.service", SLEEP);

        assertThat(systemctl(5, "start", "b")).contains("Unit lost.service not found.");
        assertThat(systemctl(5, "start", "c")).contains("Unit lost.service not found.");
        assertThat(systemctl(1, "start", "d")).contains("Unit masked.service is masked.");
        assertThat(stage.start("e")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("b")).startsWith("inactive");
    }

    @Test
    void oneThatGetsItsFileIsLoadedByTheNextRequest() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.service("lost", SLEEP);

        assertThat(systemctl(0, "show", "lost", "-p", "LoadState")).contains("=loaded");
        assertThat(all()).containsPattern("(?m)^lost.service +loaded +inactive +dead");
        assertThat(stage.start("lost")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("lost")).isEqualTo(JobResult.DONE);
    }

    @Test
    void oneThatBecomesAnAliasIsTheOtherUnit() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.service("real", SLEEP);
        Files.createSymbolicLink(
                stage.unitFolder().resolve("lost.service"),
                stage.unitFolder().resolve("real.service"));

        assertThat(stage.start("lost")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("real")).startsWith("active");
        assertThat(all()).contains("real.service").doesNotContain("lost.service");
    }

    @Test
    @Needs(programs = "systemd-run")
    void oneMayBeMadeAtRunTime() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);

        assertThat(
                        Tool.run(
                                        Systemctl.of(stage).environment(),
                                        "systemd-run",
                                        "--user",
                                        "--unit=lost",
                                        "/bin/sleep",
                                        "1000")
                                .status())
                .isZero();
        assertThat(stage.state("lost")).startsWith("active");
        assertThat(stage.stop("lost")).isEqualTo(JobResult.DONE);
    }
}
