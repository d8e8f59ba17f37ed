package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.util.OptionalLong;

/** {@code sys/resource.h}: limits of a process, by its number. */
public final class SysResource {
    /** RLIM_INFINITY. */
    public static final long INFINITY = -1;

    private static final Libc.Function PRLIMIT = Libc.bind("prlimit64");

    private SysResource() {}

    /**
     * Sets both limits: 0, or -errno.
     *
     * @param pid 0 for ourselves; any other only where its process is pinned (an unreaped child of
     *     ours)
     */
    public static int setLimit(int pid, int resource, long soft, long hard) {
        Scratch scratch = Scratch.take();
        try {
            scratch.bytes.putLong(0, soft);
            scratch.bytes.putLong(8, hard);
            return Libc.intCall(PRLIMIT, scratch.errno, pid, resource, scratch.address, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /**
     * The soft limit of a resource of any process, a zombie too; {@link #INFINITY} for none.
     *
     * @param pid whose process it was is to be verified afterwards
     * @return empty if nobody has the number, or we may not ask
     */
    public static OptionalLong softLimitOf(int pid, int resource) {
        Scratch scratch = Scratch.take();
        try {
            int r = Libc.intCall(PRLIMIT, scratch.errno, pid, resource, 0, scratch.address, 0, 0);
            return r < 0 ? OptionalLong.empty() : OptionalLong.of(scratch.bytes.getLong(0));
        } finally {
            scratch.release();
        }
    }

    /** The soft and the hard limit of a resource of ours. */
    public static long[] limit(int resource) {
        Scratch scratch = Scratch.take();
        try {
            int r = Libc.intCall(PRLIMIT, scratch.errno, 0, resource, 0, scratch.address, 0, 0);
            ErrnoException.check(r, "prlimit", resource);
            return new long[] {scratch.bytes.getLong(0), scratch.bytes.getLong(8)};
        } finally {
            scratch.release();
        }
    }
}
