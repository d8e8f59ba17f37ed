package io.holdfast.manager;

import io.holdfast.core.linux.SysMount;
import io.holdfast.core.process.MountTree;
import io.holdfast.manager.unit.ManagerScope;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/** An empty folder and an empty file with no permissions, to cover others with. Blocking. */
final class Inaccessible {
    private static final FileAttribute<Set<PosixFilePermission>> NONE =
            PosixFilePermissions.asFileAttribute(Set.of());
    private static final long ATTRIBUTES =
            SysMount.NO_SUID | SysMount.NO_DEVICES | SysMount.NO_EXEC;

    private final Path folder;

    /**
     * @param folder of one manager, made when it is needed
     */
    private Inaccessible(Path folder) {
        this.folder = folder;
    }

    /** Where a manager has them that has its socket there. */
    static Inaccessible beside(String notifySocket, ManagerScope scope) {
        Path folder =
                notifySocket.startsWith("/")
                        ? Path.of(notifySocket).resolveSibling("inaccessible")
                        : Path.of(scope.runtimeDirectory(), "holdfast/inaccessible");
        return new Inaccessible(folder);
    }

    /** Removes what was made; what covers something goes on doing so. */
    void remove() {
        for (Path one : List.of(folder.resolve("folder"), folder.resolve("file"), folder)) {
            boolean ignored = one.toFile().delete();
        }
    }

    /**
     * @param isFolder whether a folder is covered, or anything else
     * @throws SetupException if it cannot be made
     */
    MountTree tree(boolean isFolder) throws SetupException {
        Path cover = folder.resolve(isFolder ? "folder" : "file");
        try {
            Path ignored = Files.createDirectories(folder);
            Path _ = isFolder ? Files.createDirectory(cover, NONE) : Files.createFile(cover, NONE);
        } catch (FileAlreadyExistsException e) {
            // of an earlier one
        } catch (IOException e) {
            throw new SetupException(SetupException.Step.NAMESPACE, e);
        }
        return MountTree.only(cover.toString()).with(ATTRIBUTES);
    }
}
