package io.holdfast.authority.subject;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Finds units by the path of the cgroup alone, verified against the descriptor. A name counts only
 * if root alone could give it: each directory from the manager's root to the one that holds the
 * unit's belongs to root, and nobody else may write to it. The unit's own may be another's
 * (Delegate=), who makes directories within it, but not its name.
 *
 * <p>How a unit is set up no cgroup tells, so none has {@code noNewPrivileges} here: that one
 * process has given them up by itself says nothing about the others of its unit, nor what it had
 * executed before.
 *
 * @param root below which the manager's units are; a process elsewhere has none
 */
public record CgroupUnits(CgroupPath root) implements UnitLookup {
    private static final String REMOVED = " (deleted)"; // as cgroups(7) says
    private static final int WRITABLE_BY_OTHERS = 0022;

    /** The units of this machine's manager. */
    public static CgroupUnits ofMachine() {
        return new CgroupUnits(Cgroup.managerRoot());
    }

    @Override
    public Optional<ProcessUnit> find(PidFd process) {
        CgroupPath path;
        try {
            String told = process.proc().cgroup();
            if (told.endsWith(REMOVED)) {
                return Optional.empty(); // a zombie: whose the directory was nobody can tell
            }
            path = CgroupPath.parse(told);
        } catch (ForeignCgroupException e) {
            return Optional.empty(); // of another container
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw e;
            }
            return Optional.empty(); // there are no cgroups
        }
        if (!isBelowRoot(path)) {
            return Optional.empty();
        }
        CgroupPath below = path.relativeTo(root);
        return below.unit()
                .filter(unit -> isGivenByRoot(unit, below))
                .map(name -> new ProcessUnit(name, false));
    }

    private boolean isBelowRoot(CgroupPath path) {
        return root.isRoot() || path.path().startsWith(root.path() + "/");
    }

    /** Whether nobody else may make directories where the unit's is. */
    private boolean isGivenByRoot(String unit, CgroupPath below) {
        try {
            Cgroup holder = Cgroup.open(root.path());
            for (String component : below.components()) {
                try (Cgroup here = holder) {
                    if (!isWritableByRootAlone(here)) {
                        return false;
                    }
                    if (CgroupPath.unescape(component).equals(unit)) {
                        return true; // those before it are slices
                    }
                    holder = here.child(component);
                }
            }
            holder.close();
            return false;
        } catch (ErrnoException e) {
            return false; // removed, or not to be seen by us
        }
    }

    private static boolean isWritableByRootAlone(Cgroup cgroup) {
        SysStat.Stat stat = SysStat.stat(cgroup.fd());
        return stat.uid() == 0 && (stat.mode() & WRITABLE_BY_OTHERS) == 0;
    }
}
