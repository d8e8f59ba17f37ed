package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.folder.SocketFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.wait.FdCloser;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A listening AF_UNIX socket. Accepting parks the calling thread; a {@link #close} by another
 * thread ends the wait with IllegalStateException. Safe for use by several threads.
 */
public final class UnixListener implements AutoCloseable {
    private static final int ALL_PERMISSIONS = 0777;

    private final Fd fd;
    private final SocketType type;
    private final UnixAddress address;
    private final @Nullable SocketFile file; // removed at close

    private UnixListener(Fd fd, SocketType type, UnixAddress address, @Nullable SocketFile file) {
        this.fd = fd;
        this.type = type;
        this.address = address;
        this.file = file;
    }

    /**
     * Binds and listens. A dead socket file, to which no socket is bound any more, is replaced; the
     * file made here is removed at {@link #close}. A socket file that is not listening yet belongs
     * to another process; so does a file that is not a socket, even a symbolic link to one. If
     * several listeners are made for one path at the same time, one succeeds. A dead file stays if
     * it cannot be renamed (RENAME_NOREPLACE, which NFS lacks) or we may not remove it.
     *
     * @param address the address
     * @param type STREAM or SEQPACKET
     * @param backlog how many connections may wait to be accepted; the kernel caps it
     *     (net.core.somaxconn)
     * @return the listener, owned by the caller
     * @throws IllegalArgumentException if the type is DATAGRAM: see {@link UnixSocket#bind}
     * @throws ErrnoException EADDRINUSE (another socket is bound there or is being bound, or the
     *     file is not a socket), EACCES, ENOENT (no directory)
     */
    public static UnixListener listen(UnixAddress address, SocketType type, int backlog) {
        return listen(address, type, backlog, OptionalInt.empty());
    }

    /**
     * Binds and listens, with permissions for the socket file, whatever the umask. No process that
     * they exclude can connect at any time: the file is bound without any permissions, and gets
     * these before the socket listens. A process that may write the file may connect.
     *
     * @param address the address
     * @param type STREAM or SEQPACKET
     * @param backlog how many connections may wait to be accepted
     * @param mode the permissions, 0 to 0777
     * @return the listener, owned by the caller
     * @throws IllegalArgumentException also if the address is not a path, or the mode is out of
     *     range
     */
    public static UnixListener listen(UnixAddress address, SocketType type, int backlog, int mode) {
        if (mode < 0 || mode > ALL_PERMISSIONS) {
            throw new IllegalArgumentException(SysStat.notPermissions(mode));
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
        return address instanceof UnixAddress.PathName(String path)
                ? ofFile(SocketFile.at(path), address, type, backlog, mode)
                : ofName(address, type, backlog);
    }

    private static Fd socket(SocketType type) {
        int number = SysSocket.socket(type.number() | SysSocket.SOCK_NONBLOCK);
        return Fd.received(ErrnoException.check(number, "socket", type));
    }

    private static UnixListener ofName(UnixAddress address, SocketType type, int backlog) {
        Fd fd = socket(type);
        try {
            ErrnoException.check(SysSocket.bind(fd, KernelAddress.of(address)), "bind", address);
            ErrnoException.check(SysSocket.listen(fd, backlog), "listen", address);
            return new UnixListener(
                    fd, type, KernelAddress.address(SysSocket.getsockname(fd)), null);
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    private static UnixListener ofFile(
            SocketFile file, UnixAddress address, SocketType type, int backlog, OptionalInt mode) {
        Fd fd = null;
        try {
            fd = socket(type);
            if (mode.isPresent()) {
                file.bindClosed(fd);
                file.setOwnerAndMode(-1, -1, mode.getAsInt());
            } else {
                file.bind(fd);
            }
            ErrnoException.check(SysSocket.listen(fd, backlog), "listen", address);
            file.requireInPlace();
            return new UnixListener(fd, type, address, file);
        } catch (RuntimeException e) {
            file.removeIfSame();
            file.close();
            if (fd != null) {
                fd.close();
            }
            throw e;
        }
    }

    /**
     * Takes over a listening socket that came from elsewhere (systemd's LISTEN_FDS), and makes it
     * non-blocking. Its file is not removed at close.
     *
     * @param received the descriptor; owned by the listener if this method returns, otherwise it
     *     stays the caller's
     * @return the listener, owned by the caller
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT, EINVAL (it does not listen)
     */
    public static UnixListener adopt(Fd received) {
        SocketType type = UnixSocket.typeOf(received);
        if (SysSocket.option(received, SysSocket.SO_ACCEPTCONN) != 1) {
            throw new ErrnoException(
                    "adopt", received.toString(), Errno.EINVAL, "it does not listen");
        }
        Fcntl.setBlocking(received, false);
        UnixAddress address = KernelAddress.address(SysSocket.getsockname(received));
        Fd owned = received.move();
        if (!owned.isReceived()) {
            owned.closeWith(FdCloser.automatic(new Object()));
        }
        return new UnixListener(owned, type, address, null);
    }

    /**
     * Takes over a listening socket that an earlier process of this program made, and that was kept
     * after its end: like {@link #adopt}, but the existing socket file is removed at close.
     *
     * @param kept the descriptor; owned by the listener if this method returns, otherwise it stays
     *     the caller's
     * @param address the address on which it listens
     * @return the listener, owned by the caller
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT, EINVAL (it does not listen); ENOENT, ELOOP,
     *     EMFILE (the directory of the socket file cannot be opened)
     */
    public static UnixListener takeOver(Fd kept, UnixAddress address) {
        SocketFile file =
                address instanceof UnixAddress.PathName path ? SocketFile.at(path.path()) : null;
        try {
            if (file != null) {
                file.takeOver();
            }
            UnixListener adopted = adopt(kept);
            return new UnixListener(adopted.fd, adopted.type, address, file);
        } catch (RuntimeException e) {
            if (file != null) {
                file.close();
            }
            throw e;
        }
    }

    /**
     * Requests the sender of each message, as {@link UnixSocket#passIdentity} does, on every
     * connection from its first message on: accepted sockets inherit the option.
     */
    public void passIdentity() {
        UnixSocket.passIdentity(fd);
    }

    /** {@return the address that it listens on, as given} */
    public UnixAddress address() {
        return address;
    }

    /** {@return the descriptor, lent: to watch, or to pass on} */
    public Fd fd() {
        return fd;
    }

    /**
     * Waits for a connection.
     *
     * @return the socket, owned by the caller
     * @throws ErrnoException EMFILE, ENFILE: the connection stays in the queue
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public UnixSocket accept() throws InterruptedException {
        UnixSocket.requireNotInterrupted();
        for (; ; ) {
            Optional<UnixSocket> accepted = tryAccept();
            if (accepted.isPresent()) {
                return accepted.get();
            }
            int ignored = Readiness.await(fd, Readiness.IN);
        }
    }

    /** {@return a waiting connection, owned by the caller; empty if there is none} */
    public Optional<UnixSocket> tryAccept() {
        int number = SysSocket.accept(fd);
        if (number == -Errno.EAGAIN) {
            return Optional.empty();
        }
        return Optional.of(UnixSocket.of(Fd.adopt(number, "accept4", fd), type));
    }

    /**
     * Stops listening, and removes the socket file that {@link #listen} made, unless another file
     * has taken its place. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (file != null) {
            if (fd.isOpen()) {
                file.removeIfSame();
            }
            file.close();
        }
        fd.close();
    }
}
