package io.holdfast.core.sys.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.SysDirent;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * {@code netinet/in.h}: the calls of {@link SysSocket} that have an address, for IPv4 and IPv6. The
 * others are the same for every family.
 */
public final class SysInet {
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;
    public static final int IPPROTO_IPV6 = 41;
    public static final int IPV6_V6ONLY = 26;

    // struct sockaddr_in and sockaddr_in6
    private static final int FAMILY = 0;
    private static final int PORT = 2;
    private static final int SIN_ADDR = 4;
    private static final int SIN_SIZE = 16;
    private static final int SIN6_FLOWINFO = 4;
    private static final int SIN6_ADDR = 8;
    private static final int SIN6_SCOPE_ID = 24;
    private static final int SIN6_SIZE = 28;
    private static final int MAX_TEXT = 255;
    private static final int NAME = 8; // where an address stands behind its length

    private static final Libc.Function SOCKET = Libc.bind("socket");
    private static final Libc.Function BIND = Libc.bind("bind");
    private static final Libc.Function SETSOCKOPT = Libc.bind("setsockopt");
    private static final Libc.Function GETSOCKNAME = Libc.bind("getsockname");
    private static final Libc.Function DUP3 = Libc.bind("dup3");
    private static final Libc.Function GETPEERNAME = Libc.bind("getpeername");

    private SysInet() {}

    /**
     * {@code socket(2)}, non-blocking and close-on-exec: a number to adopt, or -errno.
     *
     * @param family {@link #AF_INET} or {@link #AF_INET6}
     * @param type {@link SysSocket#SOCK_STREAM} or {@link SysSocket#SOCK_DGRAM}
     * @param protocol of linux/in.h; 0 is TCP or UDP
     */
    public static int socket(int family, int type, int protocol) {
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        return Libc.intCall(SOCKET, family, type | flags, protocol, 0, 0, 0);
    }

    /** The family of an address. */
    public static int familyOf(InetAddress address) {
        return address instanceof Inet6Address ? AF_INET6 : AF_INET;
    }

    /**
     * {@code bind(2)}: 0, or -errno.
     *
     * @param address a resolved one, of the socket's family
     */
    public static int bind(Fd socket, InetSocketAddress address) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            int length = write(scratch.bytes, address);
            return Libc.intCall(BIND, scratch.errno, number, scratch.address, length, 0, 0, 0);
        } finally {
            socket.release();
            scratch.release();
        }
    }

    private static int write(ByteBuffer memory, InetSocketAddress address) {
        byte[] bytes = address.getAddress().getAddress();
        putPort(memory, address.getPort());
        if (address.getAddress() instanceof Inet6Address six) {
            memory.putShort(FAMILY, (short) AF_INET6);
            memory.putInt(SIN6_FLOWINFO, 0);
            memory.put(SIN6_ADDR, bytes);
            memory.putInt(SIN6_SCOPE_ID, six.getScopeId());
            return SIN6_SIZE;
        }
        memory.putShort(FAMILY, (short) AF_INET);
        memory.put(SIN_ADDR, bytes);
        memory.putLong(SIN_ADDR + bytes.length, 0);
        return SIN_SIZE;
    }

    /** In network byte order. */
    private static void putPort(ByteBuffer memory, int port) {
        memory.put(PORT, (byte) (port >> 8));
        memory.put(PORT + 1, (byte) port);
    }

    /**
     * {@code getsockname(2)}.
     *
     * @throws ErrnoException ENOTSOCK, EAFNOSUPPORT (neither IPv4 nor IPv6)
     */
    public static InetSocketAddress getsockname(Fd socket) {
        return name(GETSOCKNAME, "getsockname", socket);
    }

    /**
     * {@code getpeername(2)}. An IPv4 peer of an IPv6 socket has an IPv4 address.
     *
     * @throws ErrnoException ENOTCONN, EAFNOSUPPORT (neither IPv4 nor IPv6)
     */
    public static InetSocketAddress getpeername(Fd socket) {
        return name(GETPEERNAME, "getpeername", socket);
    }

    private static InetSocketAddress name(Libc.Function function, String call, Fd socket) {
        int number = socket.acquire();
        try {
            return name(function, call, number, socket);
        } finally {
            socket.release();
        }
    }

    private static InetSocketAddress name(
            Libc.Function function, String call, int number, Object socket) {
        Scratch scratch = Scratch.take();
        try {
            ByteBuffer memory = scratch.bytes;
            memory.putInt(0, SIN6_SIZE);
            long name = scratch.address + NAME;
            int r = Libc.intCall(function, scratch.errno, number, name, scratch.address, 0, 0, 0);
            ErrnoException.check(r, call, socket);
            return read(memory, socket);
        } finally {
            scratch.release();
        }
    }

    /**
     * Replaces the socket of this process that is bound to an address by another one ({@code
     * dup3(2)}): its number refers to the other one from then on. For a socket of java.nio, whose
     * number is hidden.
     *
     * @param address the address to which one socket of this process is bound, and no other
     * @param type the type of both sockets
     * @param by the other one, lent
     * @throws ErrnoException ENOENT if there is not one such socket in this process; ENOENT without
     *     {@code /proc}
     */
    public static void replace(InetSocketAddress address, int type, Fd by) {
        int found = -1;
        try (Fd table = Fcntl.open("/proc/self/fd", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            for (String entry : SysDirent.names(table, Integer.MAX_VALUE)) {
                int number = Integer.parseInt(entry);
                if (isBound(number, address) && SysSocket.typeOf(number) == type) {
                    if (found >= 0) {
                        throw new ErrnoException(
                                "find socket", address.toString(), Errno.ENOENT, "there are two");
                    }
                    found = number;
                }
            }
        }
        ErrnoException.check(found < 0 ? -Errno.ENOENT : 0, "find socket", address);
        int number = by.acquire();
        try {
            int r;
            do {
                r = Libc.intCall(DUP3, number, found, Fcntl.O_CLOEXEC, 0, 0, 0);
            } while (r == -Errno.EINTR || r == -Errno.EBUSY);
            ErrnoException.check(r, "dup3", by);
        } finally {
            by.release();
        }
    }

    /** Returns whether a descriptor of this process is a socket that is bound to an address. */
    private static boolean isBound(int number, InetSocketAddress address) {
        try {
            return name(GETSOCKNAME, "getsockname", number, number).equals(address);
        } catch (ErrnoException e) {
            return false; // no socket of IPv4 or IPv6, or closed meanwhile
        }
    }

    private static InetSocketAddress read(ByteBuffer memory, Object socket) {
        int port = ((memory.get(NAME + PORT) & 0xFF) << 8) | (memory.get(NAME + PORT + 1) & 0xFF);
        try {
            return switch (memory.getShort(NAME + FAMILY)) {
                case AF_INET ->
                        new InetSocketAddress(
                                InetAddress.getByAddress(bytes(memory, NAME + SIN_ADDR, 4)), port);
                case AF_INET6 -> {
                    byte[] bytes = bytes(memory, NAME + SIN6_ADDR, 16);
                    InetAddress address = InetAddress.getByAddress(bytes);
                    int scope = memory.getInt(NAME + SIN6_SCOPE_ID);
                    yield new InetSocketAddress(
                            scope != 0 && address instanceof Inet6Address
                                    ? Inet6Address.getByAddress(null, bytes, scope)
                                    : address,
                            port);
                }
                default -> throw new ErrnoException("name", socket.toString(), Errno.EAFNOSUPPORT);
            };
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // 4 or 16 bytes
        }
    }

    private static byte[] bytes(ByteBuffer memory, int at, int length) {
        byte[] bytes = new byte[length];
        memory.get(at, bytes);
        return bytes;
    }

    /**
     * {@code setsockopt(2)} of an option that is a text: 0, or -errno.
     *
     * @param value at most 255 bytes
     */
    public static int setOption(Fd socket, int level, int option, byte[] value) {
        if (value.length > MAX_TEXT) {
            return -Errno.EINVAL;
        }
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            scratch.bytes.put(0, value);
            return Libc.intCall(
                    SETSOCKOPT,
                    scratch.errno,
                    number,
                    level,
                    option,
                    scratch.address,
                    value.length,
                    0);
        } finally {
            socket.release();
            scratch.release();
        }
    }

    /** {@code setsockopt(2)} of an int option of any level: 0, or -errno. */
    public static int setOption(Fd socket, int level, int option, int value) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            scratch.bytes.putInt(0, value);
            return Libc.intCall(
                    SETSOCKOPT, scratch.errno, number, level, option, scratch.address, 4, 0);
        } finally {
            socket.release();
            scratch.release();
        }
    }
}
