package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Uninterruptible;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Kills all processes of a cgroup and below: by {@code cgroup.kill}, or one by one where the kernel
 * does not have it (before Linux 5.14).
 */
final class CgroupKill {
    private static final Duration LIMIT = Duration.ofSeconds(2); // for the loop on older kernels
    private static final Duration PAUSE = Duration.ofMillis(10);

    private CgroupKill() {}

    /** See {@link Cgroup#kill}. */
    static void of(Cgroup cgroup) {
        CgroupPath path = cgroup.path();
        if (path.isRoot()) {
            throw new ErrnoException("cgroup.kill", "/", Errno.EBUSY, "the root cannot be killed");
        }
        int r =
                Feature.CGROUP_KILL.isHidden()
                        ? -Errno.ENOENT
                        : KernelFile.write(cgroup.fd(), "cgroup.kill", "1");
        if (r == -Errno.ENOENT && isThere(cgroup)) {
            killFrozen(cgroup);
        } else {
            ErrnoException.check(r, "cgroup.kill", path.path());
        }
    }

    private static boolean isThere(Cgroup cgroup) {
        return cgroup.in(dir -> KernelFile.text(dir, "cgroup.type")) != null;
    }

    /**
     * Kills the members repeatedly until none is left: the child of a fork that was under way at
     * the freeze appears only after the first reading. Gives up on processes that do not die (in an
     * uninterruptible wait), as cgroup.kill does.
     */
    private static void killFrozen(Cgroup cgroup) {
        int frozen = KernelFile.write(cgroup.fd(), "cgroup.freeze", "1");
        Deadline limit = Deadline.after(LIMIT);
        try (CgroupEvents events = new CgroupEvents(cgroup)) {
            ErrnoException refused = Uninterruptible.await(() -> killAll(cgroup, events, limit));
            if (refused != null) {
                throw refused;
            }
        } finally {
            if (frozen >= 0) {
                int ignored = KernelFile.write(cgroup.fd(), "cgroup.freeze", "0");
            }
        }
    }

    /** Returns the last refusal; null if no member is left, or none was refused. */
    private static @Nullable ErrnoException killAll(
            Cgroup cgroup, CgroupEvents events, Deadline limit) throws InterruptedException {
        ErrnoException refused = null;
        while (!limit.isOver()) {
            refused = killMembers(cgroup);
            if (events.await("populated 0", PAUSE)) {
                return null;
            }
        }
        return refused;
    }

    /** Kills the current members; returns the last refusal, or null. */
    private static @Nullable ErrnoException killMembers(Cgroup cgroup) {
        ErrnoException refused = null;
        try (Members members = cgroup.membersBelow()) {
            for (PidFd member : members) {
                try {
                    boolean ignored = member.signal(Signal.KILL);
                } catch (ErrnoException e) {
                    refused = e;
                }
            }
        }
        return refused;
    }
}
