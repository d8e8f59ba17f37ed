package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LeftoversTest {
    private static final UnitName UNIT = UnitName.of("web.service");
    private static final String RUN = "0123456789abcdef0123456789abcdef";

    @TempDir private Path shared;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void share() throws IOException {
        Files.setAttribute(shared, "unix:mode", 01777);
    }

    /** Makes a folder as a killed manager leaves it: its lock is free. */
    private Path left(String name) throws IOException {
        Path outer = Files.createDirectory(shared.resolve(name));
        Files.setAttribute(outer, "unix:mode", 0700);
        Path inner = Files.createDirectories(outer.resolve("tmp/deep"));
        Files.writeString(inner.resolve("file"), "text");
        return outer;
    }

    private Path left(UUID boot, long cgroup) throws IOException {
        String hex = boot.toString().replace("-", "");
        return left(
                "holdfast-private-%s-%s-%x-web-%x".formatted(RUN, hex, cgroup, System.nanoTime()));
    }

    private int remove() {
        int count = Leftovers.removeIn(shared, _ -> false, warnings::add);
        assertThat(warnings).isEmpty();
        return count;
    }

    @Test
    void aFolderOfAnEarlierBootIsRemoved() throws Exception {
        left(UUID.randomUUID(), 1);
        left(UUID.randomUUID(), 0);
        assertThat(remove()).isEqualTo(2);
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    void aFolderThatIsHeldIsKept() throws Exception {
        String name = PrivateFolder.name(UNIT, RUN, Optional.empty());
        try (PrivateFolder held = PrivateFolder.make(shared.toString(), name)) {
            assertThat(remove()).isZero();
            Path inner = Path.of(held.path());
            assertThat(inner).isEmptyDirectory();
            assertThat(Files.getAttribute(inner, "unix:mode")).isEqualTo(0041777);
        }
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void aFolderIsRemovedWhenNoProcessOfItsRunIsAlive() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            Cgroup cgroup = scratch.cgroup();
            Path folder = left(ProcessId.currentBoot(), cgroup.id());
            Path ofAnother = left(ProcessId.currentBoot(), cgroup.id() + 1_000_000);
            Process process = new ProcessBuilder("sleep", "1000").start();
            try (PidFd held = PidFd.of(process)) {
                cgroup.attach(held);
                assertThat(remove()).isEqualTo(1);
                assertThat(folder.resolve("tmp/deep/file")).hasContent("text");
                assertThat(ofAnother).doesNotExist();
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertThat(cgroup.awaitEmpty(Duration.ofSeconds(30))).isTrue();
            assertThat(remove()).isEqualTo(1);
            assertThat(shared).isEmptyDirectory();
        }
    }

    @Test
    void aRunWithoutACgroupMayBeAlive() throws Exception {
        Path folder = left(ProcessId.currentBoot(), 0);
        assertThat(remove()).isZero();
        assertThat(folder.resolve("tmp/deep/file")).exists();
    }

    @Test
    void whereThereIsNoSuchFolderThereIsNothingToSay() {
        assertThat(Leftovers.removeIn(shared.resolve("none"), _ -> false, warnings::add)).isZero();
        assertThat(warnings).isEmpty();
    }

    @Test
    void whatASpawnHasLeftIsRemoved() throws Exception {
        Path _ = left("holdfast-gate-0123456789abcdef");
        assertThat(remove()).isEqualTo(1);
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    @Needs(root = true)
    void whatLooksLikeOneAndIsNotOursIsKept() throws Exception {
        Path wide = left(UUID.randomUUID(), 1);
        Files.setAttribute(wide, "unix:mode", 0755);
        Path other = left("holdfast-private-nonsense");
        Path alike = left("holdfastprivate");
        AsUser.nobody(() -> {
            Path _ = left(UUID.randomUUID(), 2);
        });
        Path target = left("target");
        Path link =
                Files.createSymbolicLink(shared.resolve("holdfast-gate-fedcba9876543210"), target);
        assertThat(remove()).isZero();
        assertThat(List.of(wide, other, alike, target, link)).allMatch(Files::exists);
        assertThat(shared.toFile().list()).hasSize(6);
    }
}
