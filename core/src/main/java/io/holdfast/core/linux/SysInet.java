package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

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
    private static final int NAME = 8; // where an address stands behind its length

    private static final ValueLayout.OfShort NETWORK_SHORT =
            JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);

    private static final MethodHandle SOCKET = Libc.bind("socket");
    private static final MethodHandle BIND = Libc.bind("bind");
    private static final MethodHandle SETSOCKOPT = Libc.bind("setsockopt");
    private static final MethodHandle GETSOCKNAME = Libc.bind("getsockname");
    private static final MethodHandle GETPEERNAME = Libc.bind("getpeername");

    private SysInet() {}

    /**
     * {@code socket(2)}, non-blocking and close-on-exec: a number to adopt, or -errno.
     *
     * @param family {@link #AF_INET} or {@link #AF_INET6}
     * @param type {@link SysSocket#SOCK_STREAM} is TCP, {@link SysSocket#SOCK_DGRAM} UDP
     */
    public static int socket(int family, int type) {
        return Libc.intCall(SOCKET, family, type | Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK, 0, 0, 0, 0);
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
            int length = write(scratch.memory, address);
            return Libc.intCall(BIND, scratch.errno, number, scratch.address, length, 0, 0, 0);
        } finally {
            socket.release();
            scratch.give();
        }
    }

    private static int write(MemorySegment memory, InetSocketAddress address) {
        byte[] bytes = address.getAddress().getAddress();
        memory.set(NETWORK_SHORT, PORT, (short) address.getPort());
        if (address.getAddress() instanceof Inet6Address six) {
            memory.set(JAVA_SHORT, FAMILY, (short) AF_INET6);
            memory.set(JAVA_INT, SIN6_FLOWINFO, 0);
            MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, SIN6_ADDR, bytes.length);
            memory.set(JAVA_INT, SIN6_SCOPE_ID, six.getScopeId());
            return SIN6_SIZE;
        }
        memory.set(JAVA_SHORT, FAMILY, (short) AF_INET);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, SIN_ADDR, bytes.length);
        memory.set(ValueLayout.JAVA_LONG, SIN_ADDR + bytes.length, 0);
        return SIN_SIZE;
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

    private static InetSocketAddress name(MethodHandle function, String call, Fd socket) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            MemorySegment memory = scratch.memory;
            memory.set(JAVA_INT, 0, SIN6_SIZE);
            long name = scratch.address + NAME;
            int r = Libc.intCall(function, scratch.errno, number, name, scratch.address, 0, 0, 0);
            ErrnoException.check(r, call, socket);
            return read(memory.asSlice(NAME), socket);
        } finally {
            socket.release();
            scratch.give();
        }
    }

    private static InetSocketAddress read(MemorySegment name, Fd socket) {
        int port = name.get(NETWORK_SHORT, PORT) & 0xFFFF;
        try {
            return switch (name.get(JAVA_SHORT, FAMILY)) {
                case AF_INET ->
                        new InetSocketAddress(
                                InetAddress.getByAddress(
                                        name.asSlice(SIN_ADDR, 4).toArray(JAVA_BYTE)),
                                port);
                case AF_INET6 -> {
                    byte[] bytes = name.asSlice(SIN6_ADDR, 16).toArray(JAVA_BYTE);
                    InetAddress address = InetAddress.getByAddress(bytes);
                    int scope = name.get(JAVA_INT, SIN6_SCOPE_ID);
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

    /** {@code setsockopt(2)} of an int option of any level: 0, or -errno. */
    public static int setOption(Fd socket, int level, int option, int value) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            scratch.memory.set(JAVA_INT, 0, value);
            return Libc.intCall(
                    SETSOCKOPT, scratch.errno, number, level, option, scratch.address, 4, 0);
        } finally {
            socket.release();
            scratch.give();
        }
    }
}
