package io.holdfast.core.sys;

import io.holdfast.core.Fd;

/** {@code sys/ioctl.h}: what a stream holds. */
public final class SysIoctl {
    private static final int FIONREAD = 0x541B;

    private static final Libc.Function IOCTL = Libc.bind("ioctl");

    private SysIoctl() {}

    /**
     * FIONREAD: how many bytes can be read without waiting, or -errno: ENOTTY if the kind of file
     * does not tell.
     */
    public static int readable(Fd fd) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            scratch.bytes.putInt(0, 0);
            int r = Libc.intCall(IOCTL, scratch.errno, number, FIONREAD, scratch.address, 0, 0, 0);
            return r < 0 ? r : scratch.bytes.getInt(0);
        } finally {
            fd.release();
            scratch.give();
        }
    }
}
