package io.holdfast.core.sys.process;

import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Machine;
import io.holdfast.core.sys.Scratch;

/** {@code sched.h} and {@code linux/ioprio.h}: how the kernel schedules a thread, by its number. */
public final class SysSched {
    private static final long IOPRIO_SET = Machine.ARM ? 30 : 251;
    private static final int IOPRIO_WHO_PROCESS = 1;
    private static final int IOPRIO_CLASS_SHIFT = 13;
    private static final int SCHED_RESET_ON_FORK = 0x40000000;

    private static final Libc.Function SETSCHEDULER = Libc.bind("sched_setscheduler");
    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // libc has no ioprio_set

    private SysSched() {}

    /**
     * {@code sched_setscheduler(2)}: 0, or -errno.
     *
     * @param pid of a process with one thread that is pinned (an unreaped child of ours)
     * @param policy as {@code linux/sched.h} has it
     * @param priority 1 to 99 for a real-time policy, else 0
     * @param resetOnFork whether its children start with the usual policy
     */
    public static int setScheduler(int pid, int policy, int priority, boolean resetOnFork) {
        Scratch scratch = Scratch.take();
        try {
            scratch.bytes.putInt(0, priority);
            int flags = resetOnFork ? SCHED_RESET_ON_FORK : 0;
            return Libc.intCall(
                    SETSCHEDULER, scratch.errno, pid, policy | flags, scratch.address, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /**
     * {@code ioprio_set(2)}: 0, or -errno.
     *
     * @param pid as above
     * @param kind 0 none, 1 real-time, 2 best effort, 3 idle
     * @param level 0 (first) to 7
     */
    public static int setIoPriority(int pid, int kind, int level) {
        int value = kind << IOPRIO_CLASS_SHIFT | level;
        return Libc.intCall(SYSCALL, IOPRIO_SET, IOPRIO_WHO_PROCESS, pid, value, 0, 0);
    }
}
