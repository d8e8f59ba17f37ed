package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The cgroups that units live in, below one slice of the manager's own in the cgroup that it was
 * started in: nothing that is there already is touched. Blocking; the calls are made off the loop.
 */
final class UnitCgroups implements AutoCloseable {
    /** Locked by the manager that has the slice; nothing else opens it. */
    private static final String LOCKED_FILE = "cgroup.max.depth";

    private final Cgroup slice;
    private final Claim claim;

    private UnitCgroups(Cgroup slice, Claim claim) {
        this.slice = slice;
        this.claim = claim;
    }

    /**
     * Makes the slice.
     *
     * @throws ErrnoException EACCES or EPERM if that is not ours to do, ENODATA without cgroup2,
     *     EBUSY if another manager uses it
     */
    static UnitCgroups open(UnitName name) {
        try (Cgroup own = Cgroup.own()) {
            Cgroup slice = own.create(name.text());
            String path = slice.path().path();
            Claim claim = null;
            try {
                claim =
                        Claim.of(
                                Path.of(Cgroup.mountPoint() + path, LOCKED_FILE),
                                "slice " + path,
                                "another manager uses it; choose another slice");
                if (slice.isPopulated()) {
                    throw new ErrnoException(
                            "cgroup",
                            path,
                            Errno.EBUSY,
                            "processes of an earlier manager are in it; end them (echo 1 > "
                                    + Cgroup.mountPoint()
                                    + path
                                    + "/cgroup.kill), or choose another slice");
                }
                return new UnitCgroups(slice, claim);
            } catch (RuntimeException e) {
                slice.close();
                if (claim != null) {
                    claim.close();
                }
                throw e;
            }
        }
    }

    CgroupPath path() {
        return slice.path();
    }

    /** Makes the cgroup of a unit, with the slices above it. */
    Cgroup create(UnitName unit, UnitName in) {
        List<Cgroup> slices = new ArrayList<>();
        try {
            Cgroup parent = slice;
            for (UnitName step : in.slicePath()) {
                parent = parent.create(step.text());
                slices.add(parent);
            }
            return parent.create(CgroupPath.escape(unit.text()));
        } finally {
            slices.forEach(Cgroup::close);
        }
    }

    /**
     * Removes the cgroup of a unit that has ended, with what it made below; false if something
     * lives there.
     */
    static boolean remove(Cgroup cgroup) {
        try (cgroup) {
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

    /** Kills what is left, and removes all. */
    @Override
    public void close() {
        try (slice;
                claim) {
            slice.kill();
            if (slice.awaitEmpty(Limits.KILL_PATIENCE)) {
                slice.removeAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
