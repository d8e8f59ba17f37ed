package io.holdfast.manager.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The cgroups of units, in one slice of the manager, which lies in the cgroup that the manager was
 * started in; nothing that is there already is touched. Blocking; called off the loop.
 *
 * <p>One manager at a time uses a slice: it locks (flock(2)) the directory of a child cgroup,
 * {@code lock}, which no other user may open. A file in a cgroup would not do: the kernel makes
 * these readable for all, and so any user could lock them.
 */
public final class UnitCgroups implements AutoCloseable {
    private static final String LOCK = "lock";
    private static final int OWNER_ALONE = 0700;
    private static final int OTHERS = 077;
    private static final int ATTEMPTS = 10;

    private final Cgroup slice;
    private final Fd lock;

    private UnitCgroups(Cgroup slice, Fd lock) {
        this.slice = slice;
        this.lock = lock;
    }

    /**
     * Makes the slice.
     *
     * @param again whether the processes in it are adopted from a manager that was killed
     * @throws ErrnoException EACCES or EPERM if we may not make it, ENODATA without cgroup2, EBUSY
     *     if another manager uses it, or if other users may make cgroups in it
     */
    public static UnitCgroups open(UnitName name, boolean again) {
        try (Cgroup own = Cgroup.own()) {
            Cgroup slice = own.create(name.text());
            Fd lock = null;
            try {
                requireOurs(slice);
                lock = lock(slice);
                if (!again) {
                    requireEmpty(slice);
                }
                return new UnitCgroups(slice, lock);
            } catch (RuntimeException e) {
                if (lock != null) {
                    int ignored = SysStat.rmdirat(slice.fd(), LOCK);
                    lock.close();
                }
                slice.close();
                throw e;
            }
        }
    }

    /**
     * Refuses a slice in which other users may make cgroups: they could make one with any unit's
     * name.
     */
    private static void requireOurs(Cgroup slice) {
        FileStatus stat = SysStat.stat(slice.fd());
        boolean trusted = stat.uid() == 0 || stat.uid() == Unistd.geteuid();
        if (!trusted || stat.isWritableByOthers()) {
            throw new ErrnoException(
                    "slice",
                    slice.path().path(),
                    Errno.EBUSY,
                    "other users may make cgroups in it (owner %d, mode %04o); remove it (rmdir %s), or choose another slice"
                            .formatted(stat.uid(), stat.permissions(), directory(slice)));
        }
    }

    private static Fd lock(Cgroup slice) {
        for (int i = 0; i < ATTEMPTS; i++) {
            try (Cgroup made = slice.create(LOCK, OWNER_ALONE)) {
                FileStatus stat = SysStat.stat(made.fd());
                if (stat.uid() != Unistd.geteuid() || (stat.permissions() & OTHERS) != 0) {
                    made.remove(); // others may have it open
                    continue;
                }
                try (Fd lock = open(made)) {
                    if (SysFile.tryLock(lock) < 0) {
                        break;
                    }
                    if (isThere(slice, made)) {
                        return lock.move();
                    }
                }
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
                    throw e; // otherwise its manager has just ended
                }
            }
        }
        throw new ErrnoException(
                "slice", // not that of a runtime folder, with whose manager one can talk
                slice.path().path(),
                Errno.EBUSY,
                "another manager uses it; choose another one: --slice NAME.slice");
    }

    private static Fd open(Cgroup cgroup) {
        return Fcntl.open(cgroup.fd(), ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0);
    }

    private static boolean isThere(Cgroup slice, Cgroup lock) {
        try (Cgroup now = slice.child(LOCK)) {
            return now.equals(lock);
        }
    }

    private static void requireEmpty(Cgroup slice) {
        if (slice.isPopulated()) {
            throw new ErrnoException(
                    "cgroup",
                    slice.path().path(),
                    Errno.EBUSY,
                    "processes of an earlier manager are in it; end them (echo 1 > "
                            + directory(slice)
                            + "/cgroup.kill), or choose another slice");
        }
    }

    private static String directory(Cgroup slice) {
        return Cgroup.mountPoint() + slice.path().path();
    }

    public CgroupPath path() {
        return slice.path();
    }

    /** Returns the path of a slice's cgroup. */
    public CgroupPath pathOf(UnitName slice) {
        CgroupPath path = path();
        for (UnitName step : slice.slicePath()) {
            path = path.child(step.text());
        }
        return path;
    }

    /** Makes the cgroup of a unit, and those of the slices above it. */
    public Cgroup create(UnitName unit, UnitName in) {
        return inSlice(in, Cgroup::create, parent -> parent.create(CgroupPath.escape(unit.text())));
    }

    /** Makes the cgroup of a slice, and those above it. */
    public void makeSlice(UnitName name) {
        boolean _ = inSlice(name, Cgroup::create, _ -> true);
    }

    /** Removes the cgroup of a slice, unless a process lives there. */
    public void removeSlice(UnitName name) {
        try {
            boolean _ =
                    inSlice(
                            name,
                            Cgroup::child,
                            cgroup -> {
                                cgroup.remove();
                                return true;
                            });
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT
                    && e.errno() != Errno.ENODEV
                    && e.errno() != Errno.EBUSY) {
                throw e;
            }
        }
    }

    private <T> T inSlice(
            UnitName name, BiFunction<Cgroup, String, Cgroup> step, Function<Cgroup, T> task) {
        List<Cgroup> opened = new ArrayList<>();
        try {
            Cgroup at = slice;
            for (UnitName each : name.slicePath()) {
                at = step.apply(at, each.text());
                opened.add(at);
            }
            return task.apply(at);
        } finally {
            opened.forEach(Cgroup::close);
        }
    }

    /**
     * Removes the cgroup of a unit that has ended, and those that the unit made below it. The
     * cgroup is lent.
     *
     * @return false if a process lives there
     */
    public static boolean remove(Cgroup cgroup) {
        try {
            cgroup.removeAll();
            return true;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
                return true;
            }
            if (e.errno() == Errno.EBUSY) {
                return false;
            }
            throw e;
        }
    }

    /** Kills the remaining processes, and removes all cgroups. */
    @Override
    public void close() {
        try (lock;
                slice) {
            slice.kill();
            if (slice.awaitEmpty(ManagerLimits.KILL_TIMEOUT.duration())) {
                boolean ignored = remove(slice); // another manager may already be using it
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
