package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.Unistd;
import java.nio.ByteBuffer;

/** {@code sys/pidfd.h} and {@code linux/pidfd.h}: the calls on PID file descriptors. */
public final class SysPidfd {
    /** {@code pidfd_open}: a thread instead of a process (Linux 6.9). */
    public static final int PIDFD_THREAD = Fcntl.O_EXCL;

    /** {@code pidfd_open}: waitid answers EAGAIN instead of blocking. */
    public static final int PIDFD_NONBLOCK = Fcntl.O_NONBLOCK;

    /** {@code pidfd_send_signal}: to the thread alone (Linux 6.9). */
    public static final int PIDFD_SIGNAL_THREAD = 1;

    /** {@code pidfd_send_signal}: to the whole process (Linux 6.9). */
    public static final int PIDFD_SIGNAL_THREAD_GROUP = 2;

    /** {@code pidfd_send_signal}: to the process group that it leads (Linux 6.9). */
    public static final int PIDFD_SIGNAL_PROCESS_GROUP = 4;

    // linux/pidfd.h: _IO(0xFF, n) and _IOWR(0xFF, 11, struct pidfd_info)
    private static final long PIDFD_IOCTL = 0xFF00;
    private static final long PIDFD_GET_INFO = 0xC000FF0BL | (long) PidfdInfo.SIZE << 16;

    // asm/unistd.h, the same on x86_64 and aarch64
    static final int NR_PIDFD_SEND_SIGNAL = 424;
    private static final int NR_PIDFD_OPEN = 434;
    private static final int NR_PIDFD_GETFD = 438;

    // struct siginfo
    private static final int SI_SIGNO = 0;
    private static final int SI_ERRNO = 4;
    private static final int SI_CODE = 8;
    private static final int SI_PID = 16;
    private static final int SI_UID = 20;
    private static final int SI_VALUE = 24;
    private static final int SIGINFO_SIZE = 128;
    private static final int SI_QUEUE = -1;

    private static final Libc.Function SYSCALL = Libc.bind("syscall");

    private static final Libc.Function IOCTL = Libc.bind("ioctl");

    private SysPidfd() {}

    /** {@code pidfd_open(2)}: a number that the caller must adopt at once, or -errno. */
    public static int open(int pid, int flags) {
        return Libc.intCall(SYSCALL, NR_PIDFD_OPEN, pid, flags, 0, 0, 0);
    }

    /**
     * Adopts the result of {@link #open}.
     *
     * @throws ErrnoException what it stands for; where only a filter of system calls can be the
     *     cause, the message says so
     */
    public static Fd adopt(int number, Object subject) {
        String advice =
                switch (-number) {
                    case Errno.EPERM ->
                            "a seccomp filter refuses it: allow pidfd_open in the profile of the"
                                    + " container or service";
                    case Errno.ENOSYS ->
                            "it needs Linux 5.3; a seccomp filter may hide it: allow pidfd_open in"
                                    + " the profile of the container or service";
                    default -> null;
                };
        if (advice != null) {
            throw new ErrnoException("pidfd_open", subject.toString(), -number, advice);
        }
        return Fd.adopt(number, "pidfd_open", subject);
    }

    /** {@code pidfd_send_signal(2)}: 0, or -errno. */
    public static int sendSignal(Fd pidfd, int signal, int flags) {
        int number = pidfd.acquire();
        try {
            return Libc.intCall(SYSCALL, NR_PIDFD_SEND_SIGNAL, number, signal, 0, flags, 0);
        } finally {
            pidfd.release();
        }
    }

    /** {@code pidfd_send_signal(2)} with SI_QUEUE and a value: 0, or -errno. */
    public static int sendSignal(Fd pidfd, int signal, long value, int flags) {
        Scratch scratch = Scratch.take();
        int number = pidfd.acquire();
        try {
            ByteBuffer info = scratch.bytes;
            info.put(0, new byte[SIGINFO_SIZE]);
            info.putInt(SI_SIGNO, signal);
            info.putInt(SI_ERRNO, 0);
            info.putInt(SI_CODE, SI_QUEUE);
            info.putInt(SI_PID, Unistd.getpid());
            info.putInt(SI_UID, (int) Unistd.geteuid());
            info.putLong(SI_VALUE, value);
            return Libc.intCall(
                    SYSCALL,
                    scratch.errno,
                    NR_PIDFD_SEND_SIGNAL,
                    number,
                    signal,
                    scratch.address,
                    flags,
                    0);
        } finally {
            pidfd.release();
            scratch.release();
        }
    }

    /** {@code pidfd_getfd(2)}: a copy of a descriptor of the process, close-on-exec, or -errno. */
    public static int getfd(Fd pidfd, int theirs) {
        int number = pidfd.acquire();
        try {
            return getfd(number, theirs);
        } finally {
            pidfd.release();
        }
    }

    /** {@code pidfd_getfd(2)} by a number in the table of the calling thread. */
    static int getfd(int pidfd, int theirs) {
        return Libc.intCall(SYSCALL, NR_PIDFD_GETFD, pidfd, theirs, 0, 0, 0);
    }

    /**
     * {@code PIDFD_GET_INFO} (Linux 6.13; EINVAL or ENOTTY before).
     *
     * @param mask what is asked for beyond process, credentials and cgroup: bits of {@link
     *     PidfdInfo}
     */
    public static PidfdInfo getInfo(Fd pidfd, long mask) {
        Scratch scratch = Scratch.take();
        int number = pidfd.acquire();
        try {
            long known = Feature.EXIT_INFO.isHidden() ? mask & ~PidfdInfo.INFO_EXIT : mask;
            scratch.bytes.putLong(PidfdInfo.MASK, known);
            int r =
                    Libc.intCall(
                            IOCTL, scratch.errno, number, PIDFD_GET_INFO, scratch.address, 0, 0, 0);
            return r < 0 ? PidfdInfo.failed(-r) : PidfdInfo.read(scratch.bytes);
        } finally {
            pidfd.release();
            scratch.release();
        }
    }

    /**
     * The namespace ioctls (Linux 6.11; ENOTTY before): a number to adopt, or -errno.
     *
     * @param kind the number of the ioctl, 1 (cgroup) to 10 (uts)
     */
    public static int getNamespace(Fd pidfd, int kind) {
        int number = pidfd.acquire();
        try {
            return Libc.intCall(IOCTL, number, PIDFD_IOCTL + kind, 0, 0, 0, 0);
        } finally {
            pidfd.release();
        }
    }
}
