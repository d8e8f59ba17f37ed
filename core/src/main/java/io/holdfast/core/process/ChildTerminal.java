package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import org.jspecify.annotations.Nullable;

/**
 * The terminal that a child is given, and what can be wrong with it. The kernel says nothing when a
 * terminal that a session leader opens does not become its controlling one: so that is looked up
 * while the child is held.
 */
final class ChildTerminal {
    /** Whatever terminal a session has; a new one has none. */
    private static final String ANY = "/dev/tty";

    private final Fd fd;
    private final boolean controlling;

    private ChildTerminal(Fd fd, boolean controlling) {
        this.fd = fd;
        this.controlling = controlling;
    }

    /**
     * That of a spawn, or null if it has none.
     *
     * @throws IllegalStateException if there is nothing that it is given for
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

    /** Whether it is to be the controlling one of a session. */
    boolean isControlling() {
        return controlling;
    }

    /**
     * Before the spawn.
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
     * While the child is held. One that was killed meanwhile has ended otherwise.
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

    /** Why a spawn has failed, if it is because of the terminal; else null. */
    @Nullable ErrnoException failure(int errno) {
        if (!controlling) {
            return errno == Errno.ENOTTY
                    ? refusal("tcsetpgrp", errno, "it is not the terminal of our session")
                    : null;
        }
        // the child has our rights, and comes to its program only when it has opened this; a line
        // without carrier would have us wait for one
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
