package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.manager.unit.UnitName;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that a manager without free descriptors does not consider its units as removed. */
@Timeout(60)
class UnitFoldersShortageTest {
    private static final UnitName A = UnitName.of("a.service");
    private static final int LIMIT = 256;

    @TempDir private Path folder;

    /** {@code FOLDER}: prints the result while the table is full, almost full, and has room. */
    static final class InAFullTable {
        static void main(String[] arguments) throws Exception {
            UnitFolders folders = new UnitFolders(new LoadPath(List.of(Path.of(arguments[0]))));
            System.out.println(found(folders));
            folders.forget();
            var _ = FileSystems.getDefault();
            FullTable.limit(LIMIT, Fd.class, UnitName.class);
            for (int spare : List.of(0, 1, 64)) {
                FullTable.fill(spare);
                String found;
                try {
                    found = found(folders);
                } finally {
                    FullTable.empty();
                }
                System.out.println(found);
            }
        }

        private static String found(UnitFolders folders) {
            try {
                UnitSource source = folders.loader().load(A);
                return source.state() + " " + source.files().size();
            } catch (UncheckedIOException e) {
                return String.valueOf(e.getMessage());
            }
        }
    }

    @Test
    void theRequestIsRefusedUntilThereIsRoomAgain() throws Exception {
        Files.writeString(folder.resolve("a.service"), "[Service]\nExecStart=/bin/true\n");
        Path dropIns = Files.createDirectory(folder.resolve("a.service.d"));
        Files.writeString(dropIns.resolve("sandbox.conf"), "[Service]\nPrivateTmp=yes\n");
        ChildJvm.Result result = ChildJvm.run(List.of(), InAFullTable.class, folder.toString());
        assertThat(result.output().lines())
                .as(result.output())
                .containsExactly(
                        "LOADED 2",
                        "unit files: " + folder + ": Too many open files",
                        "unit files: " + folder + ": Too many open files",
                        "LOADED 2");
    }
}
