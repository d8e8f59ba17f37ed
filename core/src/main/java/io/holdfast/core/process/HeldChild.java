package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.core.sys.process.SysSched;

/**
 * A child between its birth and the execution of its program: it is in its cgroup and session, and
 * waits. Settings made now are in force from the first instruction of the program. Its PID is
 * pinned, for it is an unreaped child of this process. Valid only within the callback of {@link
 * Spawn#whileHeld}.
 */
public final class HeldChild {
    private final PidFd pidFd;
    private final int pid;

    HeldChild(PidFd pidFd, int pid) {
        this.pidFd = pidFd;
        this.pid = pid;
    }

    /** {@return the process, lent} */
    public PidFd pidFd() {
        return pidFd;
    }

    /** {@return its PID, for people and for the {@code LISTEN_PID} of systemd's protocol} */
    public int pid() {
        return pid;
    }

    /**
     * Sets a limit (prlimit(2)).
     *
     * @param resource the resource
     * @param soft the soft limit, in the unit of the resource, {@link Resource#INFINITY} for none
     * @param hard the hard limit, in the unit of the resource
     * @throws ErrnoException EPERM if hard is above the limit that this process may set, EINVAL if
     *     soft is above hard
     */
    public void limit(Resource resource, long soft, long hard) {
        ErrnoException.check(
                SysResource.setLimit(pid, resource.number(), soft, hard),
                "prlimit RLIMIT_" + resource,
                pidFd);
    }

    /**
     * Sets how likely the kernel kills it when memory runs out (proc_pid_oom_score_adj(5)).
     *
     * @param adjustment -1000 (never) to 1000
     * @throws ErrnoException EACCES to lower it without CAP_SYS_RESOURCE
     */
    public void oomScoreAdjust(int adjustment) {
        int r = pidFd.proc().write("oom_score_adj", Integer.toString(adjustment));
        ErrnoException.check(r, "oom_score_adj", pidFd);
    }

    /**
     * Sets how its CPU time is scheduled (sched(7)).
     *
     * @param policy the scheduling policy
     * @param priority 1 to 99 for a {@linkplain CpuPolicy#isRealTime real-time} policy, else 0
     * @param resetOnFork whether its children start with the default policy
     * @throws ErrnoException EPERM without CAP_SYS_NICE, EINVAL
     */
    public void scheduler(CpuPolicy policy, int priority, boolean resetOnFork) {
        int r = SysSched.setScheduler(pid, policy.number(), priority, resetOnFork);
        ErrnoException.check(r, "sched_setscheduler", pidFd);
    }

    /**
     * Sets how its input and output are scheduled (ioprio_set(2)).
     *
     * @param kind the scheduling class
     * @param level 0 (first) to 7
     * @throws ErrnoException EPERM (real-time without CAP_SYS_ADMIN), EINVAL
     */
    public void ioPriority(IoClass kind, int level) {
        ErrnoException.check(
                SysSched.setIoPriority(pid, kind.number(), level), "ioprio_set", pidFd);
    }

    /** Moves it to a cgroup in which the kernel could not start it. */
    void attachTo(Cgroup cgroup) {
        try {
            cgroup.attach(pidFd);
        } catch (ErrnoException e) {
            throw e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV
                    ? new ErrnoException("cgroup.procs", cgroup.toString(), Errno.ENOENT)
                    : e;
        }
    }
}
