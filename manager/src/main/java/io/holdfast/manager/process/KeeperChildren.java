package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.loop.ManagerLimits;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The children of the keeper: the processes that a killed manager started, and the orphans that it
 * has received since. Those that have ended are among them, for nothing has reaped them yet.
 */
public final class KeeperChildren {
    private static final Duration STEP = Duration.ofMillis(1);

    private KeeperChildren() {}

    /**
     * Finds the process that a manager was about to start for a run when it was killed: among the
     * children that it had not recorded, the one that was born first, by the order of pidfs. The
     * processes that this one started were born after it.
     *
     * @param withCgroup whether the run has a cgroup of its own; else its processes are identified
     *     by their {@link RunMark}; of one that has ended, only the limit is left
     * @param known those that the manager had recorded
     *     <p>A process that was held when the manager was killed exits without having executed its
     *     program. It does not count: its command is started again.
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
        return Optional.ofNullable(first[0]).filter(KeeperChildren::hasExecuted);
    }

    /** Waits until a process has executed its program, or has exited; closes it if it never did. */
    private static boolean hasExecuted(PidFd process) {
        long deadline = System.nanoTime() + ManagerLimits.KILL_TIMEOUT.duration().toNanos();
        try {
            boolean executed = process.proc().hasExecuted();
            while (!executed && process.isAlive() && System.nanoTime() < deadline) {
                var _ = process.await(STEP);
                executed = process.proc().hasExecuted();
            }
            if (!executed) {
                process.close();
            }
            return executed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        } catch (ErrnoException e) {
            return true; // it was reaped meanwhile; its exit is unknown
        }
    }

    /** Returns whether a process is an unreaped child of the keeper. Blocks briefly. */
    public static boolean contains(PidFd process) {
        int number = Unistd.getppid(); // 0 if it is outside our PID namespace
        Optional<PidFd> keeper = number == 0 ? Optional.empty() : PidFd.find(number);
        return keeper.isPresent() && isChild(process, keeper.get());
    }

    /**
     * Returns whether a process is an unreaped child of this manager, or of its keeper, which
     * inherits the children of a killed manager. Blocks briefly.
     */
    static boolean isOfManagerOrKeeper(PidFd process) {
        return isChild(process, PidFd.self()) || contains(process);
    }

    /**
     * @param parent closed by this
     */
    private static boolean isChild(PidFd process, PidFd parent) {
        Optional<PidFd> actual = Optional.empty();
        try (parent) {
            actual = process.parent();
            return actual.filter(parent::equals).isPresent();
        } catch (ErrnoException e) {
            return false; // it is reaped
        } finally {
            actual.ifPresent(PidFd::close);
        }
    }

    /**
     * Visits the children that have ended.
     *
     * @param visitor receives each of them, lent
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

    /**
     * Visits the children that live.
     *
     * @param visitor receives each of them, and owns it if it returns true
     */
    static void visitLiving(Predicate<PidFd> visitor) {
        try (PidFd keeper = PidFd.open(Unistd.getppid())) {
            keeper.visitChildren((child, _) -> {
                if (child.state() != PidFd.State.ALIVE || !visitor.test(child)) {
                    child.close();
                }
            });
        }
    }

    /** Returns the order of birth; before Linux 6.9 by the start time, which is not precise. */
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
            return RunMark.isOn(process, run);
        } catch (ErrnoException e) {
            return false;
        }
    }
}
