package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.Directory;
import io.holdfast.core.file.DirectoryEntry;
import io.holdfast.core.file.FileException;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.UnixName;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The file that a bind makes, in a directory that is held open from before the bind to the end of
 * the socket: whatever happens to the path meanwhile, permissions, owner and removal reach that
 * file or nothing.
 *
 * <p>Where somebody else could make the path mean another directory (an inner directory of a
 * user's), the socket is bound by the held directory, {@code /proc/self/fd/N/NAME}, which then is
 * what getsockname(2) says of it: by its path root would make a socket file wherever the user wants
 * it. Everywhere else it is bound by the path as it is given.
 *
 * <p>A socket file is dead when no socket is bound to it any more, and then for ever: a bind makes
 * a file of its own. A socket that is bound and does not listen yet refuses connections of its own
 * type as a dead file does, but says EPROTOTYPE to those of another: so a datagram socket asks,
 * which also leaves no connection behind.
 *
 * <p>Who finds a dead file has the directory locked meanwhile (flock(2), which leaves nothing
 * behind), so that nobody of us takes a file away that another of us has bound in the place of the
 * dead one. Others know nothing of that: so the file is renamed first, in its directory, looked at
 * again, now that no bind is half-way through (it, too, has the directory to itself), and put back
 * if it is not dead. Where the lock cannot be had, because we may not read the directory or
 * somebody else keeps it, only that remains: it fails those of us who lost their place before they
 * listened.
 *
 * <p>For who makes a socket with options of its own; {@link UnixListener#listen} does all of this.
 * Made and bound by one thread; owns a descriptor.
 */
public final class SocketFile implements AutoCloseable {
    private static final String ASIDE = ".holdfast-";

    /** How long others of us may take, many times over: then somebody else has it. */
    private static final Duration LOCK_LIMIT = CoreLimits.SOCKET_PATIENCE.duration();

    private static final long PAUSE_NANOS = 200_000;

    private final String path;
    private final String name;
    private final Directory directory;
    private @Nullable DirectoryEntry entry; // once it is bound

    private SocketFile(String path, Directory directory) {
        this.path = path;
        this.name = Directory.nameOf(path);
        this.directory = directory;
    }

    /**
     * {@return the place for a file that is not bound yet}
     *
     * @param path absolute, or relative to the working directory
     * @throws ErrnoException ENOENT if there is no such directory; ELOOP if it is reached by a link
     *     that is not to be followed
     */
    public static SocketFile at(String path) {
        if (Directory.nameOf(path).isEmpty()) {
            throw new ErrnoException("bind", path, Errno.EISDIR);
        }
        try {
            return new SocketFile(path, Directory.ofParent(path));
        } catch (FileException e) {
            throw e.asErrno("bind", path);
        }
    }

    /** {@return the path as it was given} */
    public String path() {
        return path;
    }

    /**
     * Binds the socket to the file, in the place of a dead one if there is one. The file has the
     * permissions of the socket, less the umask.
     *
     * @param socket the socket
     * @throws ErrnoException as {@code bind(2)} says; EADDRINUSE also if another takes the path at
     *     this moment
     */
    public void bind(Fd socket) {
        entry = new DirectoryEntry(directory, name, bound(socket));
    }

    private SysStat.Stat bound(Fd socket) {
        UnixName address = address();
        int r = SysSocket.bind(socket, address);
        if (r == -Errno.EADDRINUSE && removeDead()) {
            r = SysSocket.bind(socket, address);
        }
        ErrnoException.check(r, "bind", path);
        try {
            return directory
                    .stat(name)
                    .filter(SysStat.Stat::isSocket)
                    .orElseThrow(() -> lost("bind"));
        } catch (FileException e) {
            throw e.asErrno("bind", path);
        }
    }

    /**
     * The same, with a file that is born without any permissions, whatever the umask, until it is
     * {@linkplain #give given} them: nobody is let in before, and no other file passes for it.
     *
     * @param socket the socket
     * @throws ErrnoException as {@link #bind}
     */
    public void bindClosed(Fd socket) {
        ErrnoException.check(SysStat.fchmod(socket, 0), "fchmod", path);
        SysStat.Stat made = bound(socket);
        if (made.permissions() != 0 || made.links() != 1 || made.uid() != Unistd.geteuid()) {
            throw lost("bind");
        }
        entry = new DirectoryEntry(directory, name, made);
    }

    /** The file that is there was bound by an earlier process of this program, and is ours now. */
    void takeOver() {
        try {
            directory
                    .stat(name)
                    .filter(SysStat.Stat::isSocket)
                    .ifPresent(there -> entry = new DirectoryEntry(directory, name, there));
        } catch (FileException e) {
            // then there is nothing to be removed
        }
    }

    private UnixName address() {
        if (directory.isStable()) {
            return UnixName.of(path);
        }
        String held = directory.fd().with(number -> "/proc/self/fd/" + number + "/" + name);
        return UnixName.of(held);
    }

    /** Takes the file of a dead socket away: whether the name may be free now. */
    private boolean removeDead() {
        Fd fd = directory.fd();
        try (Fd _ = locked()) {
            if (!isDead(name)) {
                return false;
            }
            long random = ThreadLocalRandom.current().nextLong();
            String aside = ASIDE + HexFormat.of().toHexDigits(random);
            int r = SysStat.renameNoReplace(fd, name, aside);
            if (r < 0) {
                return r == -Errno.ENOENT;
            }
            boolean dead = false;
            try {
                dead = isDead(aside);
            } finally {
                int ignored =
                        dead
                                ? SysStat.unlinkat(fd, aside)
                                : SysStat.renameNoReplace(fd, aside, name);
            }
            return dead;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            return e.errno() == Errno.ENOENT;
        }
    }

    /** The directory, to itself if that can be. */
    private Fd locked() {
        Fd lock;
        try {
            lock = Fcntl.open(directory.fd(), ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EACCES) {
                throw e;
            }
            return directory.fd().duplicate();
        }
        long start = System.nanoTime();
        while (SysFile.tryLock(lock) == -Errno.EAGAIN
                && System.nanoTime() - start < LOCK_LIMIT.toNanos()) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return lock;
    }

    private boolean isDead(String name) {
        SocketType type = SocketType.DATAGRAM;
        int flags = Fcntl.O_PATH | Fcntl.O_NOFOLLOW;
        try (Fd file = Fcntl.open(directory.fd(), name, flags, 0);
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
     * Sets owner and permissions of the file that was bound.
     *
     * @param uid -1 leaves it as it is
     * @param gid -1 leaves it as it is
     * @param mode 0 to 0777, whatever the umask
     * @throws ErrnoException EADDRINUSE if another file has taken its place; EPERM
     */
    public void give(long uid, long gid, int mode) {
        try {
            entry().give(uid, gid, mode);
        } catch (FileException e) {
            throw e.errno() == Errno.ESTALE || e.isMissing()
                    ? lost("chmod")
                    : e.asErrno("chmod", path);
        }
    }

    /**
     * Once its socket listens: nobody takes it for dead from now on.
     *
     * @throws ErrnoException EADDRINUSE if another has taken its place before
     */
    public void requireThere() {
        if (!isBound()) {
            throw lost("listen");
        }
    }

    /**
     * {@return the file that was bound, for those who keep it longer than this: to close the one is
     * to close the other}
     *
     * @throws IllegalStateException if it is not bound
     */
    public DirectoryEntry entry() {
        DirectoryEntry bound = entry;
        if (bound == null) {
            throw new IllegalStateException(path + " is not bound");
        }
        return bound;
    }

    private boolean isBound() {
        DirectoryEntry bound = entry;
        return bound != null && bound.isSame();
    }

    /**
     * Removes it, unless another file has taken its place: while its socket is open. It needs no
     * descriptor, and the file stays where we may not remove it.
     */
    public void removeIfSame() {
        if (isBound()) {
            int ignored = SysStat.unlinkat(directory.fd(), name); // gone, or not ours to remove
        }
    }

    private ErrnoException lost(String call) {
        return new ErrnoException(
                call, path, Errno.EADDRINUSE, "another has taken the path at this moment");
    }

    /** Closes the directory; the file stays. Idempotent. */
    @Override
    public void close() {
        directory.close();
    }
}
