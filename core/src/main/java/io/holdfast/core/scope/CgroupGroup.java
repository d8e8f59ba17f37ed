package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.sys.process.SysPrctl;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** The processes of a cgroup that was made for one scope. */
final class CgroupGroup implements Group {
    private static final String ADOPTED = "adopted-";
    private static final int REMOVALS = 5; // attempts, while other processes make cgroups below it

    private final Cgroup cgroup;
    private final AtomicInteger adoptions = new AtomicInteger();

    /**
     * The adopted children of this JVM that {@link Spawn} has not started, by a pidfd of our own:
     * their owner, such as a {@link Process}, reaps them. Guarded by itself.
     */
    private final List<PidFd> adoptedChildren = new ArrayList<>();

    CgroupGroup(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    @Override
    public Guarantee guarantee() {
        return Guarantee.CGROUP;
    }

    @Override
    public Optional<Cgroup> cgroup() {
        return Optional.of(cgroup);
    }

    @Override
    public Child start(Spawn spawn) {
        return spawn.cgroup(cgroup).start();
    }

    /**
     * Moves the process to a new cgroup of its own. The kernel identifies it by PID, so if the
     * process is reaped during the move and another process gets its PID, that one is moved
     * instead. In a cgroup without other members this can be undone: if the process was reaped by
     * the time of the move, the process that is in the cgroup is moved out to the cgroup of this
     * JVM.
     */
    @Override
    public void adopt(PidFd process) {
        if (!process.isAlive()) {
            throw new ErrnoException("adopt", process.toString(), Errno.ESRCH, "it has ended");
        }
        try (Cgroup own = cgroup.create(ADOPTED + adoptions.incrementAndGet())) {
            try {
                keepIfChild(process);
                own.attach(process);
            } catch (ErrnoException e) {
                if (process.state() == PidFd.State.REAPED) {
                    release(own);
                }
                removeIfEmpty(own);
                throw e;
            }
        }
    }

    private void keepIfChild(PidFd process) {
        synchronized (adoptedChildren) {
            adoptedChildren.removeIf(CgroupGroup::isReaped);
            if (process.isChild() && !Child.isStarted(process) && !isAdoptedChild(process)) {
                boolean _ = adoptedChildren.add(process.duplicate());
            }
        }
    }

    /** Returns whether a child is gone, and closes it then. */
    private static boolean isReaped(PidFd child) {
        boolean reaped = child.state() == PidFd.State.REAPED;
        if (reaped) {
            child.close();
        }
        return reaped;
    }

    private boolean isAdoptedChild(PidFd process) {
        synchronized (adoptedChildren) {
            return adoptedChildren.contains(process);
        }
    }

    /** Moves a process that was moved by mistake out of the scope. */
    private static void release(Cgroup own) {
        try (Cgroup outside = Cgroup.own()) {
            own.forEachMember(process -> {
                try {
                    outside.attach(process);
                } catch (ErrnoException e) {
                    if (e.errno() != Errno.ESRCH) { // ESRCH: it has ended, too
                        throw e;
                    }
                }
            });
        }
    }

    private static void removeIfEmpty(Cgroup own) {
        try {
            own.remove();
        } catch (ErrnoException e) {
            // it is removed with the scope
        }
    }

    @Override
    public List<PidFd> members() {
        return unlessRemoved(
                List.of(),
                () -> {
                    try (Members members = cgroup.membersBelow()) {
                        return members.take();
                    }
                });
    }

    @Override
    public boolean isEmpty() {
        return unlessRemoved(true, () -> !cgroup.isPopulated());
    }

    @Override
    public boolean awaitEmpty(Deadline deadline) throws InterruptedException {
        return unlessRemoved(true, () -> cgroup.awaitEmpty(deadline.left()));
    }

    private interface CgroupCall<T, E extends Exception> {
        T call() throws E;
    }

    /** Calls the cgroup; if it was removed, which only an empty one can be, returns the other. */
    private static <T, E extends Exception> T unlessRemoved(T ifRemoved, CgroupCall<T, E> call)
            throws E {
        try {
            return call.call();
        } catch (ErrnoException e) {
            if (isGone(e)) {
                return ifRemoved;
            }
            throw e;
        }
    }

    private static boolean isGone(ErrnoException e) {
        return e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV;
    }

    /** Kills twice: first what blocks a start under way, then what that start has started. */
    @Override
    public boolean kill(Starts starts, Deadline deadline) throws InterruptedException {
        if (!starts.areOver()) {
            killMembers();
            if (!starts.awaitOver(deadline)) {
                return false;
            }
        }
        if (!isEmpty()) {
            killMembers();
            if (!awaitEmpty(deadline)) {
                return false;
            }
        }
        if (ProcessHandle.current().pid() == 1 || SysPrctl.isChildSubreaper()) {
            // otherwise their new parent does
            OwnChildren.reap((zombie, _) -> !isAdoptedChild(zombie) && isOfIt(zombie));
        }
        return true;
    }

    private void killMembers() {
        boolean _ =
                unlessRemoved(
                        true,
                        () -> {
                            cgroup.kill();
                            return true;
                        });
    }

    private boolean isOfIt(PidFd zombie) {
        try {
            return zombie.cgroupPath().isWithin(cgroup.path()); // the path is used only once
        } catch (ErrnoException | ForeignCgroupException e) {
            return false;
        }
    }

    @Override
    public void remove() {
        int tries = 0;
        do {
            tries++;
        } while (!isRemoved(tries == REMOVALS));
    }

    private boolean isRemoved(boolean last) {
        try {
            cgroup.removeAll();
            return true;
        } catch (ErrnoException e) {
            if (isGone(e)) {
                return true;
            }
            if (last) {
                throw e;
            }
            return false;
        }
    }

    @Override
    public void close() {
        cgroup.close();
        synchronized (adoptedChildren) {
            adoptedChildren.forEach(PidFd::close);
            adoptedChildren.clear();
        }
    }

    @Override
    public String toString() {
        return cgroup.toString();
    }
}
