package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The default dependencies of units. */
@Timeout(120)
class DefaultDependenciesTest {
    private static final String SLEEP = "[Service]\nExecStart=/bin/sleep 1000\n";

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        stage.unit("a.service", SLEEP);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    @Test
    @Needs(programs = "systemctl")
    void theyAreShownWithThoseThatAreWritten() throws Exception {
        stage.unit("b.socket", "[Unit]\nAfter=x.target\n[Socket]\nListenStream=/nowhere\n");
        stage.unit("t.target", "[Unit]\nWants=a.service\n");
        try (var _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            assertThat(shown("a.service"))
                    .containsExactlyInAnyOrder(
                            "Requires=system.slice sysinit.target",
                            "Conflicts=shutdown.target",
                            "Before=shutdown.target",
                            "After=system.slice sysinit.target basic.target systemd-journald.socket");
            assertThat(shown("b.socket"))
                    .containsExactlyInAnyOrder(
                            "Requires=system.slice sysinit.target",
                            "Conflicts=shutdown.target",
                            "Before=b.service sockets.target shutdown.target",
                            "After=x.target system.slice sysinit.target");
            assertThat(shown("t.target"))
                    .containsExactlyInAnyOrder(
                            "Requires=",
                            "Conflicts=shutdown.target",
                            "Before=shutdown.target",
                            "After=a.service");
            stage.unit("a.service", "[Unit]\nDefaultDependencies=no\n" + SLEEP);
            assertThat(shown("a.service"))
                    .containsExactlyInAnyOrder(
                            "Requires=system.slice",
                            "Conflicts=",
                            "Before=",
                            "After=system.slice systemd-journald.socket");
        }
    }

    private List<String> shown(String unit) throws Exception {
        return Systemctl.of(stage)
                .expect(0, "show", unit, "-p", "Requires,Conflicts,Before,After")
                .lines()
                .toList();
    }

    @Test
    void targetsThatAreNotThereAreNotMissed() throws Exception {
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().lines()).noneMatch(line -> line.contains("sysinit"));
    }

    @Test
    void theEndOfTheSystemStopsWhatDoesNotOptOut() throws Exception {
        stage.unit("stays.service", "[Unit]\nDefaultDependencies=no\n" + SLEEP);
        stage.unit("shutdown.target", "[Unit]\nDefaultDependencies=no\n");
        stage.start("a");
        stage.start("stays");

        assertThat(stage.start("shutdown.target")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(stage.state("stays")).isEqualTo("active/running success");
    }

    @Test
    void theBeginningOfTheSystemComesFirst() throws Exception {
        String order = folder.resolve("order").toString();
        stage.unit("sysinit.target", "[Unit]\nDefaultDependencies=no\nWants=early.service\n");
        stage.unit(
                "early.service",
                "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n[Service]\nType=oneshot\n"
                        + "ExecStart=/bin/sh -c 'echo early >>"
                        + order
                        + "'\n");
        stage.unit(
                "late.service",
                "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo late >>" + order + "'\n");

        assertThat(stage.start("late")).isEqualTo(JobResult.DONE);
        assertThat(Files.readAllLines(folder.resolve("order"))).containsExactly("early", "late");
        assertThat(stage.state("sysinit.target")).isEqualTo("active/active success");
    }
}
