package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.section.MountUnit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Mounts that units make, with the kernel's own file systems. */
@Timeout(120)
@Needs(root = true)
class MountUnitsTest {
    private static final String MOUNTED = "active/mounted success";

    @TempDir private Path folder;
    private Stage stage;
    private Path where;
    private String unit;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        where = folder.toRealPath().resolve("deep/er");
        unit = MountUnit.nameOf(where.toString());
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        while (isMounted()) {
            assertThat(succeeds("umount", "-l", where.toString())).isTrue();
        }
    }

    private void mount(String... lines) throws Exception {
        stage.unit(
                unit,
                "[Unit]\nDefaultDependencies=no\n[Mount]\nWhere=%s\n%s\n"
                        .formatted(where, String.join("\n", lines)));
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        return Run.of(command).run().exit().isSuccess();
    }

    private boolean isMounted() {
        return MountTable.read().at(where.toString()).isPresent();
    }

    private void awaitState(String state) {
        Await.until(() -> {
            try {
                return stage.state(unit).equals(state);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void aFileSystemIsMountedAndUnmounted() throws Exception {
        mount("What=none", "Type=tmpfs", "Options=size=64k,nofail");
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo(MOUNTED);
        assertThat(MountTable.read().at(where.toString()))
                .hasValueSatisfying(mounted -> assertThat(mounted.options()).contains("size=64k"));
        assertThat(stage.start(unit)).as("again").isEqualTo(JobResult.DONE);
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        assertThat(isMounted()).isFalse();
    }

    @Test
    void aBindMountShowsAFolderThatIsMadeForIt() throws Exception {
        Path what = folder.resolve("shown");
        mount("What=" + what, "Options=bind", "DirectoryMode=0700");
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        Files.createFile(where.resolve("file"));
        assertThat(what.resolve("file")).exists();
    }

    @Test
    void aMountThatFailsFailsItsUnit() throws Exception {
        mount("What=/dev/null", "Type=ext4");
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).isEqualTo("failed/failed exit-code");
        assertThat(stage.status(unit).log()).anyMatch(line -> line.contains("/dev/null"));
    }

    @Test
    void mountsByOthersAreNoticed() throws Exception {
        mount("What=none", "Type=tmpfs");
        stage.start(unit);
        stage.keep(unit);
        assertThat(succeeds("umount", where.toString())).isTrue();
        awaitState("inactive/dead success");
        assertThat(succeeds("mount", "-t", "tmpfs", "none", where.toString())).isTrue();
        awaitState(MOUNTED);
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(isMounted()).isFalse();
    }

    @Test
    void whatIsMountedAlreadyIsNotMountedAgain() throws Exception {
        Files.createDirectories(where);
        assertThat(succeeds("mount", "-t", "tmpfs", "-o", "size=32k", "none", where.toString()))
                .isTrue();
        mount("What=none", "Type=tmpfs", "Options=size=64k");
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        assertThat(MountTable.read().at(where.toString()))
                .hasValueSatisfying(mounted -> assertThat(mounted.options()).contains("size=32k"));
    }

    @Test
    void whatOthersHaveMountedIsUnmountedWithoutCgroups() throws Exception {
        Files.createDirectories(where);
        assertThat(succeeds("mount", "-t", "tmpfs", "none", where.toString())).isTrue();
        stage.close();
        stage = Stage.ofUser(folder);
        mount("What=none", "Type=tmpfs");
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(isMounted()).isFalse();
    }

    @Test
    void aReloadChangesTheOptions() throws Exception {
        mount("What=none", "Type=tmpfs", "Options=size=64k");
        stage.start(unit);
        mount("What=none", "Type=tmpfs", "Options=size=128k");
        stage.manager().reloadFiles().get();
        UnitName name = UnitName.of(unit);
        assertThat(stage.manager().reload(List.of(name)).get()).containsValue(JobResult.DONE);
        assertThat(MountTable.read().at(where.toString()))
                .hasValueSatisfying(mounted -> assertThat(mounted.options()).contains("size=128k"));
        assertThat(stage.state(unit)).isEqualTo(MOUNTED);
    }

    @Test
    void whatIsInUseStaysMountedUnlessItMayBeDetached() throws Exception {
        mount("What=none", "Type=tmpfs");
        stage.service("user", "ExecStart=/bin/sleep 1000", "WorkingDirectory=-" + where);
        stage.start(unit);
        stage.start("user.service");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).startsWith("active/mounted");
        mount("What=none", "Type=tmpfs", "LazyUnmount=yes");
        stage.stop("user.service");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        stage.manager().reloadFiles().get();
        stage.start(unit);
        stage.start("user.service");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(isMounted()).isFalse();
    }

    @Test
    void aServiceThatNeedsAPathStartsAfterItsMount() throws Exception {
        mount("What=none", "Type=tmpfs");
        stage.serviceWith(
                "user",
                "RequiresMountsFor=" + where.resolve("data"),
                "Type=oneshot",
                "ExecStart=/bin/mkdir " + where.resolve("data"));
        assertThat(stage.start("user.service")).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo(MOUNTED);
        assertThat(where.resolve("data")).isDirectory();
        stage.stop(unit);
        assertThat(where.resolve("data")).doesNotExist();
    }

    @Test
    void aServiceThatWantsAPathStartsAlsoIfItsMountFails() throws Exception {
        mount("What=/dev/null", "Type=ext4");
        stage.serviceWith("user", "WantsMountsFor=" + where, "Type=oneshot", "ExecStart=/bin/true");
        assertThat(stage.start("user.service")).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("failed/failed exit-code");
    }

    /** The file to be mounted is under a lease of its owner, on which mount(8) waits 45 s. */
    private HostileUser leased(String... lines) throws Exception {
        Path file = Files.createFile(folder.resolve("image"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        HostilePath.give(file, HostilePath.USER);
        mount(
                Stream.concat(
                                Stream.of("What=" + file, "Type=ext4", "Options=loop"),
                                Stream.of(lines))
                        .toArray(String[]::new));
        return HostileUser.leasing(HostilePath.USER, file);
    }

    @Test
    @Needs(
            root = true,
            programs = {"gcc", "setpriv"})
    void aMountThatHangsIsEndedAfterItsTimeLimit() throws Exception {
        try (HostileUser _ = leased("TimeoutSec=300ms")) {
            assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
            assertThat(stage.state(unit)).isEqualTo("failed/failed timeout");
        }
    }

    @Test
    @Needs(
            root = true,
            programs = {"gcc", "setpriv"})
    void aMountThatHangsCanBeStopped() throws Exception {
        try (HostileUser _ = leased()) {
            CompletableFuture<JobResult> start = stage.starting(unit);
            awaitState("activating/mounting success");
            assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
            assertThat(start.get()).isEqualTo(JobResult.CANCELED);
            assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        }
    }

    @Test
    void aStopEndsIfItsCommandIsKilledForBeingLate() throws Exception {
        mount("What=/dev/null", "Type=ext4", "TimeoutSec=1ms");
        stage.service("user", "ExecStart=/bin/sleep 1000", "WorkingDirectory=-" + where);
        Files.createDirectories(where);
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(succeeds("mount", "-t", "tmpfs", "none", where.toString())).isTrue();
        awaitState(MOUNTED);
        stage.start("user.service");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).startsWith("active/mounted");
        mount("What=none", "Type=tmpfs");
        stage.manager().reloadFiles().get();
        var _ = stage.manager().reload(List.of(UnitName.of(unit))).get();
        stage.stop("user.service");
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
    }

    @Test
    void aPathThroughASymbolicLinkIsRefused() throws Exception {
        Files.createDirectories(folder.resolve("other"));
        Files.createSymbolicLink(folder.resolve("deep"), folder.resolve("other"));
        mount("What=none", "Type=tmpfs");
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.status(unit).failure())
                .hasValueSatisfying(why -> assertThat(why).contains("by a symbolic link"));
        assertThat(stage.state(unit)).isEqualTo("failed/failed resources");
    }

    @Test
    void aUnitWithTheNameOfAnotherPathIsRefused() throws Exception {
        stage.unit("else.mount", "[Mount]\nWhat=none\nType=tmpfs\nWhere=" + where + "\n");
        assertThat(stage.status("else.mount").errors())
                .anyMatch(error -> error.message().contains("does not match the name of the unit"));
    }

    @Test
    void aFileSystemOfTheSystemIsRefused() throws Exception {
        stage.unit("proc.mount", "[Mount]\nWhat=none\nType=tmpfs\nWhere=/proc\n");
        assertThat(stage.status("proc.mount").errors())
                .anyMatch(error -> error.message().contains("of the system"));
    }
}
