package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Paths that start services. */
@Timeout(120)
class PathUnitsTest {
    private static final String WAITING = "active/waiting success";
    private static final String RUNNING = "active/running success";

    @TempDir private Path folder;
    private Stage stage;
    private Path log;
    private Path file;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        log = folder.resolve("log");
        file = folder.resolve("deep/er/file");
        stage.service("a", "Type=oneshot", "ExecStart=/bin/sh -c 'echo ran >>" + log + "'");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void path(String name, String... lines) throws Exception {
        stage.unit(
                name + ".path",
                "[Unit]\nDefaultDependencies=no\n[Path]\n" + String.join("\n", lines) + "\n");
    }

    private int runs() {
        try {
            return Files.exists(log) ? Files.readAllLines(log).size() : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitState(String unit, String state) {
        Await.until(() -> {
            try {
                return stage.state(unit).equals(state);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** The service removes the file, as the consumer of a spool does. */
    private void consumer() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'rm -rf " + file + "; echo ran >>" + log + "'");
    }

    @Test
    void aFileThatAppearsInFoldersThatAppearStartsTheService() throws Exception {
        consumer();
        path("a", "PathExists=" + file);
        assertThat(stage.start("a.path")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.path")).isEqualTo(WAITING);
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        Await.until(() -> runs() == 1);
        awaitState("a.path", WAITING);
        Files.delete(file.getParent());
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        Await.until(() -> runs() == 2);
    }

    @Test
    void theServiceKnowsWhichPathHasStartedIt() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo $TRIGGER_UNIT $TRIGGER_PATH >>" + log + "'");
        path("a", "PathChanged=" + file);
        stage.start("a.path");
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        Await.until(() -> runs() > 0); // a file that is made and closed may start it twice
        assertThat(log).content().startsWith("a.path " + file + "\n");
        awaitState("a.path", WAITING);
        stage.stop("a.path");
        Path other = Files.createFile(file.resolveSibling("other"));
        path(
                "b",
                "PathExists=" + file + "x",
                "PathModified=" + file,
                "PathChanged=" + other,
                "Unit=a.service");
        stage.start("b.path");
        Await.until(() -> {
            try {
                Path _ = Files.writeString(other, "x"); // until it is watched
                return Files.readAllLines(log).contains("b.path " + other);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Test
    void aFileThatIsThereStartsTheServiceAtOnce() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        stage.service("a", "ExecStart=/bin/sleep 1000");
        path("a", "PathExists=" + file);
        stage.start("a.path");
        awaitState("a.service", RUNNING);
        assertThat(stage.state("a.path")).isEqualTo(RUNNING);
        Files.delete(file);
        stage.stop("a.service");
        awaitState("a.path", WAITING);
    }

    @Test
    void aPatternIsMetByANewFile() throws Exception {
        consumer();
        Files.createDirectories(file.getParent());
        path("a", "PathExistsGlob=" + file.getParent() + "/f*e");
        stage.start("a.path");
        Files.createFile(file.resolveSibling("other"));
        Files.createFile(file);
        Await.until(() -> runs() == 1);
    }

    @Test
    void aFolderWithAFileIsNotEmpty() throws Exception {
        consumer();
        Files.createDirectories(file.getParent());
        path("a", "DirectoryNotEmpty=" + file.getParent());
        stage.start("a.path");
        Files.createFile(file.resolveSibling(".hidden"));
        Files.createFile(file);
        Await.until(() -> runs() == 1);
        awaitState("a.path", WAITING);
    }

    @Test
    void aWrittenFileHasChangedOnceItIsClosed() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        path("a", "PathChanged=" + file);
        stage.start("a.path");
        awaitWatch();
        assertThat(runs()).isZero();
        Files.writeString(file, "x");
        Await.until(() -> runs() == 1);
        awaitState("a.path", WAITING);
    }

    @Test
    void aFileThatVanishesHasChanged() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        path("a", "PathChanged=" + file);
        stage.start("a.path");
        awaitWatch();
        Files.delete(file);
        Await.until(() -> runs() >= 1);
    }

    @Test
    void aWriteModifiesAnOpenFile() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        path("a", "PathModified=" + file);
        stage.start("a.path");
        awaitWatch();
        try (var open = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
            open.write('x');
            Await.until(() -> runs() >= 1);
        }
    }

    /** Until the file is watched: the kernel shows the watches of an inotify descriptor. */
    private void awaitWatch() {
        long inode;
        try {
            inode = (Long) Files.getAttribute(file, "unix:ino");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Await.until(() -> isWatched(Long.toHexString(inode)));
    }

    private static boolean isWatched(String inode) {
        try (var all = Files.list(Path.of("/proc/self/fdinfo"))) {
            return all.anyMatch(info -> {
                try {
                    return Files.readString(info).contains(" ino:" + inode + " ");
                } catch (IOException e) {
                    return false; // closed meanwhile
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void foldersAreMadeWithTheirMode() throws Exception {
        path("a", "PathChanged=" + file, "MakeDirectory=yes", "DirectoryMode=0710");
        assertThat(stage.start("a.path")).isEqualTo(JobResult.DONE);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rwx--x---");
    }

    @Test
    void aServiceThatDoesNotRemoveItsFileHitsTheLimit() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        stage.serviceWith("a", "StartLimitIntervalSec=0", "Type=oneshot", "ExecStart=/bin/true");
        path("a", "PathExists=" + file, "TriggerLimitBurst=3", "TriggerLimitIntervalSec=1h");
        stage.keep("a.path");
        stage.start("a.path");
        stage.happenings().await("a.path: ERROR trigger limit hit");
        assertThat(stage.state("a.path")).isEqualTo("failed/failed trigger-limit-hit");
    }

    @Test
    void theStartLimitOfTheServiceEndsTheWait() throws Exception {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        stage.serviceWith(
                "a",
                "StartLimitIntervalSec=1h\nStartLimitBurst=2",
                "Type=oneshot",
                "ExecStart=/bin/true");
        path("a", "PathExists=" + file);
        stage.keep("a.path", "a.service");
        stage.start("a.path");
        stage.happenings().await("a.path: ERROR a.service: start limit hit");
        assertThat(stage.state("a.path")).isEqualTo("failed/failed unit-start-limit-hit");
    }

    @Test
    void aPathOfAMissingUnitDoesNotStart() throws Exception {
        path("lost", "PathExists=" + file);
        assertThat(stage.start("lost.path")).isEqualTo(JobResult.FAILED);
        assertThat(stage.happenings().lines())
                .anyMatch(line -> line.contains("Unit=lost.service: there is no such unit"));
    }

    @Test
    @Needs(programs = "systemctl")
    void systemctlShowsPathsAsSystemdDoes() throws Exception {
        path("a", "PathExists=" + file, "PathModified=" + log);
        stage.start("a.path");
        try (var _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            Systemctl systemctl = Systemctl.of(stage);
            assertThat(systemctl.expect(0, "list-paths"))
                    .contains(file.toString(), "PathExists", "2 paths listed");
            assertThat(systemctl.expect(0, "status", "a.path"))
                    .contains("Active: active (waiting)", "Triggers: ● a.service");
        }
    }
}
