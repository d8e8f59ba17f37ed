package io.holdfast.core.terminal;

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
 * A pseudo-terminal (pty(7)), of which this has the side of the person: what is written here the
 * programs on the terminal read as typed, and what they write is read here.
 *
 * <pre>{@code
 * try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(24, 80))) {
 *     Child child = terminal.start(Spawn.of("top"));
 *     terminal.resize(new TerminalSize(50, 132)); // top gets SIGWINCH
 *     …
 * } // and SIGHUP
 * }</pre>
 *
 * <p>A started child leads a session whose controlling terminal this is, and has it as its three
 * standard streams. {@link #input} is at its end once no process has the terminal open any more.
 * What is typed is echoed, a line at a time is read, and Ctrl-C ({@code \3}) sends SIGINT, until a
 * program on the terminal wants it otherwise.
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
     * Makes one whose size is not known.
     *
     * @return the terminal, owned by the caller
     * @throws ErrnoException ENOSPC or EIO if there are too many, EMFILE, ENOENT without {@code
     *     /dev/ptmx}
     */
    public static PseudoTerminal open() {
        // non-blocking: this open file is ours alone, and has no other way not to wait
        Fd master = Fcntl.open("/dev/ptmx", OPEN | Fcntl.O_NONBLOCK);
        try {
            return new PseudoTerminal(master);
        } catch (RuntimeException e) {
            master.close();
            throw e;
        }
    }

    /**
     * Makes one of a size.
     *
     * @param size the size
     * @return the terminal, owned by the caller
     */
    public static PseudoTerminal open(TerminalSize size) {
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
     * Starts a program on the terminal, as the leader of a new session; another one can follow when
     * it has ended.
     *
     * @param spawn its streams, session and terminal do not count; it is not changed
     * @return the child, owned by the caller
     * @throws ErrnoException as {@link Spawn#start} says; EPERM if another session has the terminal
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
     * Opens the side of the programs, for a program that is started in another way.
     *
     * @return the caller's; as long as it is open {@link #input} has no end
     * @throws ErrnoException EMFILE, EIO
     */
    public Fd openOther() {
        return Fd.adopt(SysIoctl.peer(master, OPEN | Fcntl.O_CLOEXEC), "ioctl(TIOCGPTPEER)", this);
    }

    /** {@return the stream of what the programs write to the terminal, and of the echo; lent} */
    public FdInputStream input() {
        return input;
    }

    /**
     * {@return the stream to the terminal, as if its text was typed, buffered: {@code flush} sends
     * it; lent}
     */
    public FdOutputStream output() {
        return output;
    }

    /** {@return the size that programs on it are told} */
    public TerminalSize size() {
        int size = SysIoctl.windowSize(master);
        int told = ErrnoException.check(size, "ioctl(TIOCGWINSZ)", this);
        return new TerminalSize(told >>> 16, told & 0xFFFF);
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

    /** The path of the side of the programs. */
    @Override
    public String toString() {
        return "/dev/pts/" + number;
    }
}
