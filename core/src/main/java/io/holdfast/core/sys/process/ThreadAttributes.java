package io.holdfast.core.sys.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Machine;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel keeps per thread and a new process inherits from the thread that makes it. Only
 * for a platform thread that ends afterwards, or makes only processes for which the same attributes
 * are set again ({@link #areSetAgain}): nothing here can be undone.
 */
public final class ThreadAttributes {
    private static final int CLONE_FS = 0x200; // sched.h
    private static final int PRIO_PROCESS = 0; // sys/resource.h; 0 is the calling thread
    private static final int PR_SET_NO_NEW_PRIVS = 38; // linux/prctl.h

    private static final Libc.Function UNSHARE = Libc.bind("unshare");
    private static final Libc.Function SETNS = Libc.bind("setns");
    private static final Libc.Function SETPRIORITY = Libc.bind("setpriority");
    private static final Libc.Function UMASK = Libc.bind("umask");
    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // libc has no keyctl
    private static final Libc.Function PRCTL = Libc.bind("prctl");

    private static final long KEYCTL = Machine.ARM ? 219 : 250;
    private static final int JOIN_SESSION_KEYRING = 1; // linux/keyctl.h

    private static final int UNCHANGED = Integer.MIN_VALUE;

    /** One more than the highest {@link #kinds}. */
    static final int KINDS = 4;

    private int umask = UNCHANGED;
    private int nice = UNCHANGED;
    private boolean noNewPrivileges;
    private boolean ownKeyring;
    private @Nullable String refused;

    /** Creates attributes that change nothing. */
    public ThreadAttributes() {}

    /** Adds a umask. */
    public void addUmask(int mask) {
        umask = mask;
    }

    /** Adds a nice value, -20 to 19. */
    public void addNice(int value) {
        nice = value;
    }

    /** Adds {@code PR_SET_NO_NEW_PRIVS}. */
    public void addNoNewPrivileges() {
        noNewPrivileges = true;
    }

    /**
     * Adds an empty session keyring (keyctl(2)). Where the kernel has no keyrings or a container
     * refuses the call, the thread keeps the one that it has.
     */
    public void addOwnKeyring() {
        ownKeyring = true;
    }

    /**
     * Returns whether a thread that has them can be given others of the same {@link #kinds}: each
     * umask and each session keyring replaces the one before.
     */
    boolean areSetAgain() {
        return nice == UNCHANGED && !noNewPrivileges;
    }

    /** Returns which of those attributes there are that can be set again: 0 if none. */
    int kinds() {
        return (umask == UNCHANGED ? 0 : 1) + (ownKeyring ? 2 : 0);
    }

    /** Gives the calling thread these attributes: 0, or -errno. Loads no class. */
    int set() {
        int r = 0;
        if (umask != UNCHANGED) {
            refused = "unshare(CLONE_FS)";
            r = umask(umask);
        }
        if (r == 0 && nice != UNCHANGED) {
            refused = "setpriority";
            r = nice(nice);
        }
        if (r == 0 && ownKeyring) {
            int ignored = Libc.intCall(SYSCALL, KEYCTL, JOIN_SESSION_KEYRING, 0, 0, 0, 0);
        }
        if (r == 0 && noNewPrivileges) {
            refused = "prctl(PR_SET_NO_NEW_PRIVS)";
            r = noNewPrivileges();
        }
        if (r == 0) {
            refused = null;
        }
        return r;
    }

    /** Returns the call that was refused, or null. */
    public @Nullable String refused() {
        return refused;
    }

    /** {@code umask(2)} of this thread alone: 0, or -errno. */
    public static int umask(int mask) {
        int r = Libc.intCall(UNSHARE, CLONE_FS, 0, 0, 0, 0, 0);
        if (r == 0) {
            int ignored = Libc.intCall(UMASK, mask, 0, 0, 0, 0, 0);
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

    /** {@code setns(2)} with any kind of namespace but those of users and mounts: 0, or -errno. */
    public static int enter(Fd namespace) {
        int number = namespace.acquire();
        try {
            return Libc.intCall(SETNS, number, 0, 0, 0, 0, 0);
        } finally {
            namespace.release();
        }
    }

    /** The nice value of this thread, -20 to 19: 0, or -errno. */
    public static int nice(int value) {
        return Libc.intCall(SETPRIORITY, PRIO_PROCESS, 0, value, 0, 0, 0);
    }

    /** {@code PR_SET_NO_NEW_PRIVS}: 0, or -errno. */
    public static int noNewPrivileges() {
        return Libc.intCall(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
    }
}
