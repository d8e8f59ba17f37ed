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
import java.util.Map;
import java.util.Objects;

/** An empty file of each kind without permissions, to be mounted over others. Blocking. */
public final class Inaccessible {
    private static final int NONE = 0;

    // sys/stat.h
    private static final int REGULAR = 0x8000;
    private static final int FOLDER = 0x4000;
    private static final Map<Integer, String> NAMES =
            Map.of(
                    REGULAR,
                    "file",
                    FOLDER,
                    "folder",
                    0x1000,
                    "fifo",
                    0x2000,
                    "character-device",
                    0x6000,
                    "block-device",
                    0xC000,
                    "socket");

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

    /** Removes the covers; mounts of them stay effective. */
    public void remove() {
        for (String name : NAMES.values()) {
            boolean ignored = folder.resolve(name).toFile().delete();
        }
        boolean ignored = folder.toFile().delete();
    }

    /**
     * Returns the mount tree that covers a path: a folder or a file of the same kind, so that an
     * open(2) fails as it does for a file of that kind. A container may permit no device nodes;
     * there, a regular file covers them.
     *
     * @param covered the path, which is no symbolic link
     * @throws SetupException if it cannot be made
     */
    public MountTree tree(String covered, boolean isFolder) throws SetupException {
        String name;
        try (TrustedFolder covers = TrustedFolder.make(folder)) {
            name = make(covers.fd(), isFolder ? FOLDER : typeOf(covered));
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.NAMESPACE, e);
        }
        return MountTree.only(folder.resolve(name).toString()).with(ATTRIBUTES);
    }

    /** Returns the type of a file that is no folder. */
    private static int typeOf(String path) {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            int type = SysStat.cachedStat(file).type();
            return type != FOLDER && NAMES.containsKey(type) ? type : REGULAR;
        }
    }

    private static String make(Fd covers, int type) {
        String name = Objects.requireNonNull(NAMES.get(type));
        int r =
                type == FOLDER
                        ? SysStat.mkdirat(covers, name, NONE)
                        : SysStat.mknodat(covers, name, type | NONE);
        if (r == -Errno.EPERM && type != REGULAR && type != FOLDER) {
            return make(covers, REGULAR);
        }
        if (r < 0 && r != -Errno.EEXIST) { // from an earlier manager
            throw new ErrnoException("mknod", name, -r);
        }
        return name;
    }
}
