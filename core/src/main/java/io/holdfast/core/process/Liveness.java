package io.holdfast.core.process;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.SysPidfd;
import io.holdfast.core.linux.SysPoll;

/** What has become of the process of a pidfd. */
final class Liveness {
    private Liveness() {}

    static PidFd.State of(Fd pidfd) {
        int events = ErrnoException.check(SysPoll.now(pidfd, Readiness.IN), "poll", pidfd);
        if (events == 0) {
            return PidFd.State.ALIVE;
        }
        boolean unreaped =
                Feature.PIDFS.isPresent() ? (events & Readiness.HUP) == 0 : isUnreaped(pidfd);
        return unreaped ? PidFd.State.EXITED : PidFd.State.REAPED;
    }

    /**
     * Whether its number is its own still: signal 0 finds it, whether or not we may send it one.
     */
    static boolean isUnreaped(Fd pidfd) {
        return SysPidfd.sendSignal(pidfd, 0, 0) != -Errno.ESRCH;
    }
}
