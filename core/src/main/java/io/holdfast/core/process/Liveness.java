package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.process.SysPidfd;

/** What has become of the process of a pidfd. */
final class Liveness {
    private static final int REAPED_PID = -1; // in fdinfo; 0 is a number that we do not see

    private Liveness() {}

    static PidFd.State of(Fd pidfd) {
        int events = exitEvents(pidfd);
        if (events == 0) {
            return PidFd.State.ALIVE;
        }
        boolean unreaped =
                Feature.PIDFS.isPresent() ? (events & Readiness.HUP) == 0 : isUnreaped(pidfd);
        return unreaped ? PidFd.State.EXITED : PidFd.State.REAPED;
    }

    /** Whether it has not exited. */
    static boolean isAlive(Fd pidfd) {
        return exitEvents(pidfd) == 0;
    }

    /**
     * What {@code poll(2)} tells of its exit; 0 if it has not. When a thread executes a program, it
     * takes the number over from the leader, and who looks in that instant sees the old leader end.
     * An exit stays, so a second look tells them apart.
     */
    private static int exitEvents(Fd pidfd) {
        return now(pidfd) == 0 ? 0 : now(pidfd);
    }

    /**
     * Whether its number is its own still: signal 0 finds it. A refusal says nothing, since it may
     * come from a seccomp filter that has not even looked: then pidfs is asked, or fdinfo.
     */
    static boolean isUnreaped(Fd pidfd) {
        return switch (SysPidfd.sendSignal(pidfd, 0, 0)) {
            case 0 -> true;
            case -Errno.ESRCH -> false;
            default ->
                    Feature.PIDFS.isPresent()
                            ? (now(pidfd) & Readiness.HUP) == 0
                            : FdInfo.of(pidfd).number(FdInfo.PID) != REAPED_PID;
        };
    }

    private static int now(Fd pidfd) {
        return ErrnoException.check(SysPoll.now(pidfd, Readiness.IN), "poll", pidfd);
    }
}
