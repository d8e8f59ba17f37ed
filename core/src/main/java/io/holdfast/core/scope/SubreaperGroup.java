package io.holdfast.core.scope;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The processes of a scope without cgroup: see {@link Guarantee#SUBREAPER}. */
final class SubreaperGroup implements Group {
    /** Walks in a row that must find nobody: one can miss a process whose parent ends meanwhile. */
    private static final int EMPTY_WALKS = 2;

    private final Mark mark;
    private final Starts starts;

    /** Those that were started here and are not reaped yet: by a pidfd of our own. */
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
        } catch (RuntimeException e) { // no descriptor left
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
            return walk.take();
        }
    }

    private Walk walk() {
        Walk walk = Walk.of(this::isStartedHere, mark);
        walk.zombies().forEach(this::reap);
        return walk;
    }

    private boolean isStartedHere(PidFd child) {
        for (; ; ) {
            try {
                return started.containsKey(child);
            } catch (IllegalStateException e) {
                // compared with one that was removed and closed meanwhile: not to be met again
            }
        }
    }

    /** Reaps an orphan of the scope. What is being started may not be known as a child yet. */
    private void reap(PidFd zombie) {
        if (starts.areOver()) {
            boolean _ = OwnChildren.reap(zombie);
        }
    }

    /** Reaps the orphans of the scope that have ended. */
    void reapOrphans() {
        OwnChildren.reap(zombie -> starts.areOver() && mark.isOn(zombie));
    }

    @Override
    public boolean isEmpty() {
        for (int i = 0; i < EMPTY_WALKS; i++) {
            try (Walk walk = walk()) {
                if (!walk.members().isEmpty()) {
                    return false;
                }
            }
        }
        return true;
    }

    @Override
    public boolean awaitEmpty(Deadline deadline) throws InterruptedException {
        for (int empty = 0; empty < EMPTY_WALKS; ) {
            try (Walk walk = walk()) {
                empty = walk.members().isEmpty() ? empty + 1 : 0;
                if (!awaitExits(walk.members(), deadline)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Only the exit is waited for, not that the parent reaps; false when the time is over. */
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
        for (int empty = 0; empty < EMPTY_WALKS; ) {
            boolean starting = !starts.areOver(); // before the walk
            try (Walk stopped = stopAll(deadline)) {
                empty = stopped.members().isEmpty() ? empty + 1 : 0;
                stopped.members().forEach(member -> send(member, Signal.KILL));
                if (!awaitExits(stopped.members(), deadline)) {
                    return false;
                }
                for (PidFd killed : stopped.members()) { // their parents were killed as well
                    boolean _ = OwnChildren.reap(killed);
                }
            }
            if (starting) {
                empty = 0;
                if (!starts.awaitOver(deadline)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Stops members until a walk finds no other ones: what is stopped forks no more and stays the
     * parent of its children.
     */
    private Walk stopAll(Deadline deadline) {
        Walk before = walk();
        while (!before.members().isEmpty() && !deadline.isOver()) {
            before.members().forEach(member -> send(member, Signal.STOP));
            Walk now;
            try {
                now = walk();
            } catch (RuntimeException e) {
                before.close();
                throw e;
            }
            boolean isSame = before.members().containsAll(now.members());
            before.close();
            if (isSame) {
                return now;
            }
            before = now;
        }
        return before;
    }

    private static void send(PidFd member, Signal signal) {
        try {
            boolean _ = member.signal(signal);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) { // one of another user is told as left
                throw e;
            }
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
