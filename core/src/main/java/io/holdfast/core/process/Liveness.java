package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.process.SysPidfd;

/** Determines whether the process of a pidfd is alive, a zombie, or reaped. */
final class Liveness {
    private static final int REAPED_PID = -1; // in fdinfo; 0 means outside our PID namespace

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

    /** Whether the process has not exited. */
    static boolean isAlive(Fd pidfd) {
        return exitEvents(pidfd) == 0;
    }

    /**
     * Returns the exit events of {@code poll(2)}; 0 if it has not exited. When a thread executes a
     * program, it takes over the PID from the leader, and a poll in that instant sees the old
     * leader end. An exit is permanent, so a second poll distinguishes the two.
     */
    private static int exitEvents(Fd pidfd) {
        return now(pidfd) == 0 ? 0 : now(pidfd);
    }

    /**
     * Whether it still has its PID: signal 0 finds it. A refusal proves nothing, since it may come
     * from a seccomp filter that has not looked at the process: then pidfs decides, or fdinfo.
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
