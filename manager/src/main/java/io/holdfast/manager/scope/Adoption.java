package io.holdfast.manager.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Optional;

/**
 * Moves processes of others into the cgroup of a scope. Blocking.
 *
 * <p>The kernel takes a number there, and not a descriptor. A process that is reaped between the
 * look at its descriptor and the write may have left its number to another one, which then is in a
 * cgroup where it does not belong: {@link Cgroup#attach} notices that, and the other process is put
 * back to where its parent is. A process that was born in that moment is where its parent is,
 * unless it was moved since.
 */
final class Adoption {
    private Adoption() {}

    /**
     * Moves the processes.
     *
     * @return how many of them are there: those that have been reaped are not
     * @throws ErrnoException EACCES or EPERM if a process may not be moved there, and others
     */
    static int adopt(Cgroup cgroup, List<PidFd> processes) {
        int adopted = 0;
        for (PidFd process : processes) {
            if (adopt(cgroup, process)) {
                adopted++;
            }
        }
        return adopted;
    }

    private static boolean adopt(Cgroup cgroup, PidFd process) {
        int number;
        try {
            number = process.pid();
        } catch (ErrnoException e) {
            return isGone(e);
        }
        try {
            cgroup.attach(process);
            return true;
        } catch (ErrnoException e) {
            boolean gone = isGone(e);
            putBack(cgroup, number);
            return gone;
        }
    }

    /**
     * @return false
     */
    private static boolean isGone(ErrnoException e) {
        if (e.errno() != Errno.ESRCH) {
            throw e;
        }
        return false;
    }

    /** Whoever has that number by now, if it was moved in place of the process that had it. */
    private static void putBack(Cgroup cgroup, int number) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return;
        }
        try (PidFd stranger = found.get()) {
            Optional<PidFd> parent =
                    cgroup.contains(stranger) ? stranger.parent() : Optional.empty();
            if (parent.isPresent()) {
                try (PidFd known = parent.get();
                        Cgroup before = known.cgroup()) {
                    before.attach(stranger);
                }
            }
        } catch (ErrnoException e) {
            isGone(e);
        }
    }
}
