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
 * Where a process is below the manager's root, if root alone could put the names there that count:
 * those of the leading slices and of the one directory after them, which is the unit's. So each
 * directory that holds one of them must be root's, with nobody else who may write to it. The unit's
 * own may be another's (Delegate=): who makes directories within it gives no name to it.
 */
final class CgroupPlace {
    private static final String REMOVED = " (deleted)"; // as cgroups(7) says
    private static final int WRITABLE_BY_OTHERS = 0022;

    private CgroupPlace() {}

    /**
     * The path as seen from the root.
     *
     * @return empty if the process is not below the root, if others could name where it is, or if
     *     there are no cgroups
     * @throws ErrnoException ESRCH if the process is reaped
     */
    static Optional<CgroupPath> of(PidFd process, CgroupPath root) {
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
            if (e.errno() == Errno.ENODATA) {
                return Optional.empty();
            }
            throw e;
        }
        if (!root.isRoot() && !(path.path() + "/").startsWith(root.path() + "/")) {
            return Optional.empty();
        }
        return Optional.of(path.relativeTo(root)).filter(below -> isNamedByRoot(below, root));
    }

    private static boolean isNamedByRoot(CgroupPath below, CgroupPath root) {
        if (below.isRoot()) {
            return true;
        }
        try {
            Cgroup holder = Cgroup.open(root.path());
            for (String component : below.components()) {
                try (Cgroup here = holder) {
                    if (!isWritableByRootAlone(here)) {
                        return false;
                    }
                    if (!component.endsWith(".slice")) {
                        return true;
                    }
                    holder = here.child(component);
                }
            }
            holder.close();
            return true;
        } catch (ErrnoException e) {
            return false; // removed, or not to be seen by us
        }
    }

    private static boolean isWritableByRootAlone(Cgroup cgroup) {
        SysStat.Stat stat = SysStat.stat(cgroup.fd());
        return stat.uid() == 0 && (stat.mode() & WRITABLE_BY_OTHERS) == 0;
    }
}
