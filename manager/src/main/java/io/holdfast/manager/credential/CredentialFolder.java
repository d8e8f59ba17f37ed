package io.holdfast.manager.credential;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.MountAttribute;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.loop.ManagerLimits;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * The folder with the credentials of a unit. Its mode is 0500 and that of its files is 0400, and
 * all belong to the user of the unit.
 *
 * <p>Where mounts can be made it is a ramfs of its own, which the kernel never writes to a disk,
 * and which is complete and read-only before it has a name. So it outlives the manager: the next
 * one finds it in its place. Elsewhere it is a plain folder. Blocking.
 */
final class CredentialFolder {
    private static final Map<String, String> OWNER_ALONE = Map.of("mode", "0700");
    private static final int PUBLIC = 0755;
    private static final int PRIVATE = 0700;
    private static final int FOLDER_MODE = 0500;
    private static final int FILE_MODE = 0400;
    private static final int NEW_FILE =
            Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_NOFOLLOW;
    private static final int FOLDER = Fcntl.O_PATH | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int MAX_MOUNTS = 64; // at one place
    private static final long PAUSE_MILLIS = 5;

    private final Path path;

    CredentialFolder(Path path) {
        this.path = path;
    }

    Path path() {
        return path;
    }

    private String name() {
        return Objects.requireNonNull(path.getFileName()).toString();
    }

    private TrustedFolder parent() {
        return TrustedFolder.make(Objects.requireNonNull(path.getParent()), PUBLIC);
    }

    /**
     * Makes the folder, in place of that of an earlier run.
     *
     * @param uid its owner; -1 keeps us
     * @param mounted whether it becomes a file system of its own
     * @throws ErrnoException EPERM if mounts are refused; ENOSPC
     * @throws FileException if the folder of an earlier run cannot be removed
     */
    void make(Map<String, byte[]> contents, long uid, boolean mounted)
            throws FileException, InterruptedException {
        try (TrustedFolder parent = parent()) {
            remove(parent);
            check(SysStat.mkdirat(parent.fd(), name(), PRIVATE), "mkdir");
            try (Fd place = Fcntl.open(parent.fd(), name(), FOLDER, 0)) {
                if (mounted) {
                    mount(place, contents, uid);
                } else {
                    fill(place, contents, uid);
                }
            } catch (RuntimeException | InterruptedException e) {
                removeAfter(e, parent);
                throw e;
            }
        }
    }

    private void removeAfter(Exception failure, TrustedFolder parent) {
        try {
            remove(parent);
        } catch (FileException | ErrnoException e) {
            failure.addSuppressed(e);
        }
    }

    private void mount(Fd place, Map<String, byte[]> contents, long uid)
            throws InterruptedException {
        MountTree made =
                MountTree.fileSystem(
                        "ramfs",
                        OWNER_ALONE,
                        MountAttribute.NO_SUID,
                        MountAttribute.NO_DEVICES,
                        MountAttribute.NO_EXEC);
        try (Fd tree = made.open()) {
            fill(tree, contents, uid);
            seal(tree);
            check(SysMount.attach(tree, place), "move_mount");
        }
    }

    private void fill(Fd folder, Map<String, byte[]> contents, long uid) {
        contents.forEach((name, content) -> write(folder, name, content, uid));
        try (Fd top = Fcntl.open(folder, ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0)) {
            check(SysStat.fchown(top, uid, -1), "chown");
            check(SysStat.fchmod(top, FOLDER_MODE), "chmod");
        }
    }

    private void write(Fd folder, String name, byte[] content, long uid) {
        try (Fd file = Fcntl.open(folder, name, NEW_FILE, FILE_MODE)) {
            for (int written = 0; written < content.length; ) {
                int n = Unistd.write(file, content, written, content.length - written);
                check(n, "write");
                written += n;
            }
            check(SysStat.fchmod(file, FILE_MODE), "chmod");
            check(SysStat.fchown(file, uid, -1), "chown");
        }
    }

    /**
     * Makes the tree read-only. A child that is spawned at the same time may have a descriptor of
     * ours until it executes its program, and until then the tree still has a writer (EBUSY).
     */
    private void seal(Fd tree) throws InterruptedException {
        long begin = System.nanoTime();
        long most = ManagerLimits.CREDENTIAL_TIMEOUT.duration().toNanos();
        int r = SysMount.setAttributes(tree, false, SysMount.READ_ONLY);
        while (r == -Errno.EBUSY && System.nanoTime() - begin < most) {
            Thread.sleep(PAUSE_MILLIS);
            r = SysMount.setAttributes(tree, false, SysMount.READ_ONLY);
        }
        check(r, "mount_setattr");
    }

    private void check(int result, String call) {
        int _ = ErrnoException.check(result, call, path);
    }

    /**
     * Removes the folder, if it exists. Files of it that a process has open stay readable for that
     * process.
     */
    void remove() throws FileException {
        if (path.toFile().exists()) {
            try (TrustedFolder parent = parent()) {
                remove(parent);
            }
        }
    }

    private void remove(TrustedFolder parent) throws FileException {
        int r = 0;
        for (int i = 0; r == 0 && i < MAX_MOUNTS; i++) {
            r = SysMount.detach(path.toString());
        }
        try (Directory folder = Directory.held(parent.fd(), parent.toString())) {
            TreeRemoval.remove(folder, name());
        }
    }
}
