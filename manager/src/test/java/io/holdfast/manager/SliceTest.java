package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Needs;
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

/** Slices: units that exist by their names, and that contain other units. */
@Timeout(120)
class SliceTest {
    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        stage.service("a", "Slice=x-y.slice", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    /** Returns a path in the cgroup of the manager's slice, if there are cgroups. */
    private Path cgroup(String below) {
        return Path.of(
                Cgroup.mountPoint() + stage.manager().slice().orElseThrow().path() + "/" + below);
    }

    @Test
    void theSlicesOfAServiceAreActiveWithIt() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("x-y.slice")).isEqualTo("active/active success");
        assertThat(stage.state("x.slice")).isEqualTo("active/active success");
        assertThat(stage.state("-.slice")).isEqualTo("active/active success");
        assertThat(stage.status("x-y.slice").description()).isEqualTo("Slice /x/y");
        assertThat(stage.status("x-y.slice").cgroup())
                .isEqualTo(
                        stage.manager().slice().map(slice -> slice.path() + "/x.slice/x-y.slice"));
    }

    @Test
    void whatIsInASliceStopsWithIt() throws Exception {
        stage.service("beside", "Slice=z.slice", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        stage.start("beside");

        assertThat(stage.stop("x.slice")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(stage.state("x-y.slice")).isEqualTo("inactive/dead success");
        assertThat(stage.state("beside")).isEqualTo("active/running success");
        if (stage.manager().slice().isPresent()) {
            assertThat(cgroup("x.slice")).doesNotExist();
            assertThat(cgroup("z.slice")).exists();
        }
    }

    @Test
    void aSliceIsStartedByItsNameAndFilesAddToIt() throws Exception {
        stage.unit("v-w.slice.d/more.conf", "[Unit]\nDescription=Of two parts\n");
        assertThat(stage.start("v-w.slice")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("v-w.slice").description()).isEqualTo("Of two parts");
        assertThat(stage.state("v.slice")).isEqualTo("active/active success");
        if (stage.manager().slice().isPresent()) {
            assertThat(cgroup("v.slice/v-w.slice")).isDirectory();
        }
        assertThat(stage.start("v--w.slice")).isEqualTo(JobResult.INVALID);
    }

    @Test
    void instancesAreInASliceOfTheirTemplate() throws Exception {
        stage.service("i@", "ExecStart=/bin/sleep 1000");
        stage.start("i@1.service");
        assertThat(stage.state("system-i.slice")).isEqualTo("active/active success");
        assertThat(stage.stop("system-i.slice")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("i@1.service")).isEqualTo("inactive/dead success");
    }

    @Test
    void slicesStayWhenATargetIsIsolated() throws Exception {
        stage.unit("alone.target", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n");
        stage.start("a");
        CompletableFuture<UnitJob> job = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        stage.manager()
                                .view()
                                .jobs()
                                .enqueue(
                                        UnitName.of("alone.target"),
                                        JobType.START,
                                        JobMode.ISOLATE,
                                        job));
        var _ = Stage.get(job);
        stage.happenings().awaitRest("a.service");
        assertThat(stage.state("x-y.slice")).isEqualTo("active/active success");
        assertThat(stage.happenings().lines())
                .noneMatch(line -> line.contains("cannot be stopped too"));
    }

    @Test
    void aSliceThatIsMaskedLetsServicesStart() throws Exception {
        Files.createSymbolicLink(stage.unitFolder().resolve("x.slice"), Path.of("/dev/null"));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
    }

    @Test
    @Needs(programs = "systemctl")
    void theSystemsSliceIsAlwaysThereAndCannotBeStopped() throws Exception {
        stage.service("plain", "ExecStart=/bin/sleep 1000");
        try (var _ =
                io.holdfast.manager.systemd1.Systemd1.serve(
                        stage.manager(), stage.runtimeDirectory())) {
            Systemctl systemctl = Systemctl.of(stage);
            String _ = systemctl.expect(0, "start", "plain");
            assertThat(systemctl.run("stop", "system.slice").output())
                    .contains("Job type stop is not applicable for unit system.slice.");
            assertThat(
                            systemctl.expect(
                                    0, "show", "system.slice", "-p", "Perpetual", "-p", "Slice"))
                    .contains("Perpetual=yes", "Slice=-.slice");
            assertThat(systemctl.expect(0, "show", "plain", "-p", "Requires", "--value").strip())
                    .isEqualTo("system.slice");
        }
        assertThat(stage.state("plain")).isEqualTo("active/running success");
    }
}
