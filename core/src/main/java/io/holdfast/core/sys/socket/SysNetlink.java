package io.holdfast.core.sys.socket;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;

/** {@code linux/netlink.h}: sockets on which the kernel sends messages (netlink(7)). */
public final class SysNetlink {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;

    // struct sockaddr_nl
    private static final int GROUPS = 8;
    private static final int SIZE = 12;

    private static final Libc.Function SOCKET = Libc.bind("socket");
    private static final Libc.Function BIND = Libc.bind("bind");

    private SysNetlink() {}

    /**
     * {@code socket(2)}, non-blocking and close-on-exec: a number to adopt, or -errno.
     *
     * @param family such as 15, {@code NETLINK_KOBJECT_UEVENT}
     */
    public static int socket(int family) {
        int type = SOCK_RAW | Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        return Libc.intCall(SOCKET, AF_NETLINK, type, family, 0, 0, 0);
    }

    /**
     * {@code bind(2)} to an address that the kernel chooses: 0, or -errno.
     *
     * @param groups a bit for each multicast group whose messages are received
     */
    public static int bind(Fd socket, int groups) {
        Scratch scratch = Scratch.take();
        int number = socket.acquire();
        try {
            for (int i = 0; i < SIZE; i += Integer.BYTES) {
                scratch.bytes.putInt(i, 0);
            }
            scratch.bytes.putShort(0, (short) AF_NETLINK);
            scratch.bytes.putInt(GROUPS, groups);
            return Libc.intCall(BIND, scratch.errno, number, scratch.address, SIZE, 0, 0, 0);
        } finally {
            socket.release();
            scratch.release();
        }
    }
}
