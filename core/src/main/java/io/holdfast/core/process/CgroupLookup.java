package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Finds cgroups by id and by process, as far as they are visible to this process. */
final class CgroupLookup {
    private CgroupLookup() {}

    static Cgroup ofId(long id) {
        try (Fd mount = Fcntl.open(Cgroup.mountPoint(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            int number = SysStat.openByInode(mount, id, Fcntl.O_PATH | Fcntl.O_DIRECTORY);
            if (number == -Errno.EPERM) {
                return search(id);
            }
            Fd found = Fd.adopt(number, "open_by_handle_at", "cgroup " + id);
            try {
                requireFiles(found, id);
                String full = found.with(n -> Unistd.readlinkat(null, "/proc/self/fd/" + n));
                String mountPoint = Cgroup.mountPoint();
                if (!full.startsWith(mountPoint)) {
                    throw new ErrnoException("cgroup", full, Errno.ESTALE, "outside of the mount");
                }
                String path = full.substring(mountPoint.length());
                return new Cgroup(found, CgroupPath.parse(path.isEmpty() ? "/" : path));
            } catch (RuntimeException e) {
                found.close();
                throw e;
            }
        }
    }

    /**
     * Refuses a removed cgroup, which Linux 5.10 still finds while it is held open. It has no
     * files.
     */
    private static void requireFiles(Fd found, long id) {
        try {
            FileStatus _ = SysStat.stat(found, "cgroup.procs");
        } catch (ErrnoException e) {
            if (Cgroup.isGone(e)) {
                throw new ErrnoException("cgroup", Long.toString(id), Errno.ESTALE);
            }
            throw e;
        }
    }

    private static Cgroup search(long id) {
        List<Cgroup> found = new ArrayList<>();
        try (Cgroup root = Cgroup.root()) {
            CgroupTree.walk(
                    root,
                    here -> {
                        if (here.id() == id) {
                            found.add(new Cgroup(here.fd().duplicate(), here.path()));
                        }
                        return found.isEmpty();
                    });
        }
        if (found.isEmpty()) {
            throw new ErrnoException("cgroup", Long.toString(id), Errno.ESTALE);
        }
        return found.getFirst();
    }

    /** See {@link PidFd#cgroup}. */
    static Cgroup of(PidFd process) {
        OptionalLong id = process.info().cgroupId();
        if (id.isPresent()) {
            return ofId(id.getAsLong());
        }
        Cgroup named = Cgroup.open(process.cgroupPath().path());
        if (!named.contains(process)) {
            named.close();
            throw new ErrnoException(
                    "cgroup",
                    process.toString(),
                    Errno.ESRCH,
                    "it has moved, or its cgroup was removed");
        }
        return named;
    }

    /**
     * Returns the id of a process's cgroup, found by its path; empty if the path cannot be opened.
     */
    static OptionalLong idOf(Proc proc) {
        if (!Cgroup.isMounted()) {
            return OptionalLong.empty();
        }
        String path = proc.cgroup();
        if (CgroupPath.isRemoved(path)) {
            return OptionalLong.empty(); // another cgroup may have the name by now
        }
        try (Cgroup cgroup = Cgroup.open(path)) {
            return OptionalLong.of(cgroup.id());
        } catch (ErrnoException | ForeignCgroupException e) {
            return OptionalLong.empty();
        }
    }
}
