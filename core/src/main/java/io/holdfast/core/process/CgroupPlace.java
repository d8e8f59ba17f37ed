package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The rule that decides whether a unit name in the path of a cgroup is trusted.
 *
 * <p>The system manager names a cgroup after the unit that lives in it, so the path of a process's
 * cgroup shows its unit: {@code /system.slice/ssh.service}. {@link CgroupPath#unit} reads it from
 * the text, as sd_pid_get_unit(3) does. But the text does not show who chose the names. A cgroup is
 * a directory, and its owner can make directories below it with any name and move his own processes
 * there. A user to whom {@code x.slice} was delegated can make {@code x.slice/ssh.service}.
 *
 * <p>The rule: <b>a name is trusted if only root could have given it.</b> Each directory that holds
 * one of the names belongs to root, and no other user may write to it. The names are those of the
 * leading slices, and that of the first directory after them, which is the unit's. The unit's own
 * directory may belong to another user ({@code Delegate=}): its owner can give names below it, but
 * cannot rename it.
 *
 * <pre>
 * /system.slice/ssh.service                               ssh.service, if root owns / and the slice
 * /user.slice/user-1000.slice/user@1000.service/app/x     user@1000.service, which user 1000 owns
 * /x.slice/ssh.service                                    no unit, if user 1000 owns /x.slice
 * </pre>
 *
 * <p>The same rule holds for slices, login sessions and their owners, which are read from the same
 * names. The names below a user's own manager ({@link CgroupPath#userUnit}) are only that user's
 * claim about his own processes.
 *
 * <p><b>A missing unit proves nothing.</b> A process that is being born or is dying can show the
 * root of the tree for a moment, which belongs to no unit: clone(2) attaches the new process to its
 * cgroup late, and exit(2) detaches it early. A zombie whose cgroup was removed has no unit any
 * more. So a decision may rest on the presence of a unit, never on its absence.
 *
 * <p>The directories that are checked are those that the process is in: cgroups never move, and the
 * last directory must have the cgroup id that the kernel reports for the process. All methods may
 * block in the kernel for a moment, and may be called by any thread.
 */
public final class CgroupPlace {
    private static final int WRITABLE_BY_OTHERS = 0022;

    private CgroupPlace() {}

    /**
     * Returns the path of a process's cgroup below this machine's manager ({@link
     * Cgroup#managerRoot}), if only root could have given the names that its unit, slice and
     * session are read from.
     *
     * @param process the process
     * @return the path; empty if others could have given the names, or if there is no such path
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public static Optional<CgroupPath> of(PidFd process) {
        return of(process, Cgroup.managerRoot());
    }

    /**
     * Returns the path of a process's cgroup below another manager, under the same condition.
     *
     * @param process the process
     * @param root the root of the cgroups of that manager's units
     * @return the path relative to the root; empty also if the process is not below it
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public static Optional<CgroupPath> of(PidFd process, CgroupPath root) {
        return pathOf(process)
                .filter(path -> path.isWithin(root))
                .map(path -> path.relativeTo(root))
                .filter(below ->
                        isNamedByRoot(process.info().cgroupId(), root, below, below.systemNames()));
    }

    /**
     * Returns the path of a cgroup below a manager, if only root could have given the names that
     * units, slices and sessions are read from. The cgroup may be that of a process that has been
     * reaped ({@link PidFd#cgroup}).
     *
     * @param cgroup the cgroup
     * @param root the root of the cgroups of that manager's units
     * @return the path relative to the root; empty also if the cgroup is not below it
     */
    public static Optional<CgroupPath> of(Cgroup cgroup, CgroupPath root) {
        return Optional.of(cgroup.path())
                .filter(path -> path.isWithin(root))
                .map(path -> path.relativeTo(root))
                .filter(below ->
                        isNamedByRoot(
                                OptionalLong.of(cgroup.id()), root, below, below.systemNames()));
    }

    /**
     * {@return whether a process is in a cgroup or below it, and only root could have given that
     * cgroup its name}
     *
     * @param process the process
     * @param place the path of the cgroup, from the root of the visible tree
     * @throws ErrnoException ESRCH if the process is reaped
     */
    public static boolean isIn(PidFd process, CgroupPath place) {
        int names = place.components().size();
        return pathOf(process)
                .filter(path -> path.isWithin(place))
                .filter(path ->
                        isNamedByRoot(process.info().cgroupId(), CgroupPath.ROOT, path, names))
                .isPresent();
    }

    private static Optional<CgroupPath> pathOf(PidFd process) {
        try {
            String path = process.proc().cgroup();
            return CgroupPath.isRemoved(path)
                    ? Optional.empty() // a zombie's: the owner of the cgroup is unknown
                    : Optional.of(CgroupPath.parse(path));
        } catch (ForeignCgroupException e) {
            return Optional.empty(); // in another container
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENODATA) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Descends from the root to the cgroup: name by name as far as names count, then in a single
     * open over the rest, which its owner can make as deep as a path can be long.
     *
     * @param id of the cgroup
     * @param names how many of the first names count
     */
    private static boolean isNamedByRoot(
            OptionalLong id, CgroupPath root, CgroupPath below, int names) {
        List<String> all = below.components();
        int counted = Math.min(names, all.size());
        Cgroup here = null;
        try {
            here = Cgroup.open(root.path());
            for (String name : all.subList(0, counted)) {
                if (!isWritableByRootAlone(here)) {
                    return false;
                }
                Cgroup holder = here;
                here = holder.child(name);
                holder.close();
            }
            String rest = "./" + String.join("/", all.subList(counted, all.size()));
            try (Fd last = here.open(rest, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
                return id.isPresent() && id.getAsLong() == SysStat.inode(last);
            }
        } catch (ErrnoException e) {
            return false; // removed, or not visible to us
        } finally {
            if (here != null) {
                here.close();
            }
        }
    }

    private static boolean isWritableByRootAlone(Cgroup cgroup) {
        FileStatus stat = SysStat.stat(cgroup.fd());
        return stat.uid() == 0 && (stat.mode() & WRITABLE_BY_OTHERS) == 0;
    }
}
