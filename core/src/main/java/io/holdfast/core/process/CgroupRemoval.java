package io.holdfast.core.process;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.util.Optional;

/** Removing cgroups, never another one that has taken the name. */
final class CgroupRemoval {
    private CgroupRemoval() {}

    /** See {@link Cgroup#remove}. */
    static void of(Cgroup cgroup) {
        CgroupPath path = cgroup.path();
        if (path.isRoot()) {
            throw new ErrnoException("rmdir", "/", Errno.EBUSY, "the root cannot be removed");
        }
        String name = path.components().getLast();
        int flags = Fcntl.O_PATH | Fcntl.O_DIRECTORY;
        try (Fd above = Fcntl.open(cgroup.fd(), "..", flags, 0);
                Fd now = Fcntl.open(above, name, flags, 0)) {
            if (SysStat.inode(now) != cgroup.id()) {
                throw new ErrnoException("rmdir", path.path(), Errno.ENOENT, "it was replaced");
            }
            ErrnoException.check(SysStat.rmdirat(above, name), "rmdir", path.path());
        }
    }

    /** See {@link Cgroup#removeAll}. */
    static void withAllBelow(Cgroup cgroup) {
        for (String name : cgroup.childNames()) {
            Optional<Cgroup> child = cgroup.find(name);
            if (child.isPresent()) {
                try (Cgroup below = child.get()) {
                    withAllBelow(below);
                } catch (ErrnoException e) {
                    if (!Cgroup.isGone(e)) { // removed meanwhile
                        throw e;
                    }
                }
            }
        }
        of(cgroup);
    }
}
