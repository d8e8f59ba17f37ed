package io.holdfast.core.scope;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
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
final class SubreaperGroup extends WalkedGroup {
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
        try (Walk walk = walk(false)) {
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

    @Override
    Walk walk(boolean stopping) {
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
    void killHeld() {
        started.keySet().forEach(SubreaperGroup::killHeld);
    }

    private static void killHeld(PidFd process) {
        try {
            send(process, Signal.KILL);
        } catch (ClosedException e) {
            // it has exited meanwhile
        }
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
