package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.Optional;

/**
 * A lock that one process holds at a time, by the open file description lock ({@code fcntl(2)},
 * F_OFD_SETLK) of a file. The kernel releases it when the process ends, however it ends.
 *
 * <p>Any process that can open a file, even only for reading, can block its lock for all others
 * (F_SETLKW with a read lock, flock(2)). So only the owner may open the lock file: it has the mode
 * 0600 and lies in a folder that others cannot write to. A file of that name with another owner or
 * more permissions is not changed but replaced, since another process may have it open already.
 *
 * <p>The file is removed before the lock is released: a process that locks the old file finds that
 * the name means another file, or none, and tries again.
 */
public final class LockFile implements AutoCloseable {
    private static final int ATTEMPTS = 100;
    private static final int FLAGS =
            Fcntl.O_RDWR | Fcntl.O_CREAT | Fcntl.O_NOFOLLOW | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY;
    private static final int OWNER_ALONE = 0600;
    private static final int OTHERS = 077;

    private final Fd folder;
    private final String name;
    private final Fd file;

    private LockFile(Fd folder, String name, Fd file) {
        this.folder = folder;
        this.name = name;
        this.file = file;
    }

    /**
     * Takes the lock.
     *
     * @param folder a folder that no other user may write to; lent
     * @param name the name of the file in it
     * @return the lock, or empty if another process or another call of this process holds it
     * @throws ErrnoException EISDIR, ENOSPC and others; ENOENT if the folder was removed; EBUSY if
     *     the file is replaced again and again
     */
    public static Optional<LockFile> tryTake(Fd folder, String name) {
        for (int i = 0; i < ATTEMPTS; i++) {
            try (Fd file = opened(folder, name)) {
                if (!isPrivate(SysStat.stat(file))) {
                    int ignored = SysStat.unlinkat(folder, name);
                    continue;
                }
                ErrnoException.check(SysStat.fchmod(file, OWNER_ALONE), "fchmod", name);
                int r = Fcntl.tryLock(file);
                if (r == -Errno.EAGAIN || r == -Errno.EACCES) {
                    return Optional.empty();
                }
                ErrnoException.check(r, "fcntl(F_OFD_SETLK)", name);
                if (isThere(folder, name, file)) {
                    return Optional.of(new LockFile(folder.duplicate(), name, file.move()));
                }
            }
        }
        throw new ErrnoException("lock", name, Errno.EBUSY, "another process replaces the file");
    }

    private static Fd opened(Fd folder, String name) {
        for (int i = 0; ; i++) {
            try {
                return Fcntl.open(folder, name, FLAGS, OWNER_ALONE);
            } catch (ErrnoException e) {
                boolean isOther = e.errno() == Errno.ELOOP || e.errno() == Errno.ENXIO;
                if (!isOther || i == ATTEMPTS) { // ELOOP: a symbolic link; ENXIO: a socket
                    throw e;
                }
                int ignored = SysStat.unlinkat(folder, name);
            }
        }
    }

    /** Whether only this user can have opened the file. */
    private static boolean isPrivate(FileStatus stat) {
        return stat.isRegular()
                && stat.uid() == Unistd.geteuid()
                && (stat.permissions() & OTHERS) == 0;
    }

    /** Returns whether the name still refers to the file: a removed file excludes nobody. */
    private static boolean isThere(Fd folder, String name, Fd file) {
        try (Fd now = Fcntl.open(folder, name, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0)) {
            return SysStat.stat(now).isSameFile(SysStat.stat(file));
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return false;
            }
            throw e;
        }
    }

    /** {@return the file, lent: open for reading and writing, for a note to people} */
    public Fd file() {
        return file;
    }

    /** Removes the file, and releases the lock. Idempotent. */
    @Override
    public void close() {
        try (folder;
                file) {
            if (file.isOpen()) {
                int ignored = SysStat.unlinkat(folder, name);
            }
        }
    }
}
