package io.holdfast.core.socket;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.folder.SocketFile;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.core.sys.socket.UnixName;
import io.holdfast.core.wait.FdCloser;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An AF_UNIX socket (unix(7)) that passes descriptors and identifies its peer. Calls that wait park
 * the calling thread, virtual or platform; a {@link #close} by another thread ends the wait with
 * IllegalStateException, an interrupt with InterruptedException.
 *
 * <p>One thread may send while another receives; two threads that send (or receive) at the same
 * time must synchronize. The {@code try…} methods never wait, for use on an event loop, whatever
 * the mode of the socket: a socket that is made here is in blocking mode, as a program that gets it
 * passed expects. Buffers of any kind are accepted; direct ones are not copied, and must not be
 * freed ({@code Arena.close}) during a call. A byte that the other end sends out of band (MSG_OOB)
 * is part of the stream (SO_OOBINLINE).
 */
public final class UnixSocket implements AutoCloseable {
    static {
        SpawnThread.prepare(); // before a stranger's file can be in the table of this process
    }

    /** The result of the {@code try…} methods when they would have to wait. */
    public static final int WOULD_BLOCK = -2;

    /** No permission, no such process, no such user in this namespace. */
    private static final Set<Integer> MAY_NOT_STATE =
            Set.of(Errno.EPERM, Errno.ESRCH, Errno.EINVAL);

    /** The result of a receive at the end of a stream. */
    public static final int END = -1;

    private static final long MAX_ID = 0xFFFFFFFEL; // 0xFFFFFFFF means none
    private static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

    private final Fd fd;
    private final SocketType type;
    private final BufferTransfer transfer;

    /**
     * Whether a process that sent the socket may still have it: by reading a byte out of band, it
     * could hide the descriptors of that byte.
     */
    private final boolean shared;

    private UnixSocket(Fd fd, SocketType type, boolean shared) {
        this.fd = fd;
        this.type = type;
        this.transfer = new BufferTransfer(fd, type);
        this.shared = shared;
        if (type == SocketType.STREAM) {
            // otherwise a receive drops the descriptors of a byte out of band, and waits for that
            int ignored = SysSocket.setOption(fd, SysSocket.SO_OOBINLINE, 1);
        }
    }

    /**
     * Makes a socket of this process. Its close does not wait for descriptors that the other end
     * has sent and nobody has received.
     */
    static UnixSocket of(Fd fd, SocketType type) {
        Ucred peer = SysSocket.peercred(fd);
        fd.closeWith(FdCloser.automatic(peer == null ? new Object() : peer.uid()));
        return new UnixSocket(fd, type, false);
    }

    /**
     * Connects; parks the calling thread while the listener's backlog is full.
     *
     * @param address the address
     * @param type STREAM, DATAGRAM or SEQPACKET
     * @return the socket, owned by the caller
     * @throws ErrnoException ENOENT, ECONNREFUSED (no process listens), EACCES, EPROTOTYPE (other
     *     type)
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static UnixSocket connect(UnixAddress address, SocketType type)
            throws InterruptedException {
        return connect(address, type, FOR_EVER);
    }

    /**
     * Connects as {@link #connect(UnixAddress, SocketType)} does, with a time limit.
     *
     * @param address the address
     * @param type STREAM, DATAGRAM or SEQPACKET
     * @param limit the time limit; zero tries once
     * @return the socket, owned by the caller
     * @throws ErrnoException also ETIMEDOUT: the listener's backlog was full all the time
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static UnixSocket connect(UnixAddress address, SocketType type, Duration limit)
            throws InterruptedException {
        return connect(null, address, type, limit);
    }

    /**
     * Connects as {@link #connect(UnixAddress, SocketType, Duration)} does, from an address of its
     * own, by which the listener recognizes it.
     *
     * @param from the address to bind to first; null for none
     * @param address the address
     * @param type STREAM, DATAGRAM or SEQPACKET
     * @param limit the time limit; zero tries once
     * @return the socket, owned by the caller
     * @throws ErrnoException also EADDRINUSE
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static UnixSocket connect(
            @Nullable UnixAddress from, UnixAddress address, SocketType type, Duration limit)
            throws InterruptedException {
        requireNotInterrupted();
        UnixName name = KernelAddress.of(address);
        long begin = System.nanoTime();
        long nanos = Readiness.nanos(limit);
        int number = SysSocket.socket(type.number() | SysSocket.SOCK_NONBLOCK);
        Fd fd = Fd.adopt(number, "socket", type);
        try {
            if (from != null) {
                int bound = SysSocket.bind(fd, KernelAddress.of(from));
                ErrnoException.check(bound, "bind", from);
            }
            Duration pause = Duration.ofMillis(1);
            int r = SysSocket.connect(fd, name);
            while (r == -Errno.EAGAIN) {
                long left = nanos - (System.nanoTime() - begin);
                if (left <= 0) {
                    throw new ErrnoException(
                            "connect",
                            address.toString(),
                            Errno.ETIMEDOUT,
                            "its queue of connections is full: the listener does not accept them");
                }
                // a full backlog has no event for the connecting side
                Thread.sleep(Duration.ofNanos(Math.min(left, pause.toNanos())));
                pause = longer(pause);
                r = SysSocket.connect(fd, name);
            }
            if (r < 0) {
                throw new ErrnoException("connect", address.toString(), -r, advice(-r));
            }
            Fcntl.setBlocking(fd, true); // non-blocking for connect(2) only, which has no flag
            return of(fd, type);
        } catch (RuntimeException | InterruptedException e) {
            fd.close();
            throw e;
        }
    }

    /** Throws if the thread is interrupted, for calls that may find no reason to wait. */
    static void requireNotInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private static Duration longer(Duration pause) {
        return pause.toMillis() < 50 ? pause.multipliedBy(2) : pause;
    }

    private static @Nullable String advice(int errno) {
        return errno == Errno.EPROTOTYPE ? "that socket is of another type" : null;
    }

    /**
     * {@return a datagram socket with an address of its own} For a path it makes a socket file, as
     * bind(2) does, and nothing more: unlike {@link UnixListener#listen} it replaces no dead file,
     * and the caller must remove the file after this is closed.
     *
     * @param address the address
     * @throws ErrnoException EADDRINUSE (also if the file exists), EACCES, ENOENT (no such
     *     directory)
     */
    public static UnixSocket bind(UnixAddress address) {
        Fd fd = forOthers();
        int r = SysSocket.bind(fd, KernelAddress.of(address));
        if (r < 0) {
            fd.close();
            throw new ErrnoException("bind", address.toString(), -r);
        }
        return new UnixSocket(fd, SocketType.DATAGRAM, false);
    }

    /**
     * Binds a datagram socket as {@link #bind(UnixAddress)} does, with permissions for the socket
     * file, whatever the umask; no process can send before the file has them. A dead file is
     * replaced.
     *
     * @param address the address
     * @param mode the permissions, 0 to 0777
     * @return the socket, owned by the caller
     * @throws ErrnoException as {@link #bind(UnixAddress)}
     */
    public static UnixSocket bind(UnixAddress.PathName address, int mode) {
        try (SocketFile file = SocketFile.at(address.path())) {
            Fd fd = forOthers();
            try {
                file.bindClosed(fd);
                file.setOwnerAndMode(-1, -1, mode);
                return new UnixSocket(fd, SocketType.DATAGRAM, false);
            } catch (RuntimeException e) {
                file.removeIfSame();
                fd.close();
                throw e;
            }
        }
    }

    /** Makes a datagram socket to which other processes may send. */
    private static Fd forOthers() {
        int number = SysSocket.socket(SocketType.DATAGRAM.number());
        return Fd.received(ErrnoException.check(number, "socket", SocketType.DATAGRAM));
    }

    /** {@return a datagram socket without an address, to send from} */
    public static UnixSocket datagram() {
        return new UnixSocket(forOthers(), SocketType.DATAGRAM, false);
    }

    /**
     * {@return two sockets that are connected to each other}
     *
     * @param type STREAM, DATAGRAM or SEQPACKET
     */
    public static UnixSocket[] pair(SocketType type) {
        Fd[] pair = SysSocket.socketpair(type.number());
        return new UnixSocket[] {endOfPair(pair[0], type), endOfPair(pair[1], type)};
    }

    /** Wraps one end. Its slow closes are charged to itself, as the other user is unknown. */
    private static UnixSocket endOfPair(Fd fd, SocketType type) {
        fd.closeWith(FdCloser.automatic(new Object()));
        return new UnixSocket(fd, type, false);
    }

    /**
     * Takes over a socket that came from elsewhere (a parent, a message), without changing its
     * mode.
     *
     * @param received the descriptor; owned by the result if this method returns, otherwise it
     *     stays the caller's
     * @return the socket, owned by the caller
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT (not AF_UNIX)
     */
    public static UnixSocket adopt(Fd received) {
        SocketType type = typeOf(received);
        Fd owned = received.move();
        return owned.isReceived() ? new UnixSocket(owned, type, true) : of(owned, type);
    }

    static SocketType typeOf(Fd received) {
        int domain = SysSocket.option(received, SysSocket.SO_DOMAIN);
        ErrnoException.check(domain, "getsockopt(SO_DOMAIN)", received);
        if (domain != SysSocket.AF_UNIX) {
            throw new ErrnoException("adopt", received.toString(), Errno.EAFNOSUPPORT);
        }
        return SocketType.of(SysSocket.option(received, SysSocket.SO_TYPE));
    }

    /**
     * Returns the type with which it was made; for an adopted socket, the type that the kernel
     * reports.
     *
     * @return the type
     */
    public SocketType type() {
        return type;
    }

    /** {@return the descriptor, lent: to watch, or to pass on} */
    public Fd fd() {
        return fd;
    }

    /** {@return its own address} */
    public UnixAddress localAddress() {
        return KernelAddress.address(SysSocket.getsockname(fd));
    }

    /**
     * {@return the address that it is connected to}
     *
     * @throws ErrnoException ENOTCONN
     */
    public UnixAddress remoteAddress() {
        return KernelAddress.address(SysSocket.getpeername(fd));
    }

    /**
     * {@return the peer at the other end, owned by the caller} Each call reads it from the kernel.
     *
     * @throws ErrnoException ENOTCONN if there is no peer, EMFILE
     */
    public Peer peer() {
        Optional<Peer> peer = Peer.of(fd);
        return peer.orElseThrow(
                () -> new ErrnoException("getsockopt(SO_PEERCRED)", fd.toString(), Errno.ENOTCONN));
    }

    /**
     * Requests the sender of each message from now on ({@link Ancillary#takeSender}): its
     * credentials, and its pidfd where the kernel supports that (Linux 6.5). Messages that were
     * sent before have no sender, so a server makes this request on its {@link UnixListener}.
     */
    public void passIdentity() {
        passIdentity(fd);
    }

    static void passIdentity(Fd fd) {
        ErrnoException.check(
                SysSocket.setOption(fd, SysSocket.SO_PASSCRED, 1), "setsockopt(SO_PASSCRED)", fd);
        if (Feature.PEER_PIDFD.isPresent()) {
            ErrnoException.check(
                    SysSocket.setOption(fd, SysSocket.SO_PASSPIDFD, 1),
                    "setsockopt(SO_PASSPIDFD)",
                    fd);
        }
    }

    /**
     * Refuses descriptors from now on: a send of the peer with descriptors fails with EPERM
     * (SO_PASSRIGHTS).
     *
     * @throws NotSupportedException before Linux 6.16
     */
    public void refuseDescriptors() {
        passDescriptors(false);
    }

    /**
     * Sets whether descriptors are accepted from now on; if not, a send of the peer with
     * descriptors fails with EPERM (SO_PASSRIGHTS).
     *
     * @param accepted whether they are accepted
     * @throws NotSupportedException before Linux 6.16
     */
    public void passDescriptors(boolean accepted) {
        if (!Feature.PASS_RIGHTS.isPresent()) {
            throw new NotSupportedException("refusing descriptors", Feature.PASS_RIGHTS);
        }
        ErrnoException.check(
                SysSocket.setOption(fd, SysSocket.SO_PASSRIGHTS, accepted ? 1 : 0),
                "setsockopt(SO_PASSRIGHTS)",
                fd);
    }

    /**
     * Sends once, parking the calling thread until there is room: on a stream as much as fits,
     * otherwise the whole message.
     *
     * @param data the bytes from position to limit
     * @return how many bytes were taken from the buffer
     * @throws ErrnoException EPIPE, ECONNRESET, EMSGSIZE
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int send(ByteBuffer data) throws InterruptedException {
        requireNotInterrupted();
        return waiting(Readiness.OUT, () -> trySend(data));
    }

    /**
     * Sends all the bytes, in as many parts as the socket needs.
     *
     * @param data the bytes from position to limit
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public void sendFully(ByteBuffer data) throws InterruptedException {
        while (data.hasRemaining()) {
            int ignored = send(data);
        }
    }

    /**
     * Sends with descriptors, which arrive with the first byte.
     *
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer
     * @throws ErrnoException ETOOMANYREFS, EPERM (the peer refuses them), EPIPE, ECONNRESET,
     *     EMSGSIZE
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int send(ByteBuffer data, List<Fd> descriptors) throws InterruptedException {
        requireNotInterrupted();
        return waiting(Readiness.OUT, () -> trySend(data, descriptors));
    }

    /**
     * Sends with other user and group ids (SCM_CREDENTIALS), for a receiver that has requested the
     * sender ({@link #passIdentity}). The sending process remains this one: the kernel would
     * identify another one by PID, which a different process may have by then.
     *
     * @param uid the real, effective or saved user id of this process; any user id with CAP_SETUID
     * @param gid the real, effective or saved group id of this process; any group id with
     *     CAP_SETGID
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer
     * @throws ErrnoException EPERM (an id that is not permitted), EINVAL (not in this user
     *     namespace), and as {@link #send(ByteBuffer, List)}
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int sendAs(long uid, long gid, ByteBuffer data, List<Fd> descriptors)
            throws InterruptedException {
        requireNotInterrupted();
        return waiting(Readiness.OUT, () -> trySendAs(uid, gid, data, descriptors));
    }

    /**
     * Sends a datagram to an address, parking the calling thread until the receiver has room.
     *
     * @param to the address of the receiver
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer
     * @throws ErrnoException ENOENT, ECONNREFUSED, EACCES, EMSGSIZE
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int sendTo(UnixAddress to, ByteBuffer data, List<Fd> descriptors)
            throws InterruptedException {
        requireNotInterrupted();
        for (Duration pause = Duration.ofMillis(1); ; pause = longer(pause)) {
            int n = trySendTo(to, data, descriptors);
            if (n != WOULD_BLOCK) {
                return n;
            }
            Thread.sleep(pause); // the receiver's queue has no event for an unconnected sender
        }
    }

    /**
     * Sends as {@link #sendTo} does, but never waits.
     *
     * @param to the address of the receiver
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer, or {@link #WOULD_BLOCK}
     * @throws ErrnoException ENOENT, ECONNREFUSED, EACCES, EMSGSIZE
     */
    public int trySendTo(UnixAddress to, ByteBuffer data, List<Fd> descriptors) {
        return transfer.send(data, KernelAddress.of(to), descriptors, null, "sendto " + to);
    }

    /**
     * Sends a datagram to an address with the credentials of another sender, as far as this process
     * may state them: its process with CAP_SYS_ADMIN and while it is {@linkplain Sender.Held held}
     * and not reaped, its user and group with CAP_SETUID and CAP_SETGID. What may not be stated is
     * that of this process. Never waits.
     *
     * @param to the address of the receiver
     * @param sender the sender of the datagram, which stays the caller's
     * @param data the bytes from position to limit
     * @return how many bytes were taken from the buffer, or {@link #WOULD_BLOCK}
     * @throws ErrnoException as {@link #sendTo}
     */
    public int tryForwardTo(UnixAddress to, Sender sender, ByteBuffer data) {
        boolean isHeld = sender.pidFd().filter(it -> it.state() != PidFd.State.REAPED).isPresent();
        List<Integer> processes =
                isHeld ? List.of(sender.pid(), Unistd.getpid()) : List.of(Unistd.getpid());
        for (int process : processes) {
            Ucred as = new Ucred(process, sender.uid(), sender.gid());
            try {
                return transfer.send(data, KernelAddress.of(to), List.of(), as, "sendto " + to);
            } catch (ErrnoException e) {
                if (!MAY_NOT_STATE.contains(e.errno())) {
                    throw e;
                }
            }
        }
        return trySendTo(to, data, List.of());
    }

    /**
     * Sends as {@link #send(ByteBuffer)} does, but never waits.
     *
     * @param data the bytes from position to limit
     * @return how many bytes were taken from the buffer, or {@link #WOULD_BLOCK}
     */
    public int trySend(ByteBuffer data) {
        return transfer.send(data);
    }

    /**
     * Sends as {@link #send(ByteBuffer, List)} does, but never waits.
     *
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer, or {@link #WOULD_BLOCK}
     */
    public int trySend(ByteBuffer data, List<Fd> descriptors) {
        return transfer.send(data, null, descriptors, null, "sendmsg");
    }

    /**
     * Sends as {@link #sendAs} does, but never waits.
     *
     * @param uid the user to send as
     * @param gid the group to send as
     * @param data the bytes from position to limit
     * @param descriptors the descriptors to send, at most 253; they stay the caller's
     * @return how many bytes were taken from the buffer, or {@link #WOULD_BLOCK}
     */
    public int trySendAs(long uid, long gid, ByteBuffer data, List<Fd> descriptors) {
        Ucred as = new Ucred(Unistd.getpid(), id("user", uid), id("group", gid));
        return transfer.send(data, null, descriptors, as, "sendmsg(SCM_CREDENTIALS)");
    }

    private static long id(String kind, long id) {
        if (id < 0 || id > MAX_ID) {
            throw new IllegalArgumentException("no " + kind + " has the id " + id);
        }
        return id;
    }

    /**
     * Receives once, parking the calling thread until there is data. Descriptors that arrive are
     * closed.
     *
     * @param into the buffer for the bytes
     * @return how many bytes were put into the buffer; {@link #END} when the peer has ended the
     *     stream, or sent an empty SEQPACKET message: the kernel does not distinguish the two
     * @throws ErrnoException ECONNRESET
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int receive(ByteBuffer into) throws InterruptedException {
        return waiting(Readiness.IN, () -> tryReceive(into));
    }

    /**
     * Receives as {@link #receive(ByteBuffer)} does, with the ancillary data.
     *
     * @param into the buffer for the bytes
     * @param ancillary takes the ancillary data
     * @return how many bytes were put into the buffer, or {@link #END}
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int receive(ByteBuffer into, Ancillary ancillary) throws InterruptedException {
        return waiting(Readiness.IN, () -> tryReceive(into, ancillary));
    }

    /**
     * Receives as {@link #receive(ByteBuffer)} does, but never waits.
     *
     * @param into the buffer for the bytes
     * @return how many bytes were put into the buffer, {@link #END}, or {@link #WOULD_BLOCK}
     */
    public int tryReceive(ByteBuffer into) {
        return transfer.receive(into, 0, "recv");
    }

    /**
     * Copies what the next receive would return, without consuming it: for a stream that will be
     * handed on at an exact byte. Never waits.
     *
     * @param into the buffer for the bytes
     * @return how many bytes were put into the buffer, {@link #END}, or {@link #WOULD_BLOCK}
     */
    public int tryPeek(ByteBuffer into) {
        return transfer.receive(into, SysSocket.MSG_PEEK, "recv(MSG_PEEK)");
    }

    /**
     * Receives as {@link #receive(ByteBuffer, Ancillary)} does, but never waits.
     *
     * @param into the buffer for the bytes
     * @param ancillary takes the ancillary data
     * @return how many bytes were put into the buffer, {@link #END}, or {@link #WOULD_BLOCK}
     */
    public int tryReceive(ByteBuffer into, Ancillary ancillary) {
        return transfer.receive(into, ancillary, 0, "recvmsg");
    }

    /**
     * Copies what the next receive would return, with the ancillary data, without consuming it: the
     * descriptors are duplicates. The socket's SO_PEEK_OFF (socket(7)) sets where the peek starts.
     * Never waits.
     *
     * @param into the buffer for the bytes
     * @param ancillary takes the ancillary data
     * @return how many bytes were put into the buffer, {@link #END}, or {@link #WOULD_BLOCK}
     */
    public int tryPeek(ByteBuffer into, Ancillary ancillary) {
        return transfer.receive(into, ancillary, SysSocket.MSG_PEEK, "recvmsg(MSG_PEEK)");
    }

    /** A {@code try…} method. */
    private interface Attempt {
        int run();
    }

    /** Repeats an attempt, parking the calling thread, until it need not wait. */
    private int waiting(int events, Attempt attempt) throws InterruptedException {
        int n = attempt.run();
        while (n == WOULD_BLOCK) {
            int ignored = Readiness.await(fd, events);
            n = attempt.run();
        }
        return n;
    }

    /**
     * Parks the calling thread until the socket is ready for one of the events; see {@link
     * Readiness#await}.
     *
     * @param events bits of {@link Readiness}
     * @return what the socket is ready for
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public int await(int events) throws InterruptedException {
        return Readiness.await(fd, events);
    }

    /**
     * Returns a stream that reads from the socket; closing the stream does not close the socket.
     *
     * @return the stream
     */
    public InputStream inputStream() {
        return new SocketStreams.In(this);
    }

    /**
     * Returns a stream that writes to the socket; closing the stream does not close the socket.
     *
     * @return the stream
     */
    public OutputStream outputStream() {
        return new SocketStreams.Out(this);
    }

    /**
     * Ends our direction of the stream: the peer receives what was sent, and then the end.
     *
     * @throws ErrnoException ENOTCONN
     */
    public void shutdownOutput() {
        ErrnoException.check(SysSocket.shutdown(fd, SysSocket.SHUT_WR), "shutdown", fd);
    }

    /** Ends both directions, for every holder of the socket; idempotent. */
    public void shutdown() {
        int ignored = SysSocket.shutdown(fd, SysSocket.SHUT_RDWR);
    }

    @Override
    public void close() {
        if (type == SocketType.STREAM && !shared && isEmpty()) {
            fd.closeWith(null); // at the end of the stream FdCloser could not tell
        }
        fd.close();
    }

    private boolean isEmpty() {
        try {
            return SysIoctl.readable(fd) == 0;
        } catch (ClosedException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return type + " socket of " + fd;
    }
}
