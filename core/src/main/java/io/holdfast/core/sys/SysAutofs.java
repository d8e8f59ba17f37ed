package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * {@code linux/auto_fs.h} and {@code linux/auto_dev-ioctl.h}: a direct autofs mount, protocol 5.
 * The kernel writes a request into the mount's pipe when a process walks into the mount, which then
 * waits for the answer; processes of the mount's process group never wait. A second process waits
 * for the same answer: a direct mount has at most one request at a time.
 *
 * @see <a href="https://docs.kernel.org/filesystems/autofs.html">autofs</a>
 */
public final class SysAutofs {
    /** The device that receives the answers; where it is missing, there is no autofs. */
    public static final String DEVICE = "/dev/autofs";

    // Types of struct autofs_v5_packet
    private static final int MISSING_DIRECT = 5;
    private static final int EXPIRE_DIRECT = 6;
    private static final int PACKET_SIZE = 304; // on 64-bit machines
    private static final int TYPE = 4;
    private static final int TOKEN = 8;
    private static final int PID = 32;

    // struct autofs_dev_ioctl
    private static final int IOCTL_SIZE = 24;
    private static final int SIZE = 8;
    private static final int IOCTL_FD = 12;
    private static final int ARGUMENT = 16;
    private static final int STATUS = 20;

    private static final int BASE = 0xC0189300; // _IOWR(0x93, n, struct autofs_dev_ioctl)
    private static final int READY = BASE | 0x76;
    private static final int FAIL = BASE | 0x77;
    private static final int CATATONIC = BASE | 0x79;
    private static final int TIMEOUT = BASE | 0x7A;
    private static final int EXPIRE = BASE | 0x7C;

    private static final int SPLICE_F_NONBLOCK = 2;

    private static final Libc.Function IOCTL = Libc.bind("ioctl");
    private static final Libc.Function TEE = Libc.bind("tee");

    private SysAutofs() {}

    /**
     * A request of the kernel.
     *
     * @param expire whether the kernel wants to have it unmounted; otherwise mounted
     * @param token for the answer
     * @param pid the process that walked into the mount, for messages only
     */
    public record Request(boolean expire, int token, int pid) {}

    /**
     * Makes a direct mount that is not attached yet. Processes of our own process group never wait
     * for it: the kernel takes it from the calling process, since it may have no number here, as
     * that of the first process of a machine or of a PID namespace.
     *
     * @param writer the end of the pipe that the kernel keeps and writes to
     * @param more mount options beside those of the protocol; an empty value sets a flag
     * @return the mount, owned by the caller
     * @throws ErrnoException ENODEV if the kernel has no autofs; EINVAL for an option; EPERM
     */
    public static Fd fileSystem(Fd writer, String source, Map<String, String> more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("source", source);
        options.put("minproto", "5");
        options.put("maxproto", "5");
        options.put("direct", "");
        options.putAll(more);
        int number = writer.acquire();
        try {
            options.put("fd", Integer.toString(number));
            return SysMount.fileSystem("autofs", options, 0);
        } finally {
            writer.release();
        }
    }

    /**
     * Returns the oldest request in the pipe and leaves it there, so that it is not lost with this
     * process before it is answered; empty if there is none.
     */
    public static Optional<Request> peek(Fd pipe) {
        Fd[] copy = Unistd.pipe2(Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK);
        try (Fd reader = copy[0];
                Fd writer = copy[1]) {
            int from = pipe.acquire();
            int to = writer.acquire();
            long n;
            Scratch scratch = Scratch.take();
            try {
                n =
                        Libc.wordCall(
                                TEE, scratch.errno, from, to, PACKET_SIZE, SPLICE_F_NONBLOCK, 0, 0);
            } finally {
                scratch.release();
                writer.release();
                pipe.release();
            }
            if (n == -Errno.EAGAIN || n == 0) {
                return Optional.empty();
            }
            int _ = ErrnoException.check((int) n, "tee", "autofs");
            return read(reader);
        }
    }

    /** Removes the oldest request from the pipe. */
    public static void remove(Fd pipe) {
        int _ = Unistd.read(pipe, new byte[PACKET_SIZE], 0, PACKET_SIZE);
    }

    private static Optional<Request> read(Fd pipe) {
        byte[] packet = new byte[PACKET_SIZE];
        int n = Unistd.read(pipe, packet, 0, PACKET_SIZE);
        ByteBuffer bytes = ByteBuffer.wrap(packet).order(ByteOrder.nativeOrder());
        int type = bytes.getInt(TYPE);
        if (n <= PID || (type != MISSING_DIRECT && type != EXPIRE_DIRECT)) {
            throw new ErrnoException("read", "autofs", Errno.EPROTO);
        }
        return Optional.of(
                new Request(type == EXPIRE_DIRECT, bytes.getInt(TOKEN), bytes.getInt(PID)));
    }

    /** Answers a request: what it wants is done. 0, or -errno: EINVAL if it was answered. */
    public static int ready(Fd mount, int token) {
        return call(mount, READY, token, 0);
    }

    /**
     * Answers a request: it has failed. 0, or -errno: EINVAL if it was answered.
     *
     * @param errno what the waiting processes get
     */
    public static int fail(Fd mount, int token, int errno) {
        return call(mount, FAIL, token, -errno);
    }

    /**
     * Ends the mount: all processes that wait for it, and later ones, get ENOENT or an empty
     * folder. 0, or -errno.
     */
    public static int end(Fd mount) {
        return call(mount, CATATONIC, 0, 0);
    }

    /** Sets after how many seconds without a use the mount expires; 0: never. 0, or -errno. */
    public static int timeout(Fd mount, long seconds) {
        return call(mount, TIMEOUT, (int) seconds, (int) (seconds >>> Integer.SIZE));
    }

    /**
     * Asks for the unmount of what was not used for the timeout; waits for the answer to the
     * request that this makes. 0; or -errno: EAGAIN if it is in use, or is not mounted.
     */
    public static int expire(Fd mount) {
        return call(mount, EXPIRE, 0, 0);
    }

    private static int call(Fd mount, int request, int argument, int status) {
        Scratch scratch = Scratch.take();
        try (Fd device = Fcntl.open(DEVICE, Fcntl.O_RDONLY)) {
            int to = device.acquire();
            int number = mount.acquire();
            try {
                scratch.bytes.putInt(0, 1); // version 1.0
                scratch.bytes.putInt(4, 0);
                scratch.bytes.putInt(SIZE, IOCTL_SIZE);
                scratch.bytes.putInt(IOCTL_FD, number);
                scratch.bytes.putInt(ARGUMENT, argument);
                scratch.bytes.putInt(STATUS, status);
                return Libc.intCall(
                        IOCTL,
                        scratch.errno,
                        to,
                        Integer.toUnsignedLong(request),
                        scratch.address,
                        0,
                        0,
                        0);
            } finally {
                mount.release();
                device.release();
            }
        } finally {
            scratch.release();
        }
    }
}
