package io.holdfast.core.sys.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CopyBuffer;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code sys/socket.h} for AF_UNIX. Sockets are made close-on-exec. No call here waits, whatever
 * the mode of the socket; {@link #connect} and {@link #accept} need a non-blocking one for that.
 */
public final class SysSocket {
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_SEQPACKET = 5;

    /** To be added to a type. */
    public static final int SOCK_NONBLOCK = Fcntl.O_NONBLOCK;

    private static final int SOCK_CLOEXEC = Fcntl.O_CLOEXEC;

    public static final int SOL_SOCKET = 1;
    public static final int SO_REUSEADDR = 2;
    public static final int SO_TYPE = 3;
    public static final int SO_ERROR = 4;
    public static final int SO_SNDBUF = 7;
    public static final int SO_RCVBUF = 8;

    /** Makes bytes out of band (MSG_OOB) part of the stream, with their descriptors. */
    public static final int SO_OOBINLINE = 10;

    public static final int SO_PASSCRED = 16;
    public static final int SO_PEERCRED = 17;
    public static final int SO_ACCEPTCONN = 30;
    public static final int SO_PEERSEC = 31;

    /** More than net.core.wmem_max allows; CAP_NET_ADMIN. */
    public static final int SO_SNDBUFFORCE = 32;

    public static final int SO_DOMAIN = 39;

    /** From which byte of the queue a {@link #MSG_PEEK} reads on; -1: always from the first. */
    public static final int SO_PEEK_OFF = 42;

    public static final int SO_COOKIE = 57;
    public static final int SO_PEERGROUPS = 59;

    /** Linux 6.5. */
    public static final int SO_PASSPIDFD = 76;

    /** Linux 6.5. */
    public static final int SO_PEERPIDFD = 77;

    /** Linux 6.16. */
    public static final int SO_PASSRIGHTS = 83;

    static final int SCM_RIGHTS = 1;
    static final int SCM_CREDENTIALS = 2;
    static final int SCM_PIDFD = 4;

    static final int MSG_CTRUNC = 8;
    public static final int MSG_PEEK = 2;
    static final int MSG_TRUNC = 0x20;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int TO_SEND = MSG_NOSIGNAL | MSG_DONTWAIT;

    public static final int SHUT_RD = 0;
    public static final int SHUT_WR = 1;
    public static final int SHUT_RDWR = 2;

    public static final int AF_UNIX = 1;

    private static final Libc.Function SOCKET = Libc.bind("socket");
    private static final Libc.Function GETSOCKOPT = Libc.bind("getsockopt");
    private static final Libc.Function SETSOCKOPT = Libc.bind("setsockopt");
    private static final Libc.Function SENDMSG = Libc.bind("sendmsg");
    private static final Libc.Function RECVMSG = Libc.bind("recvmsg");
    private static final Libc.Function SEND = Libc.bind("send");

    private static final Libc.Function SOCKETPAIR = Libc.bind("socketpair");
    private static final Libc.Function BIND = Libc.bind("bind");
    private static final Libc.Function CONNECT = Libc.bind("connect");
    private static final Libc.Function LISTEN = Libc.bind("listen");
    private static final Libc.Function ACCEPT4 = Libc.bind("accept4");
    private static final Libc.Function SHUTDOWN = Libc.bind("shutdown");
    private static final Libc.Function GETSOCKNAME = Libc.bind("getsockname");
    private static final Libc.Function GETPEERNAME = Libc.bind("getpeername");

    private SysSocket() {}

    /**
     * {@code socket(2)}: a number to adopt, or -errno.
     *
     * @param type with {@link #SOCK_NONBLOCK} or without
     */
    public static int socket(int type) {
        return Libc.intCall(SOCKET, AF_UNIX, type | SOCK_CLOEXEC, 0, 0, 0, 0);
    }

    /**
     * {@code socketpair(2)}.
     *
     * @param type with {@link #SOCK_NONBLOCK} or without
     * @throws ErrnoException EMFILE, ENFILE
     */
    public static Fd[] socketpair(int type) {
        Scratch scratch = Scratch.take();
        try {
            int r =
                    Libc.intCall(
                            SOCKETPAIR,
                            scratch.errno,
                            AF_UNIX,
                            type | SOCK_CLOEXEC,
                            0,
                            scratch.address,
                            0,
                            0);
            ErrnoException.check(r, "socketpair", "");
            return new Fd[] {Fd.adopt(scratch.bytes.getInt(0)), Fd.adopt(scratch.bytes.getInt(4))};
        } finally {
            scratch.release();
        }
    }

    /** {@code bind(2)}: 0, or -errno. */
    public static int bind(Fd socket, UnixName name) {
        return named(BIND, socket, name);
    }

    /**
     * {@code connect(2)} of a non-blocking socket: 0, or -errno; EAGAIN if the listener's queue is
     * full.
     */
    public static int connect(Fd socket, UnixName name) {
        return named(CONNECT, socket, name);
    }

    private static int named(Libc.Function function, Fd socket, UnixName name) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            int length = name.write(scratch.bytes, 0);
            int r;
            do {
                r = Libc.intCall(function, scratch.errno, number, scratch.address, length, 0, 0, 0);
            } while (r == -Errno.EINTR);
            return r;
        } finally {
            socket.release();
            scratch.release();
        }
    }

    /** {@code getsockname(2)}. */
    public static UnixName getsockname(Fd socket) {
        return name(GETSOCKNAME, "getsockname", socket);
    }

    /**
     * {@code getpeername(2)}.
     *
     * @throws ErrnoException ENOTCONN
     */
    public static UnixName getpeername(Fd socket) {
        return name(GETPEERNAME, "getpeername", socket);
    }

    private static UnixName name(Libc.Function function, String call, Fd socket) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            scratch.bytes.putInt(0, UnixName.SIZE);
            int r =
                    Libc.intCall(
                            function,
                            scratch.errno,
                            number,
                            scratch.address + 8,
                            scratch.address,
                            0,
                            0,
                            0);
            ErrnoException.check(r, call, socket);
            return UnixName.read(scratch.bytes, 8, scratch.bytes.getInt(0));
        } finally {
            socket.release();
            scratch.release();
        }
    }

    /** {@code listen(2)}: 0, or -errno. */
    public static int listen(Fd socket, int backlog) {
        return simple(LISTEN, socket, backlog, 0);
    }

    /** {@code accept4(2)} of a non-blocking socket: a number to adopt, or -errno. */
    public static int accept(Fd socket) {
        int r;
        do {
            int number = socket.acquire();
            try {
                r = Libc.intCall(ACCEPT4, number, 0, 0, SOCK_CLOEXEC, 0, 0);
            } finally {
                socket.release();
            }
        } while (r == -Errno.EINTR || r == -Errno.ECONNABORTED);
        return r;
    }

    /** {@code shutdown(2)}: 0, or -errno. */
    public static int shutdown(Fd socket, int how) {
        return simple(SHUTDOWN, socket, how, 0);
    }

    private static int simple(Libc.Function function, Fd socket, int a, int b) {
        int number = socket.acquire();
        try {
            return Libc.intCall(function, number, a, b, 0, 0, 0);
        } finally {
            socket.release();
        }
    }

    /** {@code setsockopt(2)} of an int option of SOL_SOCKET: 0, or -errno. */
    public static int setOption(Fd socket, int option, int value) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            scratch.bytes.putInt(0, value);
            return Libc.intCall(
                    SETSOCKOPT, scratch.errno, number, SOL_SOCKET, option, scratch.address, 4, 0);
        } finally {
            socket.release();
            scratch.release();
        }
    }

    /**
     * {@code getsockopt(2)} of an int option of SOL_SOCKET: its value, or -errno. For {@link
     * #SO_PEERPIDFD} (Linux 6.5) the value is a number to adopt.
     */
    public static int option(Fd socket, int option) {
        Scratch scratch = Scratch.take();
        try {
            int length = option(socket, option, scratch, Integer.BYTES);
            return length < 0 ? length : scratch.bytes.getInt(OPTION);
        } finally {
            scratch.release();
        }
    }

    /**
     * SO_PEERCRED: who connected, or listened, or made the pair; null without a peer.
     *
     * @throws ErrnoException ENOTSOCK
     */
    public static @Nullable Ucred peercred(Fd socket) {
        Scratch scratch = Scratch.take();
        try {
            int length = option(socket, SO_PEERCRED, scratch, Ucred.SIZE);
            ErrnoException.check(length, "getsockopt(SO_PEERCRED)", socket);
            Ucred ucred = Ucred.read(scratch.bytes, OPTION);
            return ucred.pid() == 0 && ucred.uid() == 0xFFFFFFFFL ? null : ucred;
        } finally {
            scratch.release();
        }
    }

    /**
     * An option of bytes (SO_PEERSEC, SO_PEERGROUPS, SO_COOKIE), or null where there is none: the
     * kernel does not know it (ENOPROTOOPT), or the socket has no peer or the peer no label
     * (ENODATA).
     *
     * @throws ErrnoException for any other reason
     */
    public static byte @Nullable [] optionBytes(Fd socket, int option) {
        Scratch scratch = Scratch.take();
        try {
            int length = option(socket, option, scratch, Scratch.SIZE - OPTION);
            return switch (-length) {
                case Errno.ENOPROTOOPT, Errno.ENODATA -> null;
                case Errno.ERANGE -> longOption(socket, option, scratch.bytes.getInt(0));
                default -> {
                    ErrnoException.check(length, "getsockopt", socket);
                    byte[] value = new byte[length];
                    scratch.bytes.get(OPTION, value);
                    yield value;
                }
            };
        } finally {
            scratch.release();
        }
    }

    private static byte[] longOption(Fd socket, int option, int needed) {
        int number = socket.acquire();
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment room = arena.allocate(needed + OPTION, 8);
            room.set(JAVA_INT, 0, needed);
            int r =
                    Libc.intCall(
                            GETSOCKOPT,
                            number,
                            SOL_SOCKET,
                            option,
                            room.address() + OPTION,
                            room.address(),
                            0);
            ErrnoException.check(r, "getsockopt", socket);
            return room.asSlice(OPTION, room.get(JAVA_INT, 0)).toArray(JAVA_BYTE);
        } finally {
            socket.release();
        }
    }

    private static final int OPTION = 8; // offset of the value, behind its length

    private static int option(Fd socket, int option, Scratch scratch, int room) {
        int number = socket.acquire();
        try {
            return option(number, option, scratch, room);
        } finally {
            socket.release();
        }
    }

    private static int option(int number, int option, Scratch scratch, int room) {
        scratch.bytes.putInt(0, room);
        int r =
                Libc.intCall(
                        GETSOCKOPT,
                        scratch.errno,
                        number,
                        SOL_SOCKET,
                        option,
                        scratch.address + OPTION,
                        scratch.address,
                        0);
        return r < 0 ? r : scratch.bytes.getInt(0);
    }

    /** Returns the type of a socket of this process by its number, or -errno. */
    static int typeOf(int number) {
        Scratch scratch = Scratch.take();
        try {
            int length = option(number, SO_TYPE, scratch, Integer.BYTES);
            return length < 0 ? length : scratch.bytes.getInt(OPTION);
        } finally {
            scratch.release();
        }
    }

    /** {@code send(2)}: bytes taken, or -errno; EAGAIN when the socket is full. */
    public static int send(Fd socket, MemorySegment data) {
        return send(socket, data, 0, data.byteSize());
    }

    /**
     * {@code send(2)} of a part of native memory: bytes taken, or -errno.
     *
     * @throws IndexOutOfBoundsException if it is no part of it
     */
    public static int send(Fd socket, MemorySegment data, long offset, long length) {
        java.util.Objects.checkFromIndexSize(offset, length, data.byteSize());
        Scratch scratch = Scratch.take();
        try {
            return send(socket, scratch, data.address() + offset, length);
        } finally {
            scratch.release();
            Reference.reachabilityFence(data);
        }
    }

    /**
     * Receives bytes alone: bytes, 0 at the end, or -errno; EAGAIN when there is nothing.
     *
     * <p>It calls {@code recvmsg(2)} and closes the descriptors that arrive. {@code recv(2)} would
     * make the kernel drop them on this thread, which would wait for the close of each.
     */
    public static int recv(Fd socket, MemorySegment into) {
        return recv(socket, into, 0);
    }

    /**
     * The same with flags.
     *
     * @param flags {@link #MSG_PEEK}, with MSG_TRUNC or without, or 0
     */
    public static int recv(Fd socket, MemorySegment into, int flags) {
        MsgHdr message = MsgHdr.take(flags);
        try {
            return recvmsg(socket, message, into, flags);
        } finally {
            message.release();
        }
    }

    /**
     * Returns the length of the next message of a datagram or SEQPACKET socket, which stays in the
     * queue; or -errno, EAGAIN when there is none. At the end it is 0.
     */
    public static int nextLength(Fd socket) {
        return recv(socket, MemorySegment.NULL, MSG_PEEK | MSG_TRUNC);
    }

    private static int send(Fd socket, Scratch scratch, long data, long length) {
        int number = socket.acquire();
        try {
            long r;
            do {
                r = Libc.wordCall(SEND, scratch.errno, number, data, length, TO_SEND, 0, 0);
            } while (r == -Errno.EINTR);
            return (int) r;
        } finally {
            socket.release();
        }
    }

    /** {@code send(2)} from an array: bytes taken, or -errno. */
    public static int send(Fd socket, byte[] data, int offset, int length) {
        CopyBuffer copy = CopyBuffer.take(length);
        try {
            copy.bytes.put(0, data, offset, length);
            return send(socket, copy.memory, 0, length);
        } finally {
            copy.release();
        }
    }

    /**
     * Receives bytes alone into an array, as {@link #recv(Fd, MemorySegment)} does.
     *
     * @param flags {@link #MSG_PEEK} or 0
     */
    public static int recv(Fd socket, byte[] into, int offset, int length, int flags) {
        MsgHdr message = MsgHdr.take(flags);
        try {
            return recvmsg(socket, message, into, offset, length, flags);
        } finally {
            message.release();
        }
    }

    /**
     * {@code sendmsg(2)}: bytes taken, or -errno.
     *
     * @param to the destination of a datagram, or null for the connected peer
     * @param descriptors at most {@link MsgHdr#MAX_DESCRIPTORS}, sent with the first byte, lent for
     *     the call
     * @param as the sender's credentials, or null for those that the kernel adds
     */
    public static int sendmsg(
            Fd socket,
            MemorySegment data,
            @Nullable UnixName to,
            List<Fd> descriptors,
            @Nullable Ucred as) {
        Scratch scratch = Scratch.take();
        try {
            return sendmsg(socket, scratch, data.address(), data.byteSize(), to, descriptors, as);
        } finally {
            scratch.release();
            Reference.reachabilityFence(data);
        }
    }

    /** The same from an array. */
    public static int sendmsg(
            Fd socket,
            byte[] data,
            int offset,
            int length,
            @Nullable UnixName to,
            List<Fd> descriptors,
            @Nullable Ucred as) {
        CopyBuffer copy = CopyBuffer.take(length);
        try {
            copy.bytes.put(0, data, offset, length);
            return sendmsg(socket, copy.memory.asSlice(0, length), to, descriptors, as);
        } finally {
            copy.release();
        }
    }

    private static int sendmsg(
            Fd socket,
            Scratch scratch,
            long data,
            long length,
            @Nullable UnixName to,
            List<Fd> descriptors,
            @Nullable Ucred as) {
        int[] numbers = descriptors.isEmpty() ? NO_NUMBERS : new int[descriptors.size()];
        int held = 0;
        int number = socket.acquire();
        try {
            for (; held < numbers.length; held++) {
                numbers[held] = descriptors.get(held).acquire();
            }
            MsgHdr.outgoing(scratch.bytes, scratch.address, data, length, to, numbers, as);
            long r;
            do {
                r =
                        Libc.wordCall(
                                SENDMSG, scratch.errno, number, scratch.address, TO_SEND, 0, 0, 0);
            } while (r == -Errno.EINTR);
            return (int) r;
        } finally {
            for (int i = 0; i < held; i++) {
                descriptors.get(i).release();
            }
            socket.release();
        }
    }

    private static final int[] NO_NUMBERS = {};

    /** {@code recvmsg(2)} into an array. */
    public static int recvmsg(
            Fd socket, MsgHdr message, byte[] into, int offset, int length, int flags) {
        CopyBuffer copy = CopyBuffer.take(length);
        try {
            int n = recvmsg(socket, message, copy.memory, 0, length, flags);
            if (n > 0) {
                copy.bytes.get(0, into, offset, n);
            }
            return n;
        } finally {
            copy.release();
        }
    }

    /**
     * {@code recvmsg(2)}: bytes, 0 at the end of a stream, or -errno. The ancillary data is in the
     * message, and owned by the caller.
     */
    public static int recvmsg(Fd socket, MsgHdr message, MemorySegment into, int flags) {
        return recvmsg(socket, message, into, 0, into.byteSize(), flags);
    }

    /**
     * {@code recvmsg(2)} into a part of native memory.
     *
     * @throws IndexOutOfBoundsException if it is no part of it
     */
    public static int recvmsg(
            Fd socket, MsgHdr message, MemorySegment into, long offset, long length, int flags) {
        java.util.Objects.checkFromIndexSize(offset, length, into.byteSize());
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            message.incoming(into.address() + offset, length);
            long r;
            do {
                r =
                        Libc.wordCall(
                                RECVMSG,
                                scratch.errno,
                                number,
                                message.address(),
                                flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
                                0,
                                0,
                                0);
            } while (r == -Errno.EINTR);
            if (r >= 0) {
                message.parse(socket);
            }
            return (int) r;
        } finally {
            socket.release();
            scratch.release();
            Reference.reachabilityFence(into);
            Reference.reachabilityFence(message);
        }
    }
}
