package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.MountAttribute;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.nio.file.Path;
import java.util.List;

/** An empty folder and an empty file without permissions, to be mounted over others. Blocking. */
public final class Inaccessible {
    private static final int NONE = 0;
    private static final int NEW_FILE =
            Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_NOFOLLOW;
    private static final MountAttribute[] ATTRIBUTES = {
        MountAttribute.NO_SUID, MountAttribute.NO_DEVICES, MountAttribute.NO_EXEC
    };

    private final Path folder;

    /**
     * @param folder of one manager, made when it is needed
     */
    private Inaccessible(Path folder) {
        this.folder = folder;
    }

    /** Returns the covers of the manager that has this runtime folder. */
    public static Inaccessible in(Path runtimeFolder) {
        return new Inaccessible(runtimeFolder.resolve("inaccessible"));
    }

    /** Removes the folder and the file; mounts of them stay effective. */
    public void remove() {
        for (Path one : List.of(folder.resolve("folder"), folder.resolve("file"), folder)) {
            boolean ignored = one.toFile().delete();
        }
    }

    /**
     * Returns the mount tree that covers a path.
     *
     * @param isFolder whether a folder is covered, or any other file
     * @throws SetupException if it cannot be made
     */
    public MountTree tree(boolean isFolder) throws SetupException {
        String name = isFolder ? "folder" : "file";
        try (TrustedFolder covers = TrustedFolder.make(folder)) {
            if (isFolder) {
                makeFolder(covers.fd(), name);
            } else {
                makeFile(covers.fd(), name);
            }
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.NAMESPACE, e);
        }
        Path cover = folder.resolve(name);
        return MountTree.only(cover.toString()).with(ATTRIBUTES);
    }

    private static void makeFolder(Fd covers, String name) {
        int r = SysStat.mkdirat(covers, name, NONE);
        if (r < 0 && r != -Errno.EEXIST) { // from an earlier manager
            throw new ErrnoException("mkdir", name, -r);
        }
    }

    private static void makeFile(Fd covers, String name) {
        try {
            Fcntl.open(covers, name, NEW_FILE, NONE).close();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EEXIST) {
                throw e;
            }
        }
    }
}
