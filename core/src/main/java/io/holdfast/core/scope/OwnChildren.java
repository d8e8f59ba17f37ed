package io.holdfast.core.scope;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** The children of a process, held, and those of this JVM that nobody else waits for. */
final class OwnChildren {
    private OwnChildren() {}

    /**
     * Those children of a process that are verified to be: a number that is opened may be anybody's
     * by then, so its parent is asked for afterwards; as long as the parent is not reaped, its own
     * number is nobody else's.
     *
     * @return for the caller to close; empty if the parent has ended
     */
    static List<PidFd> of(PidFd parent) {
        List<PidFd> children = new ArrayList<>();
        try {
            int number = parent.pid();
            for (int each : parent.proc().children()) {
                Optional<PidFd> found = PidFd.find(each);
                if (found.isPresent()) {
                    children.add(found.get());
                }
            }
            children.removeIf(child -> !hasParent(child, number) && isClosed(child));
            if (parent.state() == PidFd.State.REAPED) {
                throw new ErrnoException("children", parent.toString(), Errno.ESRCH);
            }
            return children;
        } catch (RuntimeException e) {
            children.forEach(PidFd::close);
            if (e instanceof ErrnoException errno && errno.errno() == Errno.ESRCH) {
                return List.of();
            }
            throw e;
        }
    }

    private static boolean hasParent(PidFd child, int number) {
        OptionalInt parent = child.info().ppid();
        return parent.isPresent() && parent.getAsInt() == number;
    }

    private static boolean isClosed(PidFd child) {
        child.close();
        return true;
    }

    /** Reaps the zombies among our children that nobody else waits for and that are meant. */
    static void reap(Predicate<PidFd> meant) {
        try (PidFd self = PidFd.self()) {
            for (PidFd child : of(self)) {
                try (child) {
                    if (child.state() == PidFd.State.EXITED && meant.test(child)) {
                        boolean _ = reap(child);
                    }
                }
            }
        }
    }

    /**
     * Reaps a process that has exited.
     *
     * @return false if it is a zombie of another parent still
     */
    static boolean reap(PidFd exited) {
        if (Child.isStarted(exited)) {
            return true; // the poller reaps it
        }
        try {
            return exited.reap().isPresent();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ECHILD) {
                return exited.state() == PidFd.State.REAPED;
            }
            throw e;
        }
    }
}
