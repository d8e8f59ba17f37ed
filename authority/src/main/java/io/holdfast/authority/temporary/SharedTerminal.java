package io.holdfast.authority.temporary;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import io.holdfast.core.process.ProcessInfo;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Decides whether a temporary authorization of one process applies to another: if they are the same
 * process, or if both are children of one living process, of the same user, and all three are in
 * one cgroup and on the pseudo terminal of one session (polkit 127: commands typed into one shell).
 *
 * <p>Polkit compares the start times of the processes with the change time of the terminal's file,
 * so that a reused terminal number is not taken for the former terminal. One is a time since boot
 * and the other is wall-clock time: when the clock is set, the comparison is wrong. A common
 * session proves the same without a clock, see {@link Proc#sharesTerminal}.
 */
final class SharedTerminal {
    private static final int UNIX98_PTY_SLAVE_MAJOR = 136; // linux/major.h

    private SharedTerminal() {}

    /** Returns why the authorization does not apply; empty if it does. */
    static Optional<String> mismatch(Subject.UnixProcess granted, Subject.UnixProcess asking) {
        if (granted.pidFd().equals(asking.pidFd())) {
            return Optional.empty();
        }
        if (!granted.origin().isSafe() || !asking.origin().isSafe()) {
            return Optional.of("of another process");
        }
        try {
            return granted.uid() == asking.uid()
                    ? mismatch(granted.pidFd(), asking.pidFd())
                    : Optional.of("of another user");
        } catch (ErrnoException e) {
            return Optional.of("of another process, and " + e.getMessage());
        } catch (IllegalStateException e) { // the authorization was revoked just now
            return Optional.of("of another process, which has just gone");
        }
    }

    private static Optional<String> mismatch(PidFd granted, PidFd asking) {
        Optional<PidFd> parent = granted.parent();
        try {
            Optional<PidFd> other = asking.parent();
            try {
                return parent.isEmpty() || !parent.equals(other)
                        ? Optional.of("of another process, and not of one parent with it")
                        : mismatch(parent.get(), granted, asking);
            } finally {
                other.ifPresent(PidFd::close);
            }
        } finally {
            parent.ifPresent(PidFd::close);
        }
    }

    private static Optional<String> mismatch(PidFd parent, PidFd granted, PidFd asking) {
        ProcessInfo above = parent.info();
        if (above.pid().orElse(1) <= 1) {
            return Optional.of("of another process, whose shell has gone");
        }
        if (above.cgroupId().isEmpty()
                || !above.cgroupId().equals(granted.info().cgroupId())
                || !above.cgroupId().equals(asking.info().cgroupId())) {
            return Optional.of("of another process, not in one cgroup with it");
        }
        Proc shell = parent.proc();
        if (!isPseudoTerminal(shell.terminal())
                || !shell.sharesTerminal(granted)
                || !shell.sharesTerminal(asking)) {
            return Optional.of("of another process, not on one terminal with it");
        }
        return parent.isAlive()
                ? Optional.empty()
                : Optional.of("of another process, whose shell has gone");
    }

    private static boolean isPseudoTerminal(OptionalInt device) {
        return device.isPresent() && ((device.getAsInt() >>> 8) & 0xfff) == UNIX98_PTY_SLAVE_MAJOR;
    }
}
