package io.holdfast.core.sys.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Machine;
import io.holdfast.core.sys.Unistd;

/** {@code linux/kcmp.h}: whether two descriptors of ours lead to one open file. */
public final class SysKcmp {
    private static final long KCMP = Machine.ARM ? 272 : 312;
    private static final int KCMP_FILE = 0;

    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // libc has no kcmp

    private SysKcmp() {}

    /** False also where the kernel does not tell (CONFIG_KCMP, seccomp). */
    public static boolean isSameFile(Fd one, Fd other) {
        return compareFiles(one, other) == 0;
    }

    /**
     * The place of an open file beside another in an order that stays the same as long as both are
     * open: 0 if they are one open file, 1 if the first comes before, 2 if it comes after, 3 if
     * they differ and the kernel does not say more; or -errno (CONFIG_KCMP, seccomp).
     */
    public static int compareFiles(Fd one, Fd other) {
        int pid = Unistd.getpid();
        int first = one.acquire();
        try {
            int second = other.acquire();
            try {
                return Libc.intCall(SYSCALL, KCMP, pid, pid, KCMP_FILE, first, second);
            } finally {
                other.release();
            }
        } finally {
            one.release();
        }
    }
}
