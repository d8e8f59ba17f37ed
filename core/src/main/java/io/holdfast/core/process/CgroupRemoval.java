package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.SysStat;

/** Removes cgroups, but never another cgroup that has taken the name. */
final class CgroupRemoval {
    private CgroupRemoval() {}

    /** See {@link Cgroup#remove}. */
    static void of(Cgroup cgroup) {
        if (cgroup.path().isRoot()) {
            throw new ErrnoException("rmdir", "/", Errno.EBUSY, "the root cannot be removed");
        }
        try (Cgroup parent = cgroup.parent()) {
            remove(cgroup, parent);
        }
    }

    private static void remove(Cgroup cgroup, Cgroup parent) {
        String path = cgroup.path().path();
        String name = path.substring(path.lastIndexOf('/') + 1);
        try (Cgroup now = parent.child(name)) {
            if (!now.equals(cgroup)) {
                throw new ErrnoException("rmdir", path, Errno.ENOENT, "it was replaced");
            }
            ErrnoException.check(SysStat.rmdirat(parent.fd(), name), "rmdir", path);
        }
    }

    /** See {@link Cgroup#removeAll}. */
    static void withAllBelow(Cgroup cgroup) {
        CgroupTree.walk(
                cgroup,
                new CgroupTree.Visitor() {
                    @Override
                    public boolean enter(Cgroup below) {
                        return true;
                    }

                    @Override
                    public void leave(Cgroup below, Cgroup parent) {
                        try {
                            remove(below, parent);
                        } catch (ErrnoException e) {
                            if (!Cgroup.isGone(e)) { // removed meanwhile
                                throw e;
                            }
                        }
                    }
                });
        of(cgroup);
    }
}
