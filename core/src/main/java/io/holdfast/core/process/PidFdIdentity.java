package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.process.PidfdInfo;
import io.holdfast.core.sys.process.SysPidfd;
import org.jspecify.annotations.Nullable;

/**
 * The identity of the process of a pidfd: the pidfs id (Linux 6.9), and the PID, which is for
 * people, and before pidfs for equality. Neither changes, so known values are cached for when the
 * process is gone.
 */
final class PidFdIdentity {
    private static final int UNSEEN = -1;

    private final Fd pidfd;
    private volatile long id; // 0 until it was read
    private volatile int seen;

    PidFdIdentity(Fd pidfd) {
        this(pidfd, 0, UNSEEN);
    }

    /** The identity of a process that was just opened by this PID. */
    PidFdIdentity(Fd pidfd, int pid) {
        this(pidfd, 0, pid);
    }

    private PidFdIdentity(Fd pidfd, long id, int seen) {
        this.pidfd = pidfd;
        this.id = id;
        this.seen = seen;
    }

    /** Returns the same identity for a copy of the descriptor. */
    PidFdIdentity of(Fd copy) {
        return new PidFdIdentity(copy, id, seen);
    }

    /** See {@link PidFd#id}. */
    long id() {
        long known = id;
        if (known == 0) {
            Feature.PIDFS.require("the identity of a process");
            known = SysStat.inode(pidfd);
            id = known;
        }
        return known;
    }

    /** See {@link PidFd#pid}. */
    int pid() {
        boolean hasInfo = Feature.PIDFD_INFO.isPresent();
        int pid = pidNow();
        if (pid < 0) {
            throw new ErrnoException(hasInfo ? "PIDFD_GET_INFO" : "fdinfo", toString(), -pid);
        }
        seen = pid;
        return pid;
    }

    /** Returns the PID, or -errno. */
    private int pidNow() {
        if (Feature.PIDFD_INFO.isPresent()) {
            PidfdInfo info = SysPidfd.getInfo(pidfd, 0);
            return info.errno() != 0 ? -info.errno() : info.pid();
        }
        int pid = FdInfo.of(pidfd).number(FdInfo.PID);
        return pid > 0 ? pid : pid == 0 ? -Errno.EREMOTE : -Errno.ESRCH;
    }

    /** Returns the PID if it was seen before or can be seen now; otherwise {@link #UNSEEN}. */
    private int pidSeen() {
        if (seen != UNSEEN || !pidfd.isOpen()) {
            return seen;
        }
        try {
            int pid = pidNow(); // not pid(): its exception calls toString(), and so this method
            seen = Math.max(pid, UNSEEN);
            return seen;
        } catch (ErrnoException | IllegalStateException e) {
            return UNSEEN; // no /proc, or closed meanwhile
        }
    }

    /** Returns the id if it was read before or can be read now; otherwise 0. */
    private long idSeen() {
        try {
            return id == 0 && pidfd.isOpen() && Feature.PIDFS.isPresent() ? id() : id;
        } catch (ErrnoException | IllegalStateException e) {
            return 0; // closed meanwhile, or no resources for the call
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof PidFdIdentity that)) {
            return false;
        }
        if (Feature.PIDFS.isPresent()) {
            return id() == that.id();
        }
        try {
            return pid() == that.pid()
                    && Liveness.isUnreaped(pidfd)
                    && Liveness.isUnreaped(that.pidfd);
        } catch (ErrnoException e) {
            return false; // reaped: only the object itself is known to be the same
        }
    }

    @Override
    public int hashCode() {
        return Feature.PIDFS.isPresent() ? Long.hashCode(id()) : pidSeen();
    }

    /**
     * {@return the PID, as last seen, and the id, as far as they are known: {@code process
     * 4711:8734}, of which {@link ProcessId#parse} accepts {@code 4711:8734}}
     */
    @Override
    public String toString() {
        int pid = pidSeen();
        long known = idSeen();
        String id = Long.toUnsignedString(known);
        if (pid == UNSEEN) {
            return known == 0 ? "process of " + pidfd : "process [" + id + "]";
        }
        return "process " + pid + (known == 0 ? "" : ":" + id);
    }
}
