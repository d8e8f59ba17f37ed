package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.sys.SysMount;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.section.MountUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Automounts with the kernel's autofs, and processes that walk into them. */
@Timeout(120)
@Needs(root = true, programs = "setsid", files = "/dev/autofs")
class AutomountUnitsTest {
    private static final String WAITING = "active/waiting success";
    private static final String RUNNING = "active/running success";

    @TempDir private Path folder;
    private final List<Process> walkers = new ArrayList<>();
    private Stage stage;
    private Path where;
    private String unit;
    private String mount;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        where = folder.toRealPath().resolve("deep/er");
        mount = MountUnit.nameOf(where.toString());
        unit = mount.replace(".mount", ".automount");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        while (SysMount.detach(where.toString()) == 0) {
            // of a test that has failed
        }
        for (Process walker : walkers) {
            assertThat(walker.waitFor()).isBetween(0, 255);
        }
    }

    private void automount(String... lines) throws Exception {
        stage.unit(
                unit,
                "[Unit]\nDefaultDependencies=no\n[Automount]\nWhere=%s\n%s\n"
                        .formatted(where, String.join("\n", lines)));
    }

    private void mount(String... lines) throws Exception {
        stage.unit(
                mount,
                "[Unit]\nDefaultDependencies=no\n[Mount]\nWhere=%s\n%s\n"
                        .formatted(where, String.join("\n", lines)));
    }

    /** Starts a process outside of the manager's process group that walks into the path. */
    private Process walk(String command) throws IOException {
        Process walker =
                new ProcessBuilder("setsid", "sh", "-c", command, "sh", where.toString())
                        .redirectErrorStream(true)
                        .start();
        walkers.add(walker);
        return walker;
    }

    private static String output(Process process) throws Exception {
        String text = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        process.waitFor();
        return text;
    }

    private void awaitState(String name, String state) {
        Await.until(() -> {
            try {
                return stage.state(name).equals(state);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private boolean isMounted() {
        return MountTable.read().at(where.toString()).isPresent();
    }

    @Test
    void anAccessMountsAndWaitsForTheMount() throws Exception {
        mount("What=none", "Type=tmpfs", "Options=size=64k");
        automount();
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo(WAITING);
        assertThat(isMounted()).isFalse();
        assertThat(output(walk("stat -f -c %T \"$1/.\""))).isEqualTo("tmpfs");
        assertThat(stage.state(mount)).isEqualTo("active/mounted success");
        awaitState(unit, RUNNING);
        assertThat(stage.stop(mount)).isEqualTo(JobResult.DONE);
        awaitState(unit, WAITING);
        assertThat(output(walk("stat -f -c %T \"$1/.\""))).as("again").isEqualTo("tmpfs");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .as("nothing is left")
                .doesNotContain(where.toString());
    }

    @Test
    void manyProcessesThatWaitGetOneMount() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount();
        stage.start(unit);
        String all =
                output(
                        walk(
                                "for i in $(seq 200); do ls \"$1/.\" & done; wait; stat -f -c %T \"$1/.\""));
        assertThat(all).isEqualTo("tmpfs");
        assertThat(stage.status(mount).log()).noneMatch(line -> line.contains("already mounted"));
        assertThat(SysMount.detach(where.toString())).isZero();
        assertThat(isMounted()).isFalse();
    }

    @Test
    void aMountThatFailsFailsTheAccess() throws Exception {
        mount("What=/dev/null", "Type=ext4");
        automount();
        stage.start(unit);
        assertThat(output(walk("ls \"$1/.\""))).contains("No such device");
        assertThat(stage.state(mount)).isEqualTo("failed/failed exit-code");
        awaitState(unit, WAITING);
        mount("What=none", "Type=tmpfs");
        stage.manager().reloadFiles().get();
        assertThat(output(walk("stat -f -c %T \"$1/.\""))).isEqualTo("tmpfs");
    }

    @Test
    void aStopFailsTheAccessThatWaits() throws Exception {
        mount("What=none", "Type=tmpfs");
        stage.serviceWith(
                "slow", "DefaultDependencies=no", "Type=oneshot", "ExecStart=/bin/sleep 1000");
        stage.unit(
                mount,
                "[Unit]\nDefaultDependencies=no\nRequires=slow.service\nAfter=slow.service\n"
                        + "[Mount]\nWhere=%s\nWhat=none\nType=tmpfs\n".formatted(where));
        automount();
        stage.start(unit);
        Process walker = walk("ls \"$1/.\"");
        awaitState("slow.service", "activating/start success");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(output(walker)).contains("Host is down");
        stage.stop("slow.service");
    }

    @Test
    void aStopEndsAlthoughProcessesKeepWalkingIntoThePath() throws Exception {
        stage.serviceWith(
                "slow", "DefaultDependencies=no", "Type=oneshot", "ExecStart=/bin/sleep 1000");
        stage.unit(
                mount,
                "[Unit]\nDefaultDependencies=no\nRequires=slow.service\nAfter=slow.service\n"
                        + "[Mount]\nWhere=%s\nWhat=none\nType=tmpfs\n".formatted(where));
        automount();
        stage.start(unit);
        for (int i = 0; i < 8; i++) {
            Process _ = walk("until [ -e \"$1/end\" ]; do :; done");
        }
        awaitState("slow.service", "activating/start success");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(isAutomountPoint()).as("an automount point is left").isFalse();
        Files.createFile(where.resolve("end"));
        stage.stop("slow.service");
    }

    private boolean isAutomountPoint() throws IOException {
        return Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + where + " ");
    }

    @Test
    void aStopEndsAStartThatIsUnderWay() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount();
        for (int i = 0; i < 20; i++) {
            var start = stage.starting(unit);
            assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
            assertThat(Stage.get(start)).isIn(JobResult.DONE, JobResult.CANCELED);
            assertThat(stage.start(mount)).isEqualTo(JobResult.DONE); // whatever is under way ends
            assertThat(stage.stop(mount)).isEqualTo(JobResult.DONE);
            assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        }
        assertThat(isAutomountPoint()).isFalse();
    }

    @Test
    void whatOthersHaveUnmountedIsMountedAgain() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount();
        stage.start(unit);
        for (int i = 0; i < 4; i++) {
            assertThat(output(walk("stat -f -c %T \"$1/.\""))).isEqualTo("tmpfs");
            assertThat(SysMount.detach(where.toString())).isZero();
        }
    }

    @Test
    void anIdleMountIsUnmounted() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount("TimeoutIdleSec=1s");
        stage.start(unit);
        assertThat(output(walk("stat -f -c %T \"$1/.\""))).isEqualTo("tmpfs");
        awaitState(mount, "inactive/dead success");
        awaitState(unit, WAITING);
        assertThat(output(walk("stat -f -c %T \"$1/.\""))).as("again").isEqualTo("tmpfs");
    }

    @Test
    void theManagerItselfDoesNotWait() throws Exception {
        mount("What=/dev/null", "Type=ext4");
        automount();
        stage.start(unit);
        try (Stream<Path> files = Files.list(where)) {
            assertThat(files).isEmpty();
        }
        assertThat(stage.state(unit)).isEqualTo(WAITING);
    }

    @Test
    void aPathThatIsMountedAlreadyIsRefused() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount();
        stage.start(mount);
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        assertThat(isMounted()).isTrue();
    }

    @Test
    void anAutomountWithoutAMountIsNotStarted() throws Exception {
        automount();
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
    }

    @Test
    void unknownOptionsFailTheStart() throws Exception {
        mount("What=none", "Type=tmpfs");
        automount("ExtraOptions=nosuchoption");
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.status(unit).failure())
                .hasValueSatisfying(why -> assertThat(why).contains("EINVAL"));
    }
}
