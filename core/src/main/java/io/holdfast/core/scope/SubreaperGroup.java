package io.holdfast.core.scope;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** The processes of a scope without a cgroup: see {@link Guarantee#SUBREAPER}. */
final class SubreaperGroup implements Group {
    /**
     * The number of consecutive walks that must find no process. The kernel's list of our children
     * is not read atomically, so a walk can miss one of them.
     */
    private static final int EMPTY_WALKS = 2;

    private final Mark mark;
    private final Starts starts;

    /**
     * Permits one walk at a time. A process that forks and exits before it can be opened leaves a
     * zombie for us, which shows the walk that the scope is not empty: so no other thread may reap
     * it meanwhile.
     */
    private final ReentrantLock walking = new ReentrantLock();

    /**
     * The children that this scope has started and that are not reaped yet, by a pidfd of our own.
     */
    private final Map<PidFd, Child> started = new ConcurrentHashMap<>();

    SubreaperGroup(Mark mark, Starts starts) {
        this.mark = mark;
        this.starts = starts;
        Subreaper.begin(this);
    }

    @Override
    public Guarantee guarantee() {
        return Guarantee.SUBREAPER;
    }

    @Override
    public Child start(Spawn spawn) {
        mark.putOn(spawn);
        Child child = spawn.start();
        try {
            PidFd process = child.pidFd().duplicate();
            started.put(process, child);
            var _ = child.onExit().thenAccept(_ -> forget(process));
            return child;
        } catch (RuntimeException e) { // no free descriptor
            boolean _ = child.signal(Signal.KILL);
            child.close();
            throw e;
        }
    }

    private void forget(PidFd process) {
        Child _ = started.remove(process);
        process.close();
    }

    @Override
    public void adopt(PidFd process) {
        throw new ErrnoException(
                "adopt",
                process.toString(),
                Errno.EOPNOTSUPP,
                "it needs a cgroup: without one, what a process starts is recognized by a mark"
                        + " that it was started with");
    }

    @Override
    public List<PidFd> members() {
        try (Walk walk = walk()) {
            started.keySet().forEach(process -> addMissed(process, walk.members()));
            return walk.take();
        }
    }

    /** Adds a child of this scope that the walk has missed, as it can. */
    private static void addMissed(PidFd process, Collection<PidFd> members) {
        try {
            if (!members.contains(process) && process.state() == PidFd.State.ALIVE) {
                boolean _ = members.add(process.duplicate());
            }
        } catch (ClosedException e) {
            // it has exited meanwhile
        }
    }

    private Walk walk() {
        return walk(false);
    }

    /**
     * Performs a walk.
     *
     * @param stopping whether each member is stopped when it is found; if the walk fails, it is
     *     killed instead of staying stopped
     */
    private Walk walk(boolean stopping) {
        walking.lock();
        try {
            return Walk.of(
                    mark,
                    new Walk.Visitor() {
                        @Override
                        public boolean isStarted(PidFd child) {
                            return isStartedHere(child);
                        }

                        @Override
                        public void visit(PidFd member) {
                            if (stopping) {
                                send(member, Signal.STOP);
                            }
                        }

                        @Override
                        public boolean reap(PidFd zombie) {
                            // a process whose start is under way may not be registered as a child
                            // yet
                            return starts.areOver() && OwnChildren.reap(zombie);
                        }

                        @Override
                        public void abandon(PidFd member) {
                            if (stopping) {
                                send(member, Signal.KILL);
                            }
                        }
                    });
        } finally {
            walking.unlock();
        }
    }

    private boolean isStartedHere(PidFd child) {
        for (; ; ) {
            try {
                return started.containsKey(child);
            } catch (ClosedException e) {
                // compared with a pidfd that was removed and closed meanwhile: the next try does
                // not meet it
            }
        }
    }

    /** Reaps the orphans of the scope that have ended. */
    void reapOrphans() {
        if (walking.tryLock()) {
            try {
                OwnChildren.reap((zombie, number) -> starts.areOver() && mark.isOn(zombie, number));
            } finally {
                walking.unlock();
            }
        }
    }

    @Override
    public boolean isEmpty() {
        for (int quiet = 0; quiet < EMPTY_WALKS; ) {
            try (Walk walk = walk()) {
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
            try (Walk walk = walk()) {
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
            started.keySet().forEach(SubreaperGroup::killHeld);
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

    private static void killHeld(PidFd process) {
        try {
            send(process, Signal.KILL);
        } catch (ClosedException e) {
            // it has exited meanwhile
        }
    }

    private static void send(PidFd member, Signal signal) {
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

    @Override
    public void close() {
        Subreaper.end(this);
    }

    @Override
    public String toString() {
        return "subreaper";
    }
}
