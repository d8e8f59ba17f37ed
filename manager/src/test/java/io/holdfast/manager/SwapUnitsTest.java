package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.file.SwapTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Swaps of a machine that is thrown away: none may page out to a file of a test elsewhere. */
@Timeout(120)
@Needs(
        root = true,
        disposableMachine = true,
        files = "/var/tmp/lost+found", // where the kernel has drivers of the disk
        programs = {"mkswap", "swapon", "swapoff"})
class SwapUnitsTest {
    /** A file system with disk blocks, unlike those of the other folders of such a machine. */
    private static final Path DISK = Path.of("/var/tmp");

    @TempDir private Path folder;
    private Stage stage;
    private Path file;
    private String unit;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        file = Files.createTempFile(DISK.toRealPath(), "swap", "");
        unit = UnitEscape.escapePath(file.toString()) + ".swap";
        Files.write(file, new byte[1 << 20]);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertThat(succeeds("mkswap", file.toString())).isTrue();
        stage.unit(
                unit,
                "[Unit]\nDefaultDependencies=no\n[Swap]\nWhat=%s\nPriority=7\n".formatted(file));
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        if (isUsed()) {
            assertThat(succeeds("swapoff", file.toString())).isTrue();
        }
        Files.delete(file);
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        return Run.of(command).run().exit().isSuccess();
    }

    private boolean isUsed() {
        return SwapTable.read(Set.of()).at(file.toString()).isPresent();
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
    void aSwapIsUsedWithItsPriorityWhileItsUnitIsActive() throws Exception {
        assertThat(stage.start(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("active/active success");
        assertThat(SwapTable.read(Set.of()).at(file.toString())).contains(7);
        assertThat(stage.stop(unit)).isEqualTo(JobResult.DONE);
        assertThat(stage.state(unit)).isEqualTo("inactive/dead success");
        assertThat(isUsed()).isFalse();
    }

    @Test
    void swapsByOthersAreNoticed() throws Exception {
        stage.start(unit);
        stage.keep(unit);
        assertThat(succeeds("swapoff", file.toString())).isTrue();
        awaitState("inactive/dead success");
        assertThat(succeeds("swapon", file.toString())).isTrue();
        awaitState("active/active success");
    }

    @Test
    void aFileThatIsNoSwapFailsItsUnit() throws Exception {
        Files.write(file, new byte[1 << 20]);
        assertThat(stage.start(unit)).isEqualTo(JobResult.FAILED);
        assertThat(stage.state(unit)).isEqualTo("failed/failed exit-code");
    }
}
