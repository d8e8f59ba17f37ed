package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code termios.h}: a snapshot of the settings of a terminal (termios(3)). Immutable. */
public final class Termios {
    // struct termios, asm-generic/termbits.h as glibc has it: the same on x86_64 and aarch64
    private static final int SIZE = 60;
    private static final int IFLAG = 0;
    private static final int OFLAG = 4;
    private static final int CFLAG = 8;
    private static final int LFLAG = 12;
    private static final int CONTROL_AT = 17; // c_cc
    private static final int IFLAG_OFF = 0x2E3; // IGNBRK BRKINT ISTRIP INLCR IGNCR IUCLC
    private static final int IFLAG_ON = 0x6100; // ICRNL IMAXBEL IUTF8
    private static final int OFLAG_ON = 0x5; // OPOST ONLCR
    private static final int CREAD = 0x80;
    private static final int LFLAG_SANE =
            0x8A3B; // ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN

    /** In the order of the kernel: VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, … */
    private static final byte[] CONTROL = {
        3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0
    };

    private static final int ISIG = 0x1;
    private static final int ICANON = 0x2;
    private static final int ECHO = 0x8;
    private static final int ECHONL = 0x40;
    private static final int TCSANOW = 0;
    private static final int TCSAFLUSH = 2;

    private static final Libc.Function TCGETATTR = Libc.bind("tcgetattr");
    private static final Libc.Function TCSETATTR = Libc.bind("tcsetattr");

    private final byte[] struct;

    private Termios(byte[] struct) {
        this.struct = struct;
    }

    /**
     * Reads the settings of a terminal.
     *
     * @throws ErrnoException ENOTTY if the file is not a terminal, EIO if it has been hung up
     */
    public static Termios of(Fd terminal) {
        Scratch scratch = Scratch.take();
        int number = terminal.acquire();
        try {
            int r = Libc.intCall(TCGETATTR, scratch.errno, number, scratch.address, 0, 0, 0, 0);
            int ignored = ErrnoException.check(r, "tcgetattr", terminal);
            byte[] struct = new byte[SIZE];
            scratch.bytes.get(0, struct);
            return new Termios(struct);
        } finally {
            terminal.release();
            scratch.release();
        }
    }

    /** Whether the terminal echoes its input. */
    public boolean echoes() {
        return (flags() & ECHO) != 0;
    }

    /**
     * Returns the settings for typing a secret: no echo, not even of the end of the line, but with
     * line mode (ICANON) and signals (ISIG).
     */
    public Termios withoutEcho() {
        byte[] changed = struct.clone();
        view(changed).putInt(LFLAG, (flags() & ~(ECHO | ECHONL)) | ICANON | ISIG);
        return new Termios(changed);
    }

    /**
     * Returns the settings with which a terminal is usually handed to a user, as {@code stty sane}
     * makes them: line mode, echo, signals and the usual control characters. The speed stays.
     */
    public Termios sane() {
        byte[] changed = struct.clone();
        ByteBuffer view = view(changed);
        view.putInt(IFLAG, (view.getInt(IFLAG) & ~IFLAG_OFF) | IFLAG_ON);
        view.putInt(OFLAG, view.getInt(OFLAG) | OFLAG_ON);
        view.putInt(CFLAG, view.getInt(CFLAG) | CREAD);
        view.putInt(LFLAG, LFLAG_SANE);
        System.arraycopy(CONTROL, 0, changed, CONTROL_AT, CONTROL.length);
        return new Termios(changed);
    }

    /**
     * Applies the settings to a terminal, once all output is written: blocks while it is stopped.
     * Discards unread input, so that text typed before a prompt does not answer it.
     *
     * @return 0, or -errno: EIO, also in an orphaned background process group
     */
    public int apply(Fd terminal) {
        return apply(terminal, TCSAFLUSH);
    }

    /**
     * Applies the settings to a terminal at once, whether or not its output can be written.
     *
     * @return as {@link #apply}
     */
    public int applyNow(Fd terminal) {
        return apply(terminal, TCSANOW);
    }

    private int apply(Fd terminal, int when) {
        Scratch scratch = Scratch.take();
        int number = terminal.acquire();
        try {
            scratch.bytes.put(0, struct);
            int r;
            do {
                r = Libc.intCall(TCSETATTR, scratch.errno, number, when, scratch.address, 0, 0, 0);
            } while (r == -Errno.EINTR);
            return r;
        } finally {
            terminal.release();
            scratch.release();
        }
    }

    private int flags() {
        return view(struct).getInt(LFLAG);
    }

    private static ByteBuffer view(byte[] struct) {
        return ByteBuffer.wrap(struct).order(ByteOrder.nativeOrder());
    }
}
