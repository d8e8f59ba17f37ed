package io.holdfast.core.sys.process;

import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.SysStat;

/**
 * What the kernel keeps per thread and a new process inherits from the thread that makes it. Only
 * for a platform thread that is thrown away afterwards: nothing here can be undone.
 */
public final class ThreadAttributes {
    private static final int CLONE_FS = 0x200; // sched.h
    private static final int PRIO_PROCESS = 0; // sys/resource.h; 0 is the calling thread
    private static final int PR_SET_NO_NEW_PRIVS = 38; // linux/prctl.h

    private static final Libc.Function UNSHARE = Libc.bind("unshare");
    private static final Libc.Function SETPRIORITY = Libc.bind("setpriority");

    private ThreadAttributes() {}

    /** {@code umask(2)} of this thread alone: 0, or -errno. */
    public static int umask(int mask) {
        int r = Libc.intCall(UNSHARE, CLONE_FS, 0, 0, 0, 0, 0);
        if (r == 0) {
            int ignored = SysStat.umask(mask);
        }
        return r;
    }

    /**
     * New namespaces of this thread alone: 0, or -errno.
     *
     * @param kinds a sum of those of {@link NamespaceEntry}, but for mounts
     */
    public static int unshare(int kinds) {
        return Libc.intCall(UNSHARE, kinds, 0, 0, 0, 0, 0);
    }

    /** The nice value of this thread, -20 to 19: 0, or -errno. */
    public static int nice(int value) {
        return Libc.intCall(SETPRIORITY, PRIO_PROCESS, 0, value, 0, 0, 0);
    }

    /** {@code PR_SET_NO_NEW_PRIVS}: 0, or -errno. */
    public static int noNewPrivileges() {
        return SysPrctl.prctl(PR_SET_NO_NEW_PRIVS, 1);
    }
}
