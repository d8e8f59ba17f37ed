package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A private temporary folder in a folder that all users share, such as {@code /tmp}. It has the
 * mode 0700 and is locked (flock(2)) as long as it is held, so that a later process can find out
 * whether its holder was killed ({@link #dead}). A holder that keeps the descriptor of the folder
 * elsewhere keeps the lock, too ({@link #lockedBy}). Other users cannot open, and so not lock, it.
 *
 * <p>Closing it releases the lock but removes nothing: the holder removes the folder before that,
 * by {@link #remove} once it is empty.
 */
public final class ScratchFolder implements AutoCloseable {
    private static final int ATTEMPTS = 100;
    private static final int PLACE = Fcntl.O_PATH | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int OWNER_ALONE = 0700;

    private final Fd shared;
    private final Path path;
    private final Fd folder;

    private ScratchFolder(Fd shared, Path path, Fd folder) {
        this.shared = shared;
        this.path = path;
        this.folder = folder;
    }

    /**
     * Makes a folder, and holds it.
     *
     * @param shared the folder in which all users may make folders
     * @param prefix the begin of its name; 16 random hexadecimal digits follow
     * @return the folder, owned by the caller
     * @throws ErrnoException ENOENT, ENOSPC, EROFS, EMFILE
     */
    public static ScratchFolder make(Path shared, String prefix) {
        int flags = Fcntl.O_PATH | Fcntl.O_DIRECTORY;
        try (Fd above = Fcntl.open(KernelPath.text(shared), flags)) {
            for (int i = 0; ; i++) {
                long random = ThreadLocalRandom.current().nextLong();
                Path path = shared.resolve(prefix + HexFormat.of().toHexDigits(random));
                Optional<ScratchFolder> made = made(above, path);
                if (made.isPresent()) {
                    return made.get();
                }
                if (i == ATTEMPTS) {
                    throw new ErrnoException("mkdir", path.toString(), Errno.EEXIST);
                }
            }
        }
    }

    /** Empty if the name exists, or if a process removed the folder as dead before our lock. */
    private static Optional<ScratchFolder> made(Fd above, Path path) {
        String name = nameOf(path);
        int r = SysStat.mkdirat(above, name, OWNER_ALONE);
        if (r == -Errno.EEXIST) {
            return Optional.empty();
        }
        ErrnoException.check(r, "mkdir", path);
        r = SysStat.fchmodat(above, name, OWNER_ALONE); // restores the bits that the umask cleared
        if (r == -Errno.ENOENT) {
            return Optional.empty();
        }
        ErrnoException.check(r, "chmod", path);
        return held(above, path);
    }

    /**
     * Holds a folder that this user made and that no process holds any more; empty if the path is
     * any other file.
     *
     * @return the folder, owned by the caller
     * @throws ErrnoException EMFILE, ENFILE
     */
    public static Optional<ScratchFolder> dead(Fd above, Path path) {
        try {
            return held(above, path);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return Optional.empty(); // no folder, or no permission
        }
    }

    /**
     * Holds a folder whose lock another descriptor still has, such as one that a killed holder
     * passed on; empty if the path is any other file.
     *
     * @param lock of the folder, lent; its lock is then shared
     * @return the folder, owned by the caller
     * @throws ErrnoException EMFILE
     */
    public static Optional<ScratchFolder> lockedBy(Fd above, Path path, Fd lock) {
        try {
            return isThere(above, nameOf(path), lock)
                    ? Optional.of(new ScratchFolder(above.duplicate(), path, lock.duplicate()))
                    : Optional.empty();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Optional<ScratchFolder> held(Fd above, Path path) {
        String name = nameOf(path);
        try (Fd place = Fcntl.open(above, name, PLACE, 0)) {
            if (!isOurs(place, above)) {
                return Optional.empty();
            }
            try (Fd folder = Fcntl.open(place, ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0)) {
                return SysFile.tryLock(folder) == 0 && isThere(above, name, folder)
                        ? Optional.of(new ScratchFolder(above.duplicate(), path, folder.move()))
                        : Optional.empty();
            }
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Checks the cached status: another user's file system may be mounted there, and block. */
    private static boolean isOurs(Fd place, Fd above) {
        FileStatus stat = SysStat.cachedStat(place);
        return stat.uid() == Unistd.geteuid()
                && stat.permissions() == OWNER_ALONE
                && stat.device() == SysStat.stat(above).device();
    }

    private static boolean isThere(Fd above, String name, Fd folder) {
        try (Fd now = Fcntl.open(above, name, PLACE, 0)) {
            return SysStat.stat(now).isSameFile(SysStat.stat(folder));
        }
    }

    private static String nameOf(Path path) {
        return Directory.nameOf(KernelPath.text(path));
    }

    /** {@return the folder, lent} */
    public Fd fd() {
        return folder;
    }

    /** {@return the shared folder that holds it, lent} */
    public Fd shared() {
        return shared;
    }

    /** {@return its path} */
    public Path path() {
        return path;
    }

    /**
     * Removes the folder if it is empty.
     *
     * @return 0, or -errno (ENOTEMPTY)
     */
    public int remove() {
        return SysStat.rmdirat(shared, nameOf(path));
    }

    /** Releases the lock. Idempotent. */
    @Override
    public void close() {
        try (shared) {
            folder.close();
        }
    }
}
