package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * {@code termios.h}: how a terminal treats what is typed, as it was when asked (termios(3)).
 * Immutable.
 */
public final class Termios {
    // struct termios, asm-generic/termbits.h as glibc has it: the same on x86_64 and aarch64
    private static final int SIZE = 60;
    private static final int LFLAG = 12;
    private static final int ISIG = 0x1;
    private static final int ICANON = 0x2;
    private static final int ECHO = 0x8;
    private static final int ECHONL = 0x40;
    private static final int TCSAFLUSH = 2;

    private static final Libc.Function TCGETATTR = Libc.bind("tcgetattr");
    private static final Libc.Function TCSETATTR = Libc.bind("tcsetattr");

    private final byte[] struct;

    private Termios(byte[] struct) {
        this.struct = struct;
    }

    /**
     * Asks a terminal.
     *
     * @throws ErrnoException ENOTTY if it is none, EIO if it has been hung up
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
            scratch.give();
        }
    }

    /** Whether it shows what is typed. */
    public boolean echoes() {
        return (flags() & ECHO) != 0;
    }

    /**
     * The same for a secret: nothing that is typed is shown, not even the end of the line, and
     * lines and signals are made of it as usual.
     */
    public Termios withoutEcho() {
        byte[] changed = struct.clone();
        view(changed).putInt(LFLAG, (flags() & ~(ECHO | ECHONL)) | ICANON | ISIG);
        return new Termios(changed);
    }

    /**
     * Sets a terminal so, once all output is written; what was typed and not read is thrown away,
     * so that nothing typed before a prompt answers it.
     *
     * @return 0, or -errno: EIO, also for a background job that nobody could stop
     */
    public int apply(Fd terminal) {
        Scratch scratch = Scratch.take();
        int number = terminal.acquire();
        try {
            scratch.bytes.put(0, struct);
            int r;
            do {
                r =
                        Libc.intCall(
                                TCSETATTR,
                                scratch.errno,
                                number,
                                TCSAFLUSH,
                                scratch.address,
                                0,
                                0,
                                0);
            } while (r == -Errno.EINTR);
            return r;
        } finally {
            terminal.release();
            scratch.give();
        }
    }

    private int flags() {
        return view(struct).getInt(LFLAG);
    }

    private static ByteBuffer view(byte[] struct) {
        return ByteBuffer.wrap(struct).order(ByteOrder.nativeOrder());
    }
}
