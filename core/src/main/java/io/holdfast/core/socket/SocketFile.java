package io.holdfast.core.socket;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysFile;
import io.holdfast.core.linux.SysSocket;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.linux.UnixName;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * The file that a bind made: its path, and which file it is. The number of the file is not used
 * again while the socket is open, which keeps the file.
 *
 * <p>A socket file is dead when no socket is bound to it any more, and then for ever: a bind makes
 * a file of its own. A socket that is bound and does not listen yet refuses connections of its own
 * type as a dead file does, but says EPROTOTYPE to those of another: so a datagram socket asks,
 * which also leaves no connection behind.
 *
 * <p>Who finds a dead file has the folder locked meanwhile (flock(2), which leaves nothing behind),
 * so that nobody of us takes a file away that another of us has bound in the place of the dead one.
 * Others know nothing of that: so the file is renamed first, in its folder, looked at again, now
 * that no bind is half-way through (it, too, has the folder to itself), and put back if it is not
 * dead. Where the lock cannot be had, because we may not read the folder or somebody else keeps it,
 * only that remains: it fails those of us who lost their place before they listened.
 *
 * <p>For who makes a socket with options of its own; {@link UnixListener#listen} does all of this.
 * Immutable.
 *
 * @param path as it was bound
 * @param device of the file system it is on
 * @param inode of the file
 */
public record SocketFile(String path, long device, long inode) {
    private static final String ASIDE = ".holdfast-";

    /** How long others of us may take, many times over: then somebody else has it. */
    private static final Duration LOCK_LIMIT = Duration.ofMillis(200);

    private static final long PAUSE_NANOS = 200_000;

    /**
     * Binds to a path, in the place of a dead socket file if there is one.
     *
     * @throws ErrnoException as {@code bind(2)} says; EADDRINUSE also if another takes the path at
     *     this moment
     */
    public static SocketFile bind(Fd socket, String path) {
        UnixName name = UnixName.of(path);
        int r = SysSocket.bind(socket, name);
        if (r == -Errno.EADDRINUSE && removeDead(path)) {
            r = SysSocket.bind(socket, name);
        }
        ErrnoException.check(r, "bind", path);
        try {
            SysStat.Stat stat = SysStat.stat(path); // needs no descriptor, which could not be had
            if (stat.isSocket()) {
                return new SocketFile(path, stat.device(), stat.inode());
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
        throw lost("bind", path);
    }

    /** Takes the file of a dead socket away: whether the path may be free now. */
    private static boolean removeDead(String path) {
        int slash = path.lastIndexOf('/');
        String folder = slash < 0 ? "." : path.substring(0, slash + 1);
        String name = path.substring(slash + 1);
        try (Fd dir = locked(folder)) {
            if (!isDead(dir, name)) {
                return false;
            }
            long random = ThreadLocalRandom.current().nextLong();
            String aside = ASIDE + HexFormat.of().toHexDigits(random);
            int r = SysStat.renameNoReplace(dir, name, aside);
            if (r < 0) {
                return r == -Errno.ENOENT;
            }
            boolean dead = false;
            try {
                dead = isDead(dir, aside);
            } finally {
                int ignored =
                        dead
                                ? SysStat.unlinkat(dir, aside)
                                : SysStat.renameNoReplace(dir, aside, name);
            }
            return dead;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return e.errno() == Errno.ENOENT;
        }
    }

    /** A folder, to itself if that can be. */
    private static Fd locked(String folder) {
        Fd dir;
        try {
            dir = Fcntl.open(folder, Fcntl.O_RDONLY | Fcntl.O_DIRECTORY);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EACCES) {
                throw e;
            }
            return Fcntl.open(folder, Fcntl.O_PATH | Fcntl.O_DIRECTORY);
        }
        long start = System.nanoTime();
        while (SysFile.tryLock(dir) == -Errno.EAGAIN
                && System.nanoTime() - start < LOCK_LIMIT.toNanos()) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return dir;
    }

    private static boolean isDead(Fd dir, String name) {
        SocketType type = SocketType.DATAGRAM;
        try (Fd file = Fcntl.open(dir, name, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0);
                Fd probe =
                        Fd.adopt(
                                SysSocket.socket(type.number() | SysSocket.SOCK_NONBLOCK),
                                "socket",
                                type)) {
            return SysStat.stat(file).isSocket() // what is none refuses a connection, too
                    && file.with(n -> SysSocket.connect(probe, itself(n))) == -Errno.ECONNREFUSED;
        }
    }

    private static UnixName itself(int number) {
        return UnixName.of("/proc/self/fd/" + number);
    }

    /**
     * Gives it its permissions, unless another file has taken its place.
     *
     * @throws ErrnoException EADDRINUSE if one has
     */
    void permit(int mode) {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            SysStat.Stat stat = SysStat.stat(file);
            if (!isThis(stat) || stat.uid() != Unistd.geteuid()) {
                throw lost("chmod", path);
            }
            if (stat.permissions() != mode) {
                String itself = file.with(number -> "/proc/self/fd/" + number);
                ErrnoException.check(SysStat.fchmodat(file, itself, mode), "chmod", path);
            }
        }
    }

    /**
     * Once its socket listens: nobody takes it for dead from now on.
     *
     * @throws ErrnoException EADDRINUSE if another has taken its place before
     */
    public void requireThere() {
        if (!isThere()) {
            throw lost("listen", path);
        }
    }

    /**
     * Removes it, unless another file has taken its place: while its socket is open. It needs no
     * descriptor, and stays where we may not remove it.
     */
    public void removeIfSame() {
        if (isThere()) {
            int ignored = SysStat.unlink(path); // gone already, or not ours to remove any more
        }
    }

    private boolean isThere() {
        try {
            return isThis(SysStat.stat(path));
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Whether that is the file, whatever its path is now. */
    public boolean isThis(SysStat.Stat stat) {
        return stat.isSocket() && stat.device() == device && stat.inode() == inode;
    }

    private static ErrnoException lost(String call, String path) {
        return new ErrnoException(
                call, path, Errno.EADDRINUSE, "another has taken the path at this moment");
    }
}
