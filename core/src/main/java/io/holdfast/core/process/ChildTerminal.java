package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import org.jspecify.annotations.Nullable;

/**
 * The terminal that a child is given, and the checks of it. The kernel reports no error when a
 * terminal that a session leader opens does not become its controlling terminal: so that is checked
 * while the child is held.
 */
final class ChildTerminal {
    /** The controlling terminal of the caller's session; a new session has none. */
    private static final String ANY = "/dev/tty";

    private final Fd fd;
    private final boolean controlling;

    private ChildTerminal(Fd fd, boolean controlling) {
        this.fd = fd;
        this.controlling = controlling;
    }

    /**
     * Returns the terminal of a spawn, or null if it has none.
     *
     * @throws IllegalStateException if the spawn has neither a new session nor a new process group
     */
    static @Nullable ChildTerminal of(Spawn spawn) {
        Fd fd = spawn.terminal;
        if (fd == null) {
            return null;
        }
        if (!spawn.session && spawn.group.isEmpty()) {
            throw new IllegalStateException(
                    "a terminal is for a new session or a new process group, and "
                            + spawn
                            + " is to have neither");
        }
        return new ChildTerminal(fd, spawn.session);
    }

    /** Returns whether it is to become the controlling terminal of a new session. */
    boolean isControlling() {
        return controlling;
    }

    /**
     * Checks, before the spawn, that it is a terminal.
     *
     * @throws ErrnoException ENOTTY, EIO, ENXIO
     */
    void requireTerminal() {
        try {
            Termios _ = Termios.of(fd);
        } catch (ErrnoException e) {
            throw refusal(e.call(), e.errno(), null);
        }
        if (controlling && name().equals(ANY)) {
            throw refusal("open", Errno.ENXIO, "a new session has none: open the terminal itself");
        }
    }

    /**
     * Checks, while the child is held, that it became the controlling terminal. A child that was
     * killed meanwhile passes: its start fails otherwise.
     *
     * @throws ErrnoException EPERM
     */
    void requireControlling(PidFd child) {
        if (controlling && !isTerminalOf(child) && child.isAlive()) {
            throw refusal(
                    "open",
                    Errno.EPERM,
                    "it did not become the controlling terminal: it is another session's, or never"
                            + " is one");
        }
    }

    private static boolean isTerminalOf(PidFd child) {
        try {
            return child.proc().terminal().isPresent();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return false;
            }
            throw e;
        }
    }

    /** Returns why a spawn has failed, if the terminal is the reason; otherwise null. */
    @Nullable ErrnoException failure(int errno) {
        if (!controlling) {
            return errno == Errno.ENOTTY
                    ? refusal("tcsetpgrp", errno, "it is not the terminal of our session")
                    : null;
        }
        // the child has our permissions, and executes its program only after it has opened this, so
        // our own open shows the error; O_NONBLOCK, lest a line without carrier block us
        int flags = Fcntl.O_RDWR | Fcntl.O_NOCTTY | Fcntl.O_NONBLOCK;
        try (Fd _ = fd.with(n -> Fcntl.open("/proc/self/fd/" + n, flags))) {
            return null;
        } catch (ErrnoException e) {
            return e.errno() == errno ? refusal("open", errno, null) : null;
        }
    }

    private ErrnoException refusal(String call, int errno, @Nullable String advice) {
        return new ErrnoException(call, name(), errno, advice);
    }

    private String name() {
        try {
            return fd.with(n -> Unistd.readlinkat(null, "/proc/self/fd/" + n));
        } catch (ErrnoException e) {
            return fd.toString();
        }
    }
}
