package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.socket.SysSocket;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A listening AF_UNIX socket. Accepting parks the calling thread; a {@link #close} by another
 * thread ends that with IllegalStateException. Safe for use by several threads.
 */
public final class UnixListener implements AutoCloseable {
    private static final int ALL_PERMISSIONS = 0777;

    private final Fd fd;
    private final SocketType type;
    private final UnixAddress address;
    private final @Nullable SocketFile file; // which is removed at close

    private UnixListener(Fd fd, SocketType type, UnixAddress address, @Nullable SocketFile file) {
        this.fd = fd;
        this.type = type;
        this.address = address;
        this.file = file;
    }

    /**
     * Binds and listens. A socket file that no socket is bound to any more is replaced; the one
     * made here is removed at {@link #close}. One whose socket does not listen yet is somebody's,
     * and so is what is no socket, be it a link to one. Of listeners that are made for one path at
     * once, one succeeds. A dead file stays where it cannot be renamed (RENAME_NOREPLACE, which NFS
     * lacks) or is not ours to remove.
     *
     * @param address the address
     * @param type STREAM or SEQPACKET
     * @param backlog how many connections may wait; the kernel caps it (net.core.somaxconn)
     * @return the listener, owned by the caller
     * @throws IllegalArgumentException if the type is DATAGRAM: see {@link UnixSocket#bind}
     * @throws ErrnoException EADDRINUSE (somebody is bound there or takes it at this moment, or it
     *     is no socket), EACCES, ENOENT (no folder)
     */
    public static UnixListener listen(UnixAddress address, SocketType type, int backlog) {
        return listen(address, type, backlog, OptionalInt.empty());
    }

    /**
     * The same with the permissions of the socket file, whatever the umask; nobody is let in at any
     * moment who may not be. The file is bound without any permissions, and is given these before
     * the socket listens. Whoever may write may connect.
     *
     * @param address the address
     * @param type stream or SEQPACKET
     * @param backlog how many connections may wait to be accepted
     * @param mode 0 to 0777
     * @return the listener, owned by the caller
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
            ErrnoException.check(SysSocket.bind(fd, UnixAddress.name(address)), "bind", address);
            ErrnoException.check(SysSocket.listen(fd, backlog), "listen", address);
            return new UnixListener(fd, type, UnixAddress.of(SysSocket.getsockname(fd)), null);
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
                file.give(-1, -1, mode.getAsInt());
            } else {
                file.bind(fd);
            }
            ErrnoException.check(SysSocket.listen(fd, backlog), "listen", address);
            file.requireThere();
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
     * non-blocking; a refused one stays the giver's. Its file is not removed at close.
     *
     * @param received the descriptor; owned from now on if it is taken over
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
        UnixAddress address = UnixAddress.of(SysSocket.getsockname(received));
        return new UnixListener(received.move(), type, address, null);
    }

    /**
     * Takes over a listening socket that an earlier process of this program made, and that was kept
     * over its end: as {@link #adopt}, but the file that is there is removed at close.
     *
     * @param kept the descriptor; owned from now on if it is taken over
     * @param address on which it listens
     * @return the listener, owned by the caller
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT, EINVAL (it does not listen)
     */
    public static UnixListener takeOver(Fd kept, UnixAddress address) {
        UnixListener adopted = adopt(kept);
        SocketFile file = null;
        if (address instanceof UnixAddress.PathName path) {
            file = SocketFile.at(path.path());
            file.takeOver();
        }
        return new UnixListener(adopted.fd, adopted.type, address, file);
    }

    /**
     * See {@link UnixSocket#passIdentity}: inherited by every connection, and in force for early
     * data.
     */
    public void passIdentity() {
        UnixSocket.passIdentity(fd);
    }

    /** {@return the address that it listens on, as it was given} */
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
        for (; ; ) {
            Optional<UnixSocket> accepted = tryAccept();
            if (accepted.isPresent()) {
                return accepted.get();
            }
            int ignored = Readiness.await(fd, Readiness.IN);
        }
    }

    /** {@return a connection that waits, or none} */
    public Optional<UnixSocket> tryAccept() {
        int number = SysSocket.accept(fd);
        if (number == -Errno.EAGAIN) {
            return Optional.empty();
        }
        Fd accepted = Fd.received(ErrnoException.check(number, "accept4", fd));
        return Optional.of(new UnixSocket(accepted, type));
    }

    /**
     * Stops listening, and removes the socket file that {@link #listen} made, unless another file
     * has taken its place. Idempotent.
     */
    @Override
    public void close() {
        if (file != null) {
            if (fd.isOpen()) {
                file.removeIfSame();
            }
            file.close();
        }
        fd.close();
    }
}
