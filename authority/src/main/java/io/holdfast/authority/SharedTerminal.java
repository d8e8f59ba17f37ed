package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import io.holdfast.core.process.ProcessInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Whether what one process was authorized for serves another: if they are the same, or if both are
 * children of one process that lives, of the same user, in one cgroup with it, and on one pseudo
 * terminal that is older than they are (polkit 127: commands that are typed into one shell). What
 * starts within some hundredths of a second after its terminal counts as older, see {@link
 * Proc#startTime}.
 */
final class SharedTerminal {
    private static final int UNIX98_PTY_SLAVE_MAJOR = 136; // linux/major.h
    private static final int FILE_CLOCK_MILLIS = 10; // the kernel's longest tick, told by files

    private SharedTerminal() {}

    /** Why it does not serve; empty if it does. */
    static Optional<String> unfit(Subject.UnixProcess granted, Subject.UnixProcess asking) {
        if (granted.pidFd().equals(asking.pidFd())) {
            return Optional.empty();
        }
        if (!granted.origin().isSafe() || !asking.origin().isSafe()) {
            return Optional.of("of another process");
        }
        try {
            return granted.uid() == asking.uid()
                    ? unfit(granted.pidFd(), asking.pidFd())
                    : Optional.of("of another user");
        } catch (ErrnoException e) {
            return Optional.of("of another process, and " + e.getMessage());
        } catch (IllegalStateException e) { // it is revoked at this moment
            return Optional.of("of another process, which has just gone");
        }
    }

    private static Optional<String> unfit(PidFd granted, PidFd asking) {
        Optional<PidFd> parent = granted.parent();
        try {
            Optional<PidFd> other = asking.parent();
            try {
                return parent.isEmpty() || !parent.equals(other)
                        ? Optional.of("of another process, and not of one parent with it")
                        : unfit(parent.get(), granted, asking);
            } finally {
                other.ifPresent(PidFd::close);
            }
        } finally {
            parent.ifPresent(PidFd::close);
        }
    }

    private static Optional<String> unfit(PidFd parent, PidFd granted, PidFd asking) {
        ProcessInfo above = parent.info();
        if (above.pid().orElse(1) <= 1) {
            return Optional.of("of another process, whose shell has gone");
        }
        if (above.cgroupId().isEmpty()
                || !above.cgroupId().equals(granted.info().cgroupId())
                || !above.cgroupId().equals(asking.info().cgroupId())) {
            return Optional.of("of another process, not in one cgroup with it");
        }
        OptionalInt terminal = parent.proc().terminal();
        if (terminal.isEmpty()
                || !terminal.equals(granted.proc().terminal())
                || !terminal.equals(asking.proc().terminal())) {
            return Optional.of("of another process, not on one terminal with it");
        }
        Optional<Instant> made = creation(terminal.getAsInt());
        if (made.isEmpty()
                || granted.proc().startTime().isBefore(made.get())
                || asking.proc().startTime().isBefore(made.get())) {
            return Optional.of("of another process, which the terminal is younger than");
        }
        return parent.isAlive()
                ? Optional.empty()
                : Optional.of("of another process, whose shell has gone");
    }

    /**
     * When a pseudo terminal was made, at the latest; its number may have been another's before.
     */
    private static Optional<Instant> creation(int device) {
        int major = (device >>> 8) & 0xfff;
        int minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
        if (major != UNIX98_PTY_SLAVE_MAJOR) {
            return Optional.empty();
        }
        Path path = Path.of("/dev/pts", Integer.toString(minor));
        try {
            Object changed = Files.getAttribute(path, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
            return changed instanceof FileTime time
                    ? Optional.of(time.toInstant().plusMillis(FILE_CLOCK_MILLIS))
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }
}
