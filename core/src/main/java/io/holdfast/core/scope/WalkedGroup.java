package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Deadline;
import java.util.List;

/** The processes of a scope that are found by a {@link Walk}, and ended in rounds. */
abstract class WalkedGroup implements Group {
    /**
     * The number of consecutive walks that must find no process. The kernel's lists of processes
     * are not read atomically, so a walk can miss one of them.
     */
    private static final int EMPTY_WALKS = 2;

    /**
     * Performs a walk.
     *
     * @param stopping whether each member is stopped when it is found; if the walk fails, it is
     *     killed instead of staying stopped
     */
    abstract Walk walk(boolean stopping);

    /** Kills the members that are held without a walk, because there are too few descriptors. */
    abstract void killHeld();

    @Override
    public Guarantee guarantee() {
        return Guarantee.SUBREAPER;
    }

    @Override
    public List<PidFd> members() {
        try (Walk walk = walk(false)) {
            return walk.take();
        }
    }

    @Override
    public boolean isEmpty() {
        for (int quiet = 0; quiet < EMPTY_WALKS; ) {
            try (Walk walk = walk(false)) {
                if (!walk.members().isEmpty()) {
                    return false;
                }
                quiet = walk.isQuiet() ? quiet + 1 : 0;
            }
        }
        return true;
    }

    @Override
    public boolean awaitEmpty(Deadline deadline) throws InterruptedException {
        for (int quiet = 0; quiet < EMPTY_WALKS; ) {
            try (Walk walk = walk(false)) {
                quiet = walk.isQuiet() ? quiet + 1 : 0;
                boolean isOver = quiet == 0 && deadline.isOver();
                if (isOver || !awaitExits(walk.members(), deadline)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Waits for the exits, not for the reaping by the parents; returns false when the time is over.
     */
    private static boolean awaitExits(Iterable<PidFd> processes, Deadline deadline)
            throws InterruptedException {
        for (PidFd process : processes) {
            if (Readiness.await(process.fd(), Readiness.IN, deadline.left()) == Readiness.NONE) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean kill(Starts starts, Deadline deadline) throws InterruptedException {
        for (int quiet = 0; quiet < EMPTY_WALKS; ) {
            boolean starting = !starts.areOver(); // before the walk
            try (Walk stopped = stopAll(deadline)) {
                quiet = stopped.isQuiet() ? quiet + 1 : 0;
                stopped.members().forEach(member -> send(member, Signal.KILL));
                boolean isOver = quiet == 0 && deadline.isOver();
                if (isOver || !awaitExits(stopped.members(), deadline)) {
                    return false;
                }
                if (starts.areOver()) { // otherwise one may be reaped before its start holds it
                    for (PidFd killed : stopped.members()) { // their parents were killed as well
                        boolean _ = OwnChildren.reap(killed);
                    }
                }
            }
            if (starting) {
                quiet = 0;
                if (!starts.awaitOver(deadline)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Stops members until a walk finds no further ones: a stopped process does not fork and stays
     * the parent of its children. If there are too few descriptors for a walk, kills those that are
     * held.
     */
    private Walk stopAll(Deadline deadline) {
        try {
            Walk before = walk(true);
            while (!before.members().isEmpty() && !deadline.isOver()) {
                Walk now = walkAgain(before);
                boolean isSame = before.members().containsAll(now.members());
                before.close();
                if (isSame) {
                    return now;
                }
                before = now;
            }
            return before;
        } catch (ErrnoException e) {
            killHeld();
            throw e;
        }
    }

    private Walk walkAgain(Walk before) {
        try {
            return walk(true);
        } catch (RuntimeException e) {
            before.members().forEach(member -> send(member, Signal.KILL));
            before.close();
            throw e;
        }
    }

    static void send(PidFd member, Signal signal) {
        try {
            boolean _ = member.signal(signal);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) { // of another user: reported as left
                throw e;
            }
        }
    }

    @Override
    public void remove() {
        // its processes are all that there is of it
    }
}
