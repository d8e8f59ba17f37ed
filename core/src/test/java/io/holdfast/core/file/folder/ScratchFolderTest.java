package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ScratchFolderTest {
    @TempDir private Path shared;

    private Optional<ScratchFolder> dead(Path path) {
        try (Fd above = Fcntl.open(shared.toString(), Fcntl.O_PATH)) {
            return ScratchFolder.dead(above, path);
        }
    }

    @Test
    void theSharedFolderMayHaveANameThatIsNoText() throws Exception {
        Path strange = Files.createDirectory(shared.resolve(KernelPath.of("\udcff")));
        try (ScratchFolder made = ScratchFolder.make(strange, "x-")) {
            assertThat(strange).isDirectoryContaining(made.path()::equals);
            assertThat(made.remove()).isZero();
        }
        assertThat(strange).isEmptyDirectory();
    }

    @Test
    void itIsItsOwnersAloneAndNotDeadAsLongAsItIsHeld() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        Path path;
        try (ScratchFolder made = ScratchFolder.make(shared, "x-")) {
            path = made.path();
            assertThat(path.getParent()).isEqualTo(shared);
            assertThat(path.getFileName().toString()).matches("x-[0-9a-f]{16}");
            assertThat(Files.getAttribute(path, "unix:mode")).isEqualTo(040700);
            assertThat(dead(path)).isEmpty();
        }
        try (ScratchFolder found = dead(path).orElseThrow()) {
            assertThat(dead(path)).as("somebody looks at it").isEmpty();
            assertThat(found.remove()).isZero();
        }
        assertThat(dead(path)).isEmpty();
        assertThat(shared).isEmptyDirectory();
        before.awaitSameNumber();
    }

    @Test
    @Needs(root = true)
    void whatOthersMadeOrMayOpenIsNotTaken() throws Exception {
        Files.setAttribute(shared, "unix:mode", 01777);
        Path foreign = shared.resolve("foreign");
        AsUser.nobody(() -> {
            Files.createDirectory(foreign);
            Files.setAttribute(foreign, "unix:mode", 0700);
        });
        Path wide = Files.createDirectory(shared.resolve("wide"));
        Files.setAttribute(wide, "unix:mode", 0755);
        Path real = Files.createDirectory(shared.resolve("real"));
        Files.setAttribute(real, "unix:mode", 0700);
        Path link = Files.createSymbolicLink(shared.resolve("link"), real);
        Path file = Files.createFile(shared.resolve("file"));
        for (Path other : List.of(foreign, wide, link, file, shared.resolve("none"))) {
            assertThat(dead(other)).as("%s", other).isEmpty();
        }
        dead(real).orElseThrow().close();
    }

    @Test
    void whatIsRemovedAsDeadBeforeItWasLockedIsMadeAgain() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<?> sweeper =
                    threads.submit(() -> {
                        try (Fd above = Fcntl.open(shared.toString(), Fcntl.O_PATH)) {
                            while (!done.get()) {
                                SysDirent.forEachDirectory(above, name -> remove(above, name));
                            }
                        }
                    });
            Future<List<Boolean>> maker =
                    threads.submit(() -> {
                        List<Boolean> there = new ArrayList<>();
                        for (int i = 0; i < 500; i++) {
                            try (ScratchFolder made = ScratchFolder.make(shared, "x-")) {
                                there.add(Files.isDirectory(made.path()));
                            }
                        }
                        return there;
                    });
            try {
                assertThat(maker.get()).hasSize(500).containsOnly(true);
            } finally {
                done.set(true);
            }
            assertThat(sweeper.get()).isNull();
        }
    }

    private boolean remove(Fd above, String name) {
        ScratchFolder.dead(above, shared.resolve(name))
                .ifPresent(found -> {
                    int ignored = found.remove();
                    found.close();
                });
        return true;
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> ScratchFolder.make(shared.resolve("none"), "x-"))
                .withMessageContaining(shared + "/none");
    }
}
