package io.holdfast.core.sys;

import io.holdfast.core.Fd;

/** {@code sys/file.h}: locks. */
public final class SysFile {
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;

    private static final Libc.Function FLOCK = Libc.bind("flock");

    private SysFile() {}

    /**
     * {@code flock(2)}: locks a file or directory exclusively for this open file description, until
     * that is closed. 0, or -errno: EAGAIN if another description, even of this process, has a
     * lock.
     */
    public static int tryLock(Fd fd) {
        int number = fd.acquire();
        try {
            return Libc.intCall(FLOCK, number, LOCK_EX | LOCK_NB, 0, 0, 0, 0);
        } finally {
            fd.release();
        }
    }
}
