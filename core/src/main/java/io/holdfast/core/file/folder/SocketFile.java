package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.UnixName;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The socket file that a bind makes, in a directory that is held open from before the bind until
 * this is closed: whatever happens to the path meanwhile, a change of permissions or owner and the
 * removal affect that file or nothing.
 *
 * <p>If another user could make the path lead to another directory (because that user owns an inner
 * directory of it), the socket is bound through the held directory, as {@code
 * /proc/self/fd/N/NAME}, which getsockname(2) then returns: by the path, root would make a socket
 * file wherever that user wants it. In all other cases the socket is bound by the path as given.
 *
 * <p>A socket file is dead when no socket is bound to it any more. It stays dead, for every bind
 * makes a file of its own. A socket that is bound and does not listen yet refuses connections of
 * its own type, as a dead file does, but answers EPROTOTYPE to another type: so the probe is a
 * datagram socket, which also leaves no connection behind.
 *
 * <p>A dead file is removed while this process holds a {@link LockFile} in the directory, so that
 * no Holdfast process of the same user removes a file that another one has bound in place of the
 * dead one. Without the lock, nothing is removed. No other user can open the lock file, and so keep
 * the lock, which flock(2) of the directory itself would permit to everybody who can read it. Other
 * programs do not take this lock: so the file is first renamed within its directory, then probed
 * again, and renamed back if it is not dead. At the second probe no bind of it is half-way through,
 * for a bind, too, locks the directory in the kernel.
 *
 * <p>This class is for sockets with options of their own; {@code UnixListener.listen} does all of
 * this. One thread makes and binds it. It owns a descriptor.
 */
public final class SocketFile implements AutoCloseable {
    private static final String ASIDE = ".holdfast-";

    private static final String LOCK = ".holdfast-bind";

    private static final Duration LOCK_LIMIT = CoreLimits.SOCKET_TIMEOUT.duration();

    private static final long PAUSE_NANOS = 200_000;

    private final String path;
    private final String name;
    private final Directory directory;
    private @Nullable DirectoryEntry entry; // null until it is bound

    private SocketFile(String path, Directory directory) {
        this.path = path;
        this.name = Directory.nameOf(path);
        this.directory = directory;
    }

    /**
     * {@return a socket file that is not bound yet}
     *
     * @param path the path, absolute or relative to the working directory
     * @throws ErrnoException ENOENT if there is no such directory; ELOOP if the path has a symbolic
     *     link that must not be followed
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
     * Binds the socket to the file, in place of a dead file if there is one. The file has the
     * permissions of the socket, masked by the umask.
     *
     * @throws ErrnoException as {@code bind(2)}; EADDRINUSE also if another process takes the path
     *     during the call
     */
    public void bind(Fd socket) {
        entry = new DirectoryEntry(directory, name, bound(socket));
    }

    private FileStatus bound(Fd socket) {
        UnixName address = address();
        int r = SysSocket.bind(socket, address);
        if (r == -Errno.EADDRINUSE && removeDead()) {
            r = SysSocket.bind(socket, address);
        }
        if (r == -Errno.EADDRINUSE && isOtherFile()) {
            throw new ErrnoException(
                    "bind",
                    path,
                    Errno.EADDRINUSE,
                    "the file is not a socket; remove or rename it");
        }
        ErrnoException.check(r, "bind", path);
        try {
            return directory
                    .stat(name)
                    .filter(FileStatus::isSocket)
                    .orElseThrow(() -> pathTaken("bind"));
        } catch (FileException e) {
            throw e.asErrno("bind", path);
        }
    }

    /**
     * Binds the socket as {@link #bind} does, to a file without any permissions, whatever the
     * umask, until {@link #setOwnerAndMode} sets them: no process can connect before, and no other
     * file is mistaken for it.
     *
     * @throws ErrnoException as {@link #bind}
     */
    public void bindClosed(Fd socket) {
        ErrnoException.check(SysStat.fchmod(socket, 0), "fchmod", path);
        FileStatus made = bound(socket);
        if (made.permissions() != 0 || made.links() != 1 || made.uid() != Unistd.geteuid()) {
            throw pathTaken("bind");
        }
        entry = new DirectoryEntry(directory, name, made);
    }

    /** Takes over the existing file, which an earlier process of this program has bound. */
    public void takeOver() {
        try {
            directory
                    .stat(name)
                    .filter(FileStatus::isSocket)
                    .ifPresent(there -> entry = new DirectoryEntry(directory, name, there));
        } catch (FileException e) {
            // then there is no file to remove later
        }
    }

    private UnixName address() {
        if (directory.isStable()) {
            return UnixName.of(path);
        }
        String held = directory.fd().with(number -> "/proc/self/fd/" + number + "/" + name);
        return UnixName.of(held);
    }

    /** Returns whether a file that is not a socket has the name. */
    private boolean isOtherFile() {
        try {
            return directory.stat(name).filter(file -> !file.isSocket()).isPresent();
        } catch (FileException e) {
            return false;
        }
    }

    /** Removes the file of a dead socket; returns whether the name may be free now. */
    private boolean removeDead() {
        Fd fd = directory.fd();
        try (LockFile _ = locked()) {
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
            return switch (e.errno()) {
                case Errno.EMFILE, Errno.ENFILE, Errno.EADDRINUSE -> throw e;
                case Errno.ENOENT -> true;
                default -> false;
            };
        }
    }

    /** Waits for the lock of the directory. */
    private LockFile locked() {
        long start = System.nanoTime();
        while (true) {
            Optional<LockFile> lock = LockFile.tryTake(directory.fd(), LOCK);
            if (lock.isPresent()) {
                return lock.get();
            }
            if (System.nanoTime() - start > LOCK_LIMIT.toNanos()) {
                throw new ErrnoException(
                        "bind",
                        path,
                        Errno.EADDRINUSE,
                        "another process of this user holds "
                                + directory.path()
                                + "/"
                                + LOCK
                                + " to replace a dead socket file; "
                                + CoreLimits.SOCKET_TIMEOUT.remedy());
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private boolean isDead(String name) {
        int type = SysSocket.SOCK_DGRAM | SysSocket.SOCK_NONBLOCK;
        int flags = Fcntl.O_PATH | Fcntl.O_NOFOLLOW;
        try (Fd file = Fcntl.open(directory.fd(), name, flags, 0);
                Fd probe = Fd.adopt(SysSocket.socket(type), "socket", "DATAGRAM")) {
            return SysStat.stat(file).isSocket() // a file of another type refuses it, too
                    && file.with(n -> SysSocket.connect(probe, itself(n))) == -Errno.ECONNREFUSED;
        }
    }

    private static UnixName itself(int number) {
        return UnixName.of("/proc/self/fd/" + number);
    }

    /**
     * Sets the owner and the permissions of the bound file.
     *
     * @param uid the user id; -1 does not change it
     * @param gid the group id; -1 does not change it
     * @param mode the permissions, 0 to 0777, whatever the umask
     * @throws ErrnoException EADDRINUSE if another file has taken its place; EPERM
     */
    public void setOwnerAndMode(long uid, long gid, int mode) {
        try {
            entry().setOwnerAndMode(uid, gid, mode);
        } catch (FileException e) {
            throw e.errno() == Errno.ESTALE || e.isMissing()
                    ? pathTaken("chmod")
                    : e.asErrno("chmod", path);
        }
    }

    /**
     * Verifies that the file is still in its place. Called once the socket listens: from then on no
     * other process considers the file dead.
     *
     * @throws ErrnoException EADDRINUSE if another file has taken its place
     */
    public void requireInPlace() {
        if (!isBound()) {
            throw pathTaken("listen");
        }
    }

    /**
     * {@return the bound file, for callers that keep it longer than this; closing one closes the
     * other}
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
     * Removes the file, unless another file has taken its place. Call this while the socket is
     * open. It needs no descriptor; without permission to remove it, the file stays.
     */
    public void removeIfSame() {
        if (isBound()) {
            int ignored = SysStat.unlinkat(directory.fd(), name); // removed, or no permission
        }
    }

    private ErrnoException pathTaken(String call) {
        return new ErrnoException(
                call, path, Errno.EADDRINUSE, "the socket file was removed or replaced meanwhile");
    }

    /** Closes the directory; the file stays. Idempotent. */
    @Override
    public void close() {
        directory.close();
    }
}
