package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests how often folders are scanned. */
class UnitFoldersTest {
    private static final UnitName A = UnitName.of("a.service");

    @TempDir private Path folder;
    private Path first;
    private Path second;
    private UnitFolders folders;

    @BeforeEach
    void open() throws Exception {
        first = Files.createDirectory(folder.resolve("first"));
        second = Files.createDirectory(folder.resolve("second"));
        folders = new UnitFolders(new LoadPath(List.of(first, second, folder.resolve("missing"))));
        settle();
    }

    /** Sets times as if the folders had been changed some time ago. */
    private void settle() throws IOException {
        Instant then = Instant.now().minus(Duration.ofMinutes(1));
        for (Path each : List.of(first, second)) {
            Files.setLastModifiedTime(each, FileTime.from(then));
        }
    }

    private UnitSource.State state() {
        return folders.loader().load(A).state();
    }

    @Test
    void foldersThatStayAsTheyAreAreLookedThroughOnce() {
        for (int i = 0; i < 100; i++) {
            assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        }
        assertThat(folders.scans()).isEqualTo(1);
    }

    @Test
    void whatAppearsOrDisappearsInAFolderIsSeenAtOnce() throws Exception {
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        Path file = Files.writeString(second.resolve("a.service"), "[Unit]\n");
        assertThat(state()).isEqualTo(UnitSource.State.LOADED);
        Files.createSymbolicLink(first.resolve("a.service"), Path.of("/dev/null"));
        assertThat(state()).isEqualTo(UnitSource.State.MASKED);
        Files.delete(first.resolve("a.service"));
        Files.delete(file);
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
    }

    @Test
    void aFolderThatHasJustChangedIsTrustedOnlyLater() throws Exception {
        Files.setLastModifiedTime(first, FileTime.from(Instant.now()));
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        Files.setLastModifiedTime(first, FileTime.from(Instant.now().plusSeconds(100)));
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        assertThat(folders.scans()).isEqualTo(3);
        settle();
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        assertThat(folders.scans()).isEqualTo(4);
    }

    @Test
    void aFolderThatAppearsOrIsReplacedIsSeen() throws Exception {
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        Path missing = Files.createDirectory(folder.resolve("missing"));
        Files.writeString(missing.resolve("a.service"), "[Unit]\n");
        assertThat(state()).isEqualTo(UnitSource.State.LOADED);
        FileTime then = Files.getLastModifiedTime(second);
        Files.move(second, folder.resolve("other"));
        Files.move(missing, second);
        Files.setLastModifiedTime(second, then);
        assertThat(state()).as("by its identity").isEqualTo(UnitSource.State.LOADED);
    }

    @Test
    void whatIsToldToBeReadAgainIs() {
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        folders.forget();
        assertThat(state()).isEqualTo(UnitSource.State.NOT_FOUND);
        assertThat(folders.scans()).isEqualTo(2);
    }
}
