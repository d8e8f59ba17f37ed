package io.holdfast.manager.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Foreign processes that were moved into the cgroup of a unit, and can be moved back to their
 * former cgroups until the adoption is {@linkplain #keep kept}. Blocking.
 *
 * <p>To move a process, the kernel takes its PID, not a descriptor. If the process is reaped
 * between the look at its descriptor and the write, its PID may belong to another process, which is
 * then moved to a cgroup where it does not belong: {@link Cgroup#attach} notices that, and the
 * other process is moved back to the cgroup of its parent. A process that was only just created
 * belongs there, unless it was moved since.
 */
public final class Adoption {
    private final Cgroup cgroup;
    private final List<Moved> moved = new ArrayList<>();

    /** Both are owned. */
    private record Moved(PidFd process, Cgroup before) {
        static Moved of(PidFd process) {
            Cgroup before = process.cgroup();
            try {
                return new Moved(process.duplicate(), before);
            } catch (RuntimeException e) {
                before.close();
                throw e;
            }
        }

        void back() {
            try {
                before.attach(process);
            } catch (ErrnoException e) {
                // it has ended, or its old cgroup is gone: it stays, and no other scope gets this
                // cgroup
            }
        }

        void close() {
            process.close();
            before.close();
        }
    }

    private Adoption(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    /**
     * Makes the cgroup of a scope by the supplier, and moves the processes there: all that have not
     * been reaped, or none.
     *
     * @param processes closed by this method
     * @throws ErrnoException EACCES or EPERM if a process may not be moved there, EBUSY if an
     *     earlier scope of the name has left processes, and others
     * @throws IllegalStateException if all have been reaped
     */
    public static Adoption of(Supplier<Cgroup> scope, List<PidFd> processes) {
        try {
            Adoption adoption = new Adoption(scope.get());
            try {
                adoption.requireUnused();
                processes.forEach(adoption::move);
                if (adoption.moved.isEmpty()) {
                    throw new IllegalStateException("all of them have ended");
                }
                return adoption;
            } catch (RuntimeException e) {
                adoption.undo();
                throw e;
            }
        } finally {
            processes.forEach(PidFd::close);
        }
    }

    /**
     * Moves processes into the cgroup of a unit for good: all that have not been reaped, or none. A
     * process that is in the cgroup already stays where it is.
     *
     * @param cgroup lent
     * @param processes lent
     * @throws ErrnoException EACCES, EPERM or EBUSY (controllers are enabled for its children) if a
     *     process may not be moved there, ESRCH if all have been reaped
     */
    public static void into(Cgroup cgroup, List<PidFd> processes) {
        Adoption adoption = new Adoption(cgroup);
        try {
            List<PidFd> outside =
                    processes.stream().filter(process -> !cgroup.contains(process)).toList();
            outside.forEach(adoption::move);
            if (adoption.moved.isEmpty() && !outside.isEmpty()) {
                throw new ErrnoException(
                        "cgroup", cgroup.path().path(), Errno.ESRCH, "all processes have ended");
            }
        } catch (RuntimeException e) {
            adoption.moved.forEach(Moved::back);
            throw e;
        } finally {
            adoption.moved.forEach(Moved::close);
        }
    }

    private void requireUnused() {
        if (cgroup.isPopulated()) {
            throw new ErrnoException(
                    "cgroup",
                    cgroup.path().path(),
                    Errno.EBUSY,
                    "an earlier scope of this name has left processes in it");
        }
    }

    private void move(PidFd process) {
        int number;
        Moved entry;
        try {
            number = process.pid();
            entry = Moved.of(process);
        } catch (ErrnoException e) {
            requireGone(e);
            return;
        }
        moved.add(entry);
        try {
            cgroup.attach(process);
        } catch (ErrnoException e) {
            moved.remove(entry);
            entry.close();
            requireGone(e);
            putBack(number);
        }
    }

    private static void requireGone(ErrnoException e) {
        if (e.errno() != Errno.ESRCH) {
            throw e;
        }
    }

    /** Moves back the process that has this PID now, if it was moved in place of the former one. */
    private void putBack(int number) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return;
        }
        try (PidFd other = found.get()) {
            Optional<PidFd> parent = cgroup.contains(other) ? other.parent() : Optional.empty();
            if (parent.isPresent()) {
                try (PidFd known = parent.get();
                        Cgroup before = known.cgroup()) {
                    before.attach(other);
                }
            }
        } catch (ErrnoException e) {
            requireGone(e);
        }
    }

    /** Keeps the processes in the scope's cgroup for good. */
    public Cgroup keep() {
        moved.forEach(Moved::close);
        moved.clear();
        return cgroup;
    }

    /** Moves the processes back, and removes the cgroup. */
    public void undo() {
        try (cgroup) {
            moved.forEach(Moved::back);
            boolean _ = UnitCgroups.remove(cgroup);
        } finally {
            moved.forEach(Moved::close);
        }
    }
}
