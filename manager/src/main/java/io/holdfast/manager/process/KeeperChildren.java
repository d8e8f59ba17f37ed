package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The children of the keeper: what a manager that was killed has started, and what has lost its
 * parent since. Those that have ended are there, too, for nobody has reaped them.
 */
public final class KeeperChildren {
    private KeeperChildren() {}

    /**
     * The one that a manager was about to start for a run when it was killed: of those that it had
     * not written down the first that was born, as pidfs counts them. What that one has started was
     * born after it.
     *
     * @param withCgroup whether the run has a cgroup of its own; else its processes are told by
     *     what they found in their environment, which one that has ended has no more
     * @param known those that it had written down
     * @return owned by the caller; empty if none was started
     */
    public static Optional<PidFd> firstOf(
            Workload run, boolean withCgroup, Collection<PidFd> known) {
        PidFd[] first = {null};
        try (PidFd keeper = PidFd.open(Unistd.getppid())) {
            keeper.visitChildren((child, _) -> {
                boolean isEarlier = first[0] == null || born(child) < born(first[0]);
                if (!known.contains(child) && isEarlier && isOf(run, withCgroup, child)) {
                    if (first[0] != null) {
                        first[0].close();
                    }
                    first[0] = child;
                } else {
                    child.close();
                }
            });
        }
        return Optional.ofNullable(first[0]);
    }

    /**
     * Shows those that have ended.
     *
     * @param visitor gets each, lent
     */
    static void visitEnded(Consumer<PidFd> visitor) {
        try (PidFd keeper = PidFd.open(Unistd.getppid())) {
            keeper.visitChildren((child, _) -> {
                try (child) {
                    if (child.state() == PidFd.State.EXITED) {
                        visitor.accept(child);
                    }
                }
            });
        }
    }

    /** Before Linux 6.9 by the clock, and so not to the last. */
    private static long born(PidFd process) {
        return process.processId()
                .pidfdId()
                .orElseGet(() -> process.proc().startTime().toEpochMilli());
    }

    private static boolean isOf(Workload run, boolean withCgroup, PidFd process) {
        try {
            if (withCgroup) {
                String path = process.proc().cgroup();
                String own = run.cgroup().path();
                return path.equals(own) || path.startsWith(own + "/");
            }
            return Orphans.invocationOf(process).equals(Optional.of(run.invocationId()));
        } catch (ErrnoException e) {
            return false;
        }
    }
}
