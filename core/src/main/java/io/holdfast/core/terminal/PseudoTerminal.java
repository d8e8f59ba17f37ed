package io.holdfast.core.terminal;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.FdOutputStream;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysIoctl;

/**
 * The master side of a pseudo-terminal (pty(7)): the programs on the terminal read as typed input
 * what is written here, and their output is read here.
 *
 * <pre>{@code
 * try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(24, 80))) {
 *     Child child = terminal.start(Spawn.of("top"));
 *     terminal.resize(new TerminalSize(50, 132)); // top gets SIGWINCH
 *     …
 * } // and SIGHUP
 * }</pre>
 *
 * <p>A started child leads a session with this controlling terminal, and has the terminal as its
 * three standard streams. {@link #input} is at its end once no process has the terminal open any
 * more. By default the terminal echoes its input, delivers it line by line, and turns Ctrl-C
 * ({@code \3}) into SIGINT; a program on the terminal can change that.
 *
 * <p>{@link #close} hangs the terminal up: the leader of the session gets SIGHUP. Safe for use by
 * any thread.
 */
public final class PseudoTerminal implements AutoCloseable {
    private static final int OPEN = Fcntl.O_RDWR | Fcntl.O_NOCTTY;

    private final Fd master;
    private final FdInputStream input;
    private final FdOutputStream output;
    private final int number;

    private PseudoTerminal(Fd master) {
        this.master = master;
        this.number = ErrnoException.check(SysIoctl.number(master), "ioctl(TIOCGPTN)", master);
        int unlocked = SysIoctl.unlock(master);
        int ignored = ErrnoException.check(unlocked, "ioctl(TIOCSPTLCK)", master);
        this.input = FdInputStream.borrowing(master);
        this.output = FdOutputStream.borrowing(master);
    }

    /**
     * Makes a terminal of unknown size.
     *
     * @return the terminal, owned by the caller
     * @throws ErrnoException ENOSPC or EIO if there are too many, EMFILE, ENOENT without {@code
     *     /dev/ptmx}
     */
    @MustBeClosed
    public static PseudoTerminal open() {
        // O_NONBLOCK: no other process shares this open file description, and the master side has
        // no other way to avoid waits
        Fd master = Fcntl.open("/dev/ptmx", OPEN | Fcntl.O_NONBLOCK);
        try {
            return new PseudoTerminal(master);
        } catch (RuntimeException e) {
            master.close();
            throw e;
        }
    }

    /**
     * Makes a terminal of a size.
     *
     * @param size the size
     * @return the terminal, owned by the caller
     */
    @MustBeClosed
    public static PseudoTerminal open(TerminalSize size) {
        @SuppressWarnings("MustBeClosed") // returned
        PseudoTerminal terminal = open();
        try {
            terminal.resize(size);
            return terminal;
        } catch (RuntimeException e) {
            terminal.close();
            throw e;
        }
    }

    /**
     * Starts a program on the terminal, as the leader of a new session. Another program can be
     * started after it has exited.
     *
     * @param spawn the program; its streams, session and terminal are ignored, and it is not
     *     changed
     * @return the child, owned by the caller
     * @throws ErrnoException as {@link Spawn#start}; EPERM if another session has the terminal
     */
    public Child start(Spawn spawn) {
        try (Fd side = openOther()) {
            Stdio stdio = Stdio.descriptor(side);
            return spawn.copy()
                    .newSession()
                    .terminal(side)
                    .stdin(stdio)
                    .stdout(stdio)
                    .stderr(stdio)
                    .start();
        }
    }

    /**
     * Opens the slave side, for a program that is started in another way.
     *
     * @return the descriptor, owned by the caller; while it is open {@link #input} has no end
     * @throws ErrnoException EMFILE, EIO
     */
    public Fd openOther() {
        return Fd.adopt(SysIoctl.peer(master, OPEN | Fcntl.O_CLOEXEC), "ioctl(TIOCGPTPEER)", this);
    }

    /** {@return the stream of the programs' output and of the echo; lent} */
    public FdInputStream input() {
        return input;
    }

    /**
     * {@return the stream of input to the terminal, as if typed; buffered: {@code flush} sends it;
     * lent}
     */
    public FdOutputStream output() {
        return output;
    }

    /** {@return the size that programs on the terminal see} */
    public TerminalSize size() {
        int result = SysIoctl.windowSize(master);
        int size = ErrnoException.check(result, "ioctl(TIOCGWINSZ)", this);
        return new TerminalSize(size >>> 16, size & 0xFFFF);
    }

    /**
     * Sets the size. If it changes, the process group in the foreground gets SIGWINCH.
     *
     * @param size the size
     */
    public void resize(TerminalSize size) {
        int set = SysIoctl.setWindowSize(master, size.rows(), size.columns());
        int ignored = ErrnoException.check(set, "ioctl(TIOCSWINSZ)", this);
    }

    /** Hangs the terminal up. Idempotent. */
    @Override
    public void close() {
        output.closeNow();
        input.close();
        master.close();
    }

    /** Returns the path of the slave side. */
    @Override
    public String toString() {
        return "/dev/pts/" + number;
    }
}
