package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitEscape;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Units of types that a user's manager cannot run, and what depends on them. */
@Timeout(120)
class UnsupportedKindsTest {
    private static final String BARE = "[Unit]\nDefaultDependencies=no\n";

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.ofUser(folder);
        stage.unit("nothing.swap", BARE + "[Swap]\nWhat=/nothing\n");
        stage.unit("dev-nothing.device", "[Unit]\nJobRunningTimeoutSec=100ms\n");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void needing(String name, String unitLines) throws Exception {
        stage.serviceWith(name, unitLines, "ExecStart=/bin/sleep 1000");
    }

    @Test
    void aSwapIsNotStarted() throws Exception {
        assertThat(stage.start("nothing.swap")).isEqualTo(JobResult.UNSUPPORTED);
        assertThat(stage.start("nosuch.swap")).isEqualTo(JobResult.INVALID);
    }

    @Test
    void whatRequiresOneFailsAndWhatWantsOneGoesOn() throws Exception {
        needing("requiring", "Requires=nothing.swap\nAfter=nothing.swap");
        needing("bound", "BindsTo=dev-nothing.device\nAfter=dev-nothing.device");
        needing("wanting", "Wants=nothing.swap dev-nothing.device\nAfter=nothing.swap");

        assertThat(stage.start("requiring")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.start("bound")).isEqualTo(JobResult.DEPENDENCY);
        assertThat(stage.start("wanting")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("requiring")).isEqualTo("inactive/dead success");
        assertThat(stage.state("wanting")).isEqualTo("active/running success");
    }

    @Test
    void aMountIsMetWhereSomethingIsMounted() throws Exception {
        needing("root", "Requires=-.mount\nAfter=-.mount");
        String nowhere = UnitEscape.escapePath(folder.resolve("nowhere").toString()) + ".mount";
        stage.unit(nowhere, BARE + "[Mount]\nWhat=none\nWhere=" + folder + "/nowhere\n");
        needing("nowhere", "Requires=" + nowhere.replace("\\", "\\\\") + "\nAfter=" + nowhere);

        assertThat(stage.start("root")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("nowhere")).isEqualTo(JobResult.DEPENDENCY);
    }

    @Test
    void aScopeHasNoFile() throws Exception {
        stage.unit("s.scope", "[Scope]\n");
        assertThat(stage.start("s.scope")).isEqualTo(JobResult.INVALID);
        assertThat(stage.status("s.scope").loadState()).isEqualTo("not-found");
        assertThat(stage.status("s.scope").diagnostics())
                .anySatisfy(said -> assertThat(said.text()).contains("created at run time only"));
    }

    @Test
    @Needs(programs = "systemctl")
    void systemctlSaysWhatIsNotThere() throws Exception {
        Files.createSymbolicLink(
                stage.unitFolder().resolve("masked.service"), Path.of("/dev/null"));
        needing("of-masked", "Requires=masked.service");
        needing("of-nothing", "Requires=nothing.timer");
        needing("of-unsupported", "Requires=nothing.swap\nAfter=nothing.swap");
        try (var _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            Systemctl systemctl = Systemctl.of(stage);
            assertThat(systemctl.expect(1, "start", "nothing.swap"))
                    .contains("unit type of nothing.swap not supported on this system");
            assertThat(systemctl.expect(1, "start", "of-unsupported"))
                    .contains("A dependency job for of-unsupported.service failed");
            assertThat(systemctl.expect(1, "start", "of-masked"))
                    .contains("Unit masked.service is masked");
            assertThat(systemctl.expect(5, "start", "of-nothing"))
                    .contains("Unit nothing.timer not found");
        }
    }
}
