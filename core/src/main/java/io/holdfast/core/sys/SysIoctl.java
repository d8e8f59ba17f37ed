package io.holdfast.core.sys;

import io.holdfast.core.Fd;

/** {@code sys/ioctl.h}: readable bytes of a file, and pseudo-terminals (ioctl_tty(2)). */
public final class SysIoctl {
    private static final int FIONREAD = 0x541B;
    private static final int TIOCGWINSZ = 0x5413;
    private static final int TIOCSWINSZ = 0x5414;
    private static final int TIOCVHANGUP = 0x5437;
    private static final int VT_DISALLOCATE = 0x5608;
    private static final int TIOCGPTN = 0x80045430;
    private static final int TIOCSPTLCK = 0x40045431;
    private static final int TIOCGPTPEER = 0x5441;
    private static final int NS_GET_NSTYPE = 0xb703; // linux/nsfs.h

    // struct winsize
    private static final int WS_ROW = 0;
    private static final int WS_COL = 2;
    private static final int WS_PIXELS = 4;

    private static final Libc.Function IOCTL = Libc.bind("ioctl");

    private SysIoctl() {}

    /**
     * FIONREAD: how many bytes can be read without waiting, or -errno: ENOTTY if the kind of file
     * does not report it.
     */
    public static int readable(Fd fd) {
        return number(fd, FIONREAD);
    }

    /** TIOCGPTN: the number of a pseudo-terminal, or -errno: ENOTTY if the file is not a master. */
    public static int number(Fd master) {
        return number(master, TIOCGPTN);
    }

    /**
     * NS_GET_NSTYPE (ioctl_ns(2)): the constant of clone(2) for the kind of a namespace, or -errno:
     * ENOTTY if the file is not a namespace.
     */
    public static int namespaceType(Fd fd) {
        int number = fd.acquire();
        try {
            return Libc.intCall(IOCTL, number, NS_GET_NSTYPE, 0, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    private static int number(Fd fd, int request) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            scratch.bytes.putInt(0, 0);
            int r = ioctl(scratch, number, request);
            return r < 0 ? r : scratch.bytes.getInt(0);
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /** TIOCSPTLCK: unlocks the slave side of a pseudo-terminal for an open. 0, or -errno. */
    public static int unlock(Fd master) {
        Scratch scratch = Scratch.take();
        int number = master.acquire();
        try {
            scratch.bytes.putInt(0, 0);
            return ioctl(scratch, number, TIOCSPTLCK);
        } finally {
            master.release();
            scratch.release();
        }
    }

    /**
     * TIOCGPTPEER (Linux 4.13): opens the slave side of a pseudo-terminal, whatever is mounted at
     * {@code /dev/pts}. Returns a number that the caller must adopt at once, or -errno.
     *
     * @param flags the flags of open(2)
     */
    public static int peer(Fd master, int flags) {
        int number = master.acquire();
        try {
            return Libc.intCall(IOCTL, number, TIOCGPTPEER, flags, 0, 0, 0);
        } finally {
            master.release();
        }
    }

    /**
     * TIOCGWINSZ: the size of a terminal, rows in the high half and columns in the low one, or
     * -errno.
     */
    public static int windowSize(Fd terminal) {
        Scratch scratch = Scratch.take();
        int number = terminal.acquire();
        try {
            int r = ioctl(scratch, number, TIOCGWINSZ);
            int rows = scratch.bytes.getShort(WS_ROW) & 0x7FFF;
            return r < 0 ? r : rows << 16 | (scratch.bytes.getShort(WS_COL) & 0xFFFF);
        } finally {
            terminal.release();
            scratch.release();
        }
    }

    /** TIOCSWINSZ: sets the size; the foreground process group gets SIGWINCH. 0, or -errno. */
    public static int setWindowSize(Fd terminal, int rows, int columns) {
        Scratch scratch = Scratch.take();
        int number = terminal.acquire();
        try {
            scratch.bytes.putShort(WS_ROW, (short) rows);
            scratch.bytes.putShort(WS_COL, (short) columns);
            scratch.bytes.putInt(WS_PIXELS, 0);
            return ioctl(scratch, number, TIOCSWINSZ);
        } finally {
            terminal.release();
            scratch.release();
        }
    }

    /** TIOCVHANGUP: takes the terminal from all processes that have it open. 0, or -errno. */
    public static int hangUp(Fd terminal) {
        return command(terminal, TIOCVHANGUP, 0);
    }

    /** VT_DISALLOCATE: releases a virtual console, unless it is in use. 0, or -errno. */
    public static int releaseConsole(Fd anyConsole, int number) {
        return command(anyConsole, VT_DISALLOCATE, number);
    }

    private static int command(Fd fd, int request, int argument) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            return Libc.intCall(IOCTL, scratch.errno, number, request, argument, 0, 0, 0);
        } finally {
            fd.release();
            scratch.release();
        }
    }

    private static int ioctl(Scratch scratch, int number, int request) {
        long word = Integer.toUnsignedLong(request);
        return Libc.intCall(IOCTL, scratch.errno, number, word, scratch.address, 0, 0, 0);
    }
}
