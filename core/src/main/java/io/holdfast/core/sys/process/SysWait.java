package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Machine;
import io.holdfast.core.sys.Scratch;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** {@code sys/wait.h}: waiting for a child by its pidfd. */
public final class SysWait {
    /** Answers {@link #NOTHING} instead of waiting. */
    public static final int WNOHANG = 1;

    /** Waits for the end. */
    public static final int WEXITED = 4;

    /** Leaves the child to be waited for once more: it is not reaped. */
    public static final int WNOWAIT = 0x1000000;

    /** It has exited; the status is its exit status. */
    public static final int CLD_EXITED = 1;

    /** A signal has killed it; the status is that signal, as for all that follow. */
    public static final int CLD_KILLED = 2;

    /** A signal has killed it, and it has dumped core. */
    public static final int CLD_DUMPED = 3;

    /** The answer of WNOHANG when nothing has changed. */
    public static final long NOTHING = 0;

    private static final int P_ALL = 0;
    private static final int P_PIDFD = 3;
    private static final int ALL = 0x40000000; // __WALL: whatever its exit signal is

    // struct siginfo
    private static final int SI_CODE = 8;
    private static final int SI_PID = 16;
    private static final int SI_STATUS = 24;

    private static final int SIGINFO_SIZE = 128;
    private static final int WAITID_CALL = Machine.ARM ? 95 : 247;

    private static final Libc.Function WAITID = Libc.bind("waitid");
    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // for the usage

    private SysWait() {}

    /**
     * {@code waitid(P_PIDFD)} (Linux 5.4): the change of state, {@link #NOTHING}, or -errno. The
     * exit status or signal is the low word of a change, its {@code CLD_} code the high word.
     */
    public static long waitid(Fd pidfd, int options) {
        return waitForUsage(pidfd, options).change();
    }

    private static long change(int result, ByteBuffer info) {
        if (result < 0) {
            return result;
        }
        if (info.getInt(SI_PID) == 0) {
            return NOTHING;
        }
        return (long) info.getInt(SI_CODE) << 32 | Integer.toUnsignedLong(info.getInt(SI_STATUS));
    }

    /**
     * A child that was waited for.
     *
     * @param change its change of state, {@link #NOTHING}, or -errno
     * @param pid its PID, if it has changed
     * @param usage what it has used, if it has changed
     */
    public record Waited(long change, int pid, @Nullable Rusage usage) {}

    /**
     * The same, with what the child has used: the kernel's call has an argument for that, which
     * libc's has not.
     */
    public static Waited waitForUsage(Fd pidfd, int options) {
        Scratch scratch = Scratch.take();
        int number = pidfd.acquire();
        try {
            ByteBuffer info = scratch.bytes;
            info.putInt(SI_PID, 0);
            int r;
            do {
                r =
                        Libc.intCall(
                                SYSCALL,
                                scratch.errno,
                                WAITID_CALL,
                                P_PIDFD,
                                number,
                                scratch.address,
                                options | ALL,
                                scratch.address + SIGINFO_SIZE);
            } while (r == -Errno.EINTR);
            long change = change(r, info);
            return change > 0
                    ? new Waited(change, info.getInt(SI_PID), new Rusage(info, SIGINFO_SIZE))
                    : new Waited(change, 0, null);
        } finally {
            pidfd.release();
            scratch.release();
        }
    }

    /**
     * {@code waitid(P_ALL)} that reaps nothing: the number of a child that has exited, 0 if there
     * is none, or -errno (ECHILD without children). The kernel goes through the children in the
     * order in which they came to us, so one that is not reaped hides those behind it.
     */
    public static int exitedChild() {
        Scratch scratch = Scratch.take();
        try {
            ByteBuffer info = scratch.bytes;
            info.putInt(SI_PID, 0);
            int r =
                    Libc.intCall(
                            WAITID,
                            scratch.errno,
                            P_ALL,
                            0,
                            scratch.address,
                            WEXITED | WNOHANG | WNOWAIT | ALL,
                            0,
                            0);
            return r < 0 ? r : info.getInt(SI_PID);
        } finally {
            scratch.release();
        }
    }

    /** The {@code CLD_} code of a change. */
    public static int code(long change) {
        return (int) (change >> 32);
    }

    /** The exit status or the signal of a change. */
    public static int status(long change) {
        return (int) change;
    }
}
