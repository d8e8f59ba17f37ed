package io.holdfast.core.socket;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.SysSocket;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.Unistd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A listening AF_UNIX socket. Accepting parks the calling thread; a {@link #close} by another
 * thread ends that with IllegalStateException. Safe for use by several threads.
 */
public final class UnixListener implements AutoCloseable {
    private static final int ALL_PERMISSIONS = 0777;

    private final Fd fd;
    private final SocketType type;
    private final Optional<SocketFile> unlinkAtClose;

    /** The file that a bind made: its path, and which file it is. */
    private record SocketFile(Path path, Object key) {
        static SocketFile of(Path path) throws IOException {
            var attributes =
                    Files.readAttributes(
                            path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return new SocketFile(path, Objects.requireNonNull(attributes.fileKey()));
        }

        /** Another listener may have taken the path over. */
        void removeIfSame() {
            try {
                if (equals(of(path))) {
                    Files.delete(path);
                }
            } catch (IOException e) {
                // gone already, or not ours to remove any more
            }
        }
    }

    private UnixListener(Fd fd, SocketType type, Optional<SocketFile> unlinkAtClose) {
        this.fd = fd;
        this.type = type;
        this.unlinkAtClose = unlinkAtClose;
    }

    /**
     * Binds and listens. A socket file that nobody listens on any more is replaced; the one made
     * here is removed at {@link #close}.
     *
     * @param type STREAM or SEQPACKET
     * @param backlog how many connections may wait; the kernel caps it (net.core.somaxconn)
     * @throws IllegalArgumentException if the type is DATAGRAM: see {@link UnixSocket#bind}
     * @throws ErrnoException EADDRINUSE (somebody listens there, or it is no socket), EACCES,
     *     ENOENT (no folder)
     */
    public static UnixListener listen(UnixAddress address, SocketType type, int backlog) {
        return listen(address, type, backlog, OptionalInt.empty());
    }

    /**
     * The same with the permissions of the socket file, whatever the umask; nobody is let in at any
     * moment who may not be. The file is bound with what the umask leaves of them, for the kernel
     * gives a socket file the permissions of its socket, and is given the rest before the socket
     * listens. Whoever may write may connect.
     *
     * @param mode 0 to 0777
     * @throws IllegalArgumentException also if the address is no path, or the mode is another
     *     number
     */
    public static UnixListener listen(UnixAddress address, SocketType type, int backlog, int mode) {
        if (mode < 0 || mode > ALL_PERMISSIONS) {
            throw new IllegalArgumentException("no permissions: " + Integer.toOctalString(mode));
        }
        if (!(address instanceof UnixAddress.PathName)) {
            throw new IllegalArgumentException("only a path has permissions: " + address);
        }
        return listen(address, type, backlog, OptionalInt.of(mode));
    }

    private static UnixListener listen(
            UnixAddress address, SocketType type, int backlog, OptionalInt mode) {
        if (type == SocketType.DATAGRAM) {
            throw new IllegalArgumentException("a DATAGRAM socket does not listen");
        }
        Fd fd = Fd.adopt(SysSocket.socket(type.number()), "socket", type);
        try {
            if (mode.isPresent()) {
                ErrnoException.check(SysStat.fchmod(fd, mode.getAsInt()), "fchmod", fd);
            }
            int r = SysSocket.bind(fd, UnixAddress.name(address));
            if (r == -Errno.EADDRINUSE
                    && address instanceof UnixAddress.PathName(String path)
                    && removeDead(path, type)) {
                r = SysSocket.bind(fd, UnixAddress.name(address));
            }
            ErrnoException.check(r, "bind", address);
            if (mode.isPresent()) {
                widen(address.toString(), mode.getAsInt());
            }
            ErrnoException.check(SysSocket.listen(fd, backlog), "listen", address);
            return new UnixListener(fd, type, fileOf(address));
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Gives the file what the umask took, unless another has taken its place. */
    private static void widen(String path, int mode) {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH | Fcntl.O_NOFOLLOW)) {
            SysStat.Stat stat = SysStat.stat(file);
            if (!stat.isSocket() || stat.uid() != Unistd.geteuid()) {
                throw new ErrnoException("chmod", path, Errno.ESTALE, "another file is there now");
            }
            if ((stat.mode() & ALL_PERMISSIONS) != mode) {
                String itself = file.with(number -> "/proc/self/fd/" + number);
                ErrnoException.check(SysStat.fchmodat(file, itself, mode), "chmod", path);
            }
        }
    }

    private static Optional<SocketFile> fileOf(UnixAddress address) {
        try {
            return address instanceof UnixAddress.PathName(String path)
                    ? Optional.of(SocketFile.of(Path.of(path)))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // removed meanwhile
        }
    }

    private static boolean removeDead(String path, SocketType type) {
        try (Fd probe = Fd.adopt(SysSocket.socket(type.number()), "socket", type)) {
            int r = SysSocket.connect(probe, UnixAddress.name(new UnixAddress.PathName(path)));
            return r == -Errno.ECONNREFUSED
                    && isSocket(path)
                    && Files.deleteIfExists(Path.of(path));
        } catch (IOException e) {
            return false;
        }
    }

    /** A regular file refuses a connection as a dead socket does. */
    private static boolean isSocket(String path) throws IOException {
        int mode = (Integer) Files.getAttribute(Path.of(path), "unix:mode");
        return (mode & 0xF000) == 0xC000; // S_IFMT, S_IFSOCK of sys/stat.h
    }

    /**
     * Takes over a listening socket that came from elsewhere (systemd's LISTEN_FDS), and makes it
     * non-blocking; a refused one stays the giver's. Its file is not removed at close.
     *
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT, EINVAL (it does not listen)
     */
    public static UnixListener adopt(Fd received) {
        SocketType type = UnixSocket.typeOf(received);
        if (SysSocket.option(received, SysSocket.SO_ACCEPTCONN) != 1) {
            throw new ErrnoException(
                    "adopt", received.toString(), Errno.EINVAL, "it does not listen");
        }
        return new UnixListener(received.move(), type, Optional.empty());
    }

    /**
     * See {@link UnixSocket#passIdentity}: inherited by every connection, and in force for early
     * data.
     */
    public void passIdentity() {
        UnixSocket.passIdentity(fd);
    }

    /** The address that it listens on. */
    public UnixAddress address() {
        return UnixAddress.of(SysSocket.getsockname(fd));
    }

    /** The descriptor, lent: to watch, or to pass on. */
    public Fd fd() {
        return fd;
    }

    /**
     * Waits for a connection.
     *
     * @throws ErrnoException EMFILE, ENFILE: the connection stays in the queue
     */
    public UnixSocket accept() throws InterruptedException {
        for (; ; ) {
            Optional<UnixSocket> accepted = tryAccept();
            if (accepted.isPresent()) {
                return accepted.get();
            }
            int ignored = Readiness.await(fd, Readiness.IN);
        }
    }

    /** A connection that waits, or none. */
    public Optional<UnixSocket> tryAccept() {
        int number = SysSocket.accept(fd);
        return number == -Errno.EAGAIN
                ? Optional.empty()
                : Optional.of(new UnixSocket(Fd.adopt(number, "accept4", fd), type));
    }

    /**
     * Stops listening, and removes the socket file that {@link #listen} made, unless another file
     * has taken its place. Idempotent.
     */
    @Override
    public void close() {
        if (fd.isOpen()) {
            unlinkAtClose.ifPresent(SocketFile::removeIfSame);
        }
        fd.close();
    }
}
