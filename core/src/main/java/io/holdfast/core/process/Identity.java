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
 * Which process a pidfd holds: the pidfs id (Linux 6.9), and the number, which is for people, and
 * before pidfs for equality. Neither changes, so what was learnt is kept for when the process is
 * gone.
 */
final class Identity {
    private static final int UNSEEN = -1;

    private final Fd pidfd;
    private volatile long id; // 0 until asked for
    private volatile int seen;

    Identity(Fd pidfd) {
        this(pidfd, 0, UNSEEN);
    }

    /** Of a process that was just opened by its number. */
    Identity(Fd pidfd, int pid) {
        this(pidfd, 0, pid);
    }

    private Identity(Fd pidfd, long id, int seen) {
        this.pidfd = pidfd;
        this.id = id;
        this.seen = seen;
    }

    /** The same of a copy of the descriptor. */
    Identity of(Fd copy) {
        return new Identity(copy, id, seen);
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
        boolean asked = Feature.PIDFD_INFO.isPresent();
        int pid = pidNow();
        if (pid < 0) {
            throw new ErrnoException(asked ? "PIDFD_GET_INFO" : "fdinfo", toString(), -pid);
        }
        seen = pid;
        return pid;
    }

    /** The number, or -errno. */
    private int pidNow() {
        if (Feature.PIDFD_INFO.isPresent()) {
            PidfdInfo info = SysPidfd.getInfo(pidfd, 0);
            return info.errno() != 0 ? -info.errno() : info.pid();
        }
        int pid = FdInfo.of(pidfd).number(FdInfo.PID);
        return pid > 0 ? pid : pid == 0 ? -Errno.EREMOTE : -Errno.ESRCH;
    }

    /** The number once it was seen, or if it can be seen now; else {@link #UNSEEN}. */
    private int pidSeen() {
        if (seen != UNSEEN || !pidfd.isOpen()) {
            return seen;
        }
        try {
            int pid = pidNow(); // not pid(): its failure would be told with this very text
            seen = Math.max(pid, UNSEEN);
            return seen;
        } catch (ErrnoException | IllegalStateException e) {
            return UNSEEN; // no /proc, or closed at this moment
        }
    }

    /** The id once it was asked for, or if it can be told now; else 0. */
    private long idSeen() {
        try {
            return id == 0 && pidfd.isOpen() && Feature.PIDFS.isPresent() ? id() : id;
        } catch (ErrnoException | IllegalStateException e) {
            return 0; // closed at this moment, or short of what it takes to ask
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof Identity that)) {
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
     * The number, as last seen, and the id, as far as they can be told: {@code process 4711:8734},
     * which {@link ProcessId#parse} reads.
     */
    @Override
    public String toString() {
        int pid = pidSeen();
        long told = idSeen();
        String id = Long.toUnsignedString(told);
        if (pid == UNSEEN) {
            return told == 0 ? "process of " + pidfd : "process [" + id + "]";
        }
        return "process " + pid + (told == 0 ? "" : ":" + id);
    }
}
