package io.holdfast.core.sys.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;

/** {@code net/if.h}: network devices of the namespace that the calling thread is in. */
public final class NetDevice {
    private static final int AF_INET = 2;
    private static final int SOCK_DGRAM = 2;
    private static final int SIOCGIFFLAGS = 0x8913;
    private static final int SIOCSIFFLAGS = 0x8914;
    private static final short IFF_UP = 1;

    // struct ifreq
    private static final int NAME_SIZE = 16;
    private static final int SIZE = 40;

    private static final Libc.Function SOCKET = Libc.bind("socket");
    private static final Libc.Function IOCTL = Libc.bind("ioctl");

    private NetDevice() {}

    /**
     * Switches a device on (netdevice(7)).
     *
     * @throws ErrnoException ENODEV, EPERM
     */
    public static void up(String name) {
        int r = Libc.intCall(SOCKET, AF_INET, SOCK_DGRAM | Fcntl.O_CLOEXEC, 0, 0, 0, 0);
        try (Fd socket = Fd.adopt(r, "socket", "AF_INET")) {
            Scratch scratch = Scratch.take();
            int number = socket.acquire();
            try {
                scratch.bytes.put(0, new byte[SIZE]);
                int end = CString.put(scratch.bytes, 0, name);
                if (end > NAME_SIZE) {
                    throw new IllegalArgumentException("no name of a device: " + name);
                }
                check(ioctl(scratch, number, SIOCGIFFLAGS), "ioctl(SIOCGIFFLAGS)", name);
                short flags = scratch.bytes.getShort(NAME_SIZE);
                scratch.bytes.putShort(NAME_SIZE, (short) (flags | IFF_UP));
                check(ioctl(scratch, number, SIOCSIFFLAGS), "ioctl(SIOCSIFFLAGS)", name);
            } finally {
                socket.release();
                scratch.release();
            }
        }
    }

    private static void check(int result, String call, String name) {
        int ignored = ErrnoException.check(result, call, name);
    }

    private static int ioctl(Scratch scratch, int socket, int request) {
        return Libc.intCall(IOCTL, scratch.errno, socket, request, scratch.address, 0, 0, 0);
    }
}
