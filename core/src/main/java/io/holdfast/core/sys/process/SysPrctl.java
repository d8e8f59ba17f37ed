package io.holdfast.core.sys.process;

import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;

/** {@code sys/prctl.h}: attributes of this whole process. */
public final class SysPrctl {
    private static final int PR_SET_CHILD_SUBREAPER = 36; // linux/prctl.h
    private static final int PR_GET_CHILD_SUBREAPER = 37;
    private static final int PR_GET_MDWE = 66;

    private static final Libc.Function PRCTL = Libc.bind("prctl");

    private SysPrctl() {}

    /** With all unused words zero, as the kernel demands: what it returns, or -errno. */
    static int prctl(int option, long argument) {
        return Libc.intCall(PRCTL, option, argument, 0, 0, 0, 0);
    }

    /** Whether orphans among our descendants become our children: 0, or -errno. */
    public static int setChildSubreaper(boolean on) {
        return prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0);
    }

    /** Whether the kernel can deny writable and executable memory: since Linux 6.3. */
    public static boolean canDenyWriteExecute() {
        return prctl(PR_GET_MDWE, 0) >= 0;
    }

    /** See {@link #setChildSubreaper}. */
    public static boolean isChildSubreaper() {
        Scratch scratch = Scratch.take();
        try {
            scratch.bytes.putInt(0, 0);
            int r = prctl(PR_GET_CHILD_SUBREAPER, scratch.address);
            return r == 0 && scratch.bytes.getInt(0) != 0;
        } finally {
            scratch.release();
        }
    }
}
