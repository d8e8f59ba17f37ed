package io.holdfast.cli.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * Visits all processes of a cgroup subtree. Only one process is held at a time, because there may
 * be more processes than descriptors.
 */
final class SubtreeProcesses {
    private SubtreeProcesses() {}

    /**
     * Passes each process in a cgroup and below it to the action, which must not keep the pidfd.
     * Cgroups that are removed meanwhile are skipped.
     */
    static void forEach(CgroupPath top, Consumer<PidFd> action) {
        Deque<CgroupPath> left = new ArrayDeque<>(List.of(top));
        while (!left.isEmpty()) {
            CgroupPath path = left.removeFirst();
            try (Cgroup cgroup = Cgroup.open(path.path())) {
                cgroup.forEachMember(action);
                cgroup.childNames().forEach(name -> left.addLast(path.child(name)));
            } catch (ErrnoException e) {
                if (!isGone(e)) {
                    throw e;
                }
            }
        }
    }

    /** Returns whether the error means that the cgroup was removed. */
    static boolean isGone(ErrnoException e) {
        return e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV;
    }
}
