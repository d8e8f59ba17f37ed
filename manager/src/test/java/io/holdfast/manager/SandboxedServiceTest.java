package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.exec.DynamicUids;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
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

/** The life of sandboxed services, and that nothing of the sandbox is left. */
@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES)
class SandboxedServiceTest {
    @TempDir private Path folder;
    private Stage stage;
    private String mounts = "";

    @BeforeEach
    void open() throws Exception {
        mounts = Files.readString(Path.of("/proc/self/mountinfo"));
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        assertThat(Path.of("/proc/self/mountinfo")).hasContent(mounts);
    }

    private static List<Path> temporary(String invocation) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String base : List.of("/tmp", "/var/tmp")) {
            try (Stream<Path> files = Files.list(Path.of(base))) {
                files.filter(file -> file.toString().contains("private-" + invocation))
                        .forEach(found::add);
            }
        }
        return found;
    }

    @Test
    void aStartFailsRatherThanToBeUnprotected() throws Exception {
        Path mark = folder.resolve("mark");
        stage.service("a", "InaccessiblePaths=/no/such/path", "ExecStart=/bin/touch " + mark);
        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        assertThat(stage.status("a").mainExit()).contains(new Exit.Exited(226));
        assertThat(stage.happenings().await("/no/such/path is missing")).contains("226");
        assertThat(mark).doesNotExist();
    }

    @Test
    void theProgramsOfTheMachineAreNotExecutedInPlaceOfThoseOfAnotherRoot() throws Exception {
        Path mark = folder.resolve("mark");
        for (String root : List.of("RootDirectory=/no/such", "RootImage=/x")) {
            stage.service("a", root, "ExecStart=/bin/touch " + mark);
            assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
            assertThat(stage.status("a").mainExit()).contains(new Exit.Exited(226));
            assertThat(stage.happenings().await(root)).contains("226");
            assertThat(mark).doesNotExist();
        }
        stage.service("b", "Type=oneshot", "RootDirectory=/", "ExecStart=/bin/touch " + mark);
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
        assertThat(mark).exists();
    }

    @Test
    void aUnitJoinsTheNamespacesOfAnother() throws Exception {
        String parts = "PrivateNetwork=yes\nPrivateIPC=yes\nPrivateTmp=yes\n";
        String shown = "echo $(readlink /proc/self/ns/net /proc/self/ns/ipc) $(cat /tmp/shared)";
        stage.service(
                "first",
                parts,
                "ExecStart=/bin/sh -c 'echo x > /tmp/shared; echo first "
                        + shown
                        + "; exec sleep 1000'",
                "ExecStartPost=/bin/sh -c 'until [ -e /tmp/shared ]; do :; done'");
        stage.unit(
                "second.service",
                "[Unit]\nJoinsNamespaceOf=first.service\n[Service]\n"
                        + parts
                        + "ExecStart=/bin/sh -c 'echo second "
                        + shown
                        + "; exec sleep 1000'\nExecReload=/bin/sh -c 'echo later "
                        + shown
                        + "'\n");
        stage.service(
                "other", "Type=oneshot", parts, "ExecStart=/bin/sh -c 'echo other " + shown + "'");
        for (String unit : List.of("first", "second", "other")) {
            assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        }
        String first = shown("first");
        assertThat(first).endsWith(" x");
        assertThat(shown("second")).isEqualTo(first);
        assertThat(shown("other")).isNotEqualTo(first).doesNotEndWith("x");
        assertThat(stage.stop("first")).isEqualTo(JobResult.DONE);
        UnitName second = UnitName.ofUserInput("second");
        assertThat(Stage.get(stage.manager().reload(List.of(second))))
                .containsEntry(second, JobResult.DONE);
        assertThat(shown("later")).isEqualTo(first);
    }

    /** Returns what a unit has written after a word. */
    private String shown(String word) throws InterruptedException {
        String line = stage.happenings().await("| " + word + " ");
        return line.substring(line.indexOf("| " + word) + word.length() + 3);
    }

    @Test
    void itsMainProcessIsTheOneThatWasSpawned() throws Exception {
        stage.service(
                "a",
                "Type=notify",
                "WatchdogSec=1min",
                "ProtectSystem=strict",
                "PrivateNetwork=yes",
                "ProtectHostname=yes",
                "ReadWritePaths=" + folder,
                "ExecStart="
                        + stage.python(
                                "a",
                                """
                                say("%d %s" % (os.getpid(), os.environ["WATCHDOG_PID"]))
                                notify("READY=1")
                                signal.pause()
                                """));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        try (PidFd main = stage.hold("a")) {
            String pid = Integer.toString(main.pid());
            assertThat(stage.happenings().await("a.service | " + pid)).endsWith(pid + " " + pid);
        }
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
    }

    @Test
    void eachRunHasTemporaryFoldersThatGoWithIt() throws Exception {
        stage.service("a", "PrivateTmp=yes", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        String first = stage.status("a").invocationId();
        assertThat(temporary(first)).hasSize(2);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        String second = stage.status("a").invocationId();
        assertThat(temporary(first)).isEmpty();
        assertThat(temporary(second)).hasSize(2);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(temporary(second)).isEmpty();
    }

    @Test
    void aDynamicUserIsFreeWhenTheUnitIsDown() throws Exception {
        Path locks = Path.of("/run/holdfast/dynamic-uid");
        stage.service(
                "hf-dynamic", "DynamicUser=yes", "ExecStart=/bin/sh -c 'echo up; exec sleep 1000'");
        assertThat(stage.start("hf-dynamic")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().await("hf-dynamic.service | up");
        long uid;
        try (PidFd main = stage.hold("hf-dynamic")) {
            uid = main.info().credentials().orElseThrow().effectiveUid();
        }
        assertThat(uid).isBetween(DynamicUids.FIRST, DynamicUids.LAST);
        assertThat(locks.resolve(Long.toString(uid))).hasContent("hf-dynamic");
        assertThat(stage.stop("hf-dynamic")).isEqualTo(JobResult.DONE);
        assertThat(locks.resolve(Long.toString(uid))).doesNotExist();
    }

    @Test
    void aServiceCanWatchTheMemoryPressureOfItsCgroup() throws Exception {
        stage.service(
                "hf-pressure",
                "User=nobody",
                "ProtectControlGroups=yes",
                "ExecStart=/bin/sh -c 'echo \"$MEMORY_PRESSURE_WRITE\" | base64 -d >\"$MEMORY_PRESSURE_WATCH\" && echo \"watching $MEMORY_PRESSURE_WATCH\"; exec sleep 1000'");
        assertThat(stage.start("hf-pressure")).isEqualTo(JobResult.DONE);
        String line = stage.happenings().await("hf-pressure.service | watching");
        assertThat(line).endsWith("hf-pressure.service/memory.pressure");
        assertThat(stage.stop("hf-pressure")).isEqualTo(JobResult.DONE);
    }
}
