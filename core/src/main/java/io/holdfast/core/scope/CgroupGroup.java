package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.process.SysPrctl;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The processes of a cgroup that was made for one scope. */
final class CgroupGroup implements Group {
    private static final String ADOPTED = "adopted-";
    private static final int REMOVALS = 5; // tries, while others make cgroups below it

    private final Cgroup cgroup;
    private final AtomicInteger adoptions = new AtomicInteger();

    CgroupGroup(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    @Override
    public Guarantee guarantee() {
        return Guarantee.CGROUP;
    }

    @Override
    public Child start(Spawn spawn) {
        return spawn.cgroup(cgroup).start();
    }

    /**
     * The kernel takes a number, so a process that ends in that instant, is reaped and has a
     * successor by that number moves its successor. Hence the move goes to a cgroup in which nobody
     * else is: if the process was reaped by the time it was there, whoever is in it is put beside
     * the scope, where nobody ends it.
     */
    @Override
    public void adopt(PidFd process) {
        if (!process.isAlive()) {
            throw new ErrnoException("adopt", process.toString(), Errno.ESRCH, "it has ended");
        }
        try (Cgroup own = cgroup.create(ADOPTED + adoptions.incrementAndGet())) {
            try {
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

    /** Puts a process that was meant by nobody back out of the scope. */
    private static void release(Cgroup own) {
        try (Cgroup outside = Cgroup.own()) {
            own.forEachMember(stranger -> {
                try {
                    outside.attach(stranger);
                } catch (ErrnoException e) {
                    if (e.errno() != Errno.ESRCH) { // which is one that has ended, too
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
            // goes with the scope
        }
    }

    @Override
    public List<PidFd> members() {
        return cgroup.membersBelow().take();
    }

    @Override
    public boolean isEmpty() {
        return !cgroup.isPopulated();
    }

    @Override
    public boolean awaitEmpty(Deadline deadline) throws InterruptedException {
        return cgroup.awaitEmpty(deadline.left());
    }

    /** Twice: the first one ends what holds up a start, the second one what that has started. */
    @Override
    public boolean kill(Starts starts, Deadline deadline) throws InterruptedException {
        if (!starts.areOver()) {
            cgroup.kill();
            if (!starts.awaitOver(deadline)) {
                return false;
            }
        }
        if (cgroup.isPopulated()) {
            cgroup.kill();
            if (!cgroup.awaitEmpty(deadline.left())) {
                return false;
            }
        }
        if (ProcessHandle.current().pid() == 1 || SysPrctl.isChildSubreaper()) {
            OwnChildren.reap((zombie, _) -> isOfIt(zombie)); // else their new parent does
        }
        return true;
    }

    private boolean isOfIt(PidFd zombie) {
        try {
            return zombie.cgroupPath().isWithin(cgroup.path()); // which nobody else ever has
        } catch (ErrnoException | ForeignCgroupException e) {
            return false;
        }
    }

    @Override
    public void close() {
        try (cgroup) {
            int tries = 0;
            do {
                tries++;
            } while (!isRemoved(tries == REMOVALS));
        }
    }

    private boolean isRemoved(boolean last) {
        try {
            cgroup.removeAll();
            return true;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
                return true;
            }
            if (last) {
                throw e;
            }
            return false;
        }
    }

    @Override
    public String toString() {
        return cgroup.toString();
    }
}
