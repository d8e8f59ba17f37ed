package io.holdfast.core.process;

import io.holdfast.core.ErrnoException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;

/**
 * A walk through a cgroup and all below it. A tree is as deep as whoever owns a part of it likes:
 * however deep, the walk takes no recursion, three descriptors, and memory for the names that are
 * still to come.
 */
final class CgroupTree {
    private CgroupTree() {}

    /** What is done on the way, with cgroups that are lent. */
    interface Visitor {
        /** Comes to a cgroup, before those below it; false ends the walk. */
        boolean enter(Cgroup cgroup);

        /** Has done all below a cgroup, and goes back to its parent. Not called for the top. */
        default void leave(Cgroup cgroup, Cgroup parent) {}
    }

    /** Walks; what was removed meanwhile is passed over. */
    static void walk(Cgroup top, Visitor visitor) {
        Deque<Iterator<String>> above = new ArrayDeque<>();
        Cgroup here = top;
        try {
            if (!visitor.enter(top)) {
                return;
            }
            Iterator<String> names = childNames(top);
            while (names.hasNext() || !above.isEmpty()) {
                Cgroup left = here;
                if (names.hasNext()) {
                    Optional<Cgroup> child = here.find(names.next());
                    if (child.isEmpty()) {
                        continue;
                    }
                    here = child.get();
                    close(left, top);
                    if (!visitor.enter(here)) {
                        return;
                    }
                    above.push(names);
                    names = childNames(here);
                } else {
                    here = above.size() == 1 ? top : left.parent();
                    try (left) {
                        visitor.leave(left, here);
                    }
                    names = above.pop();
                }
            }
        } finally {
            close(here, top);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the one that was lent
    private static void close(Cgroup cgroup, Cgroup top) {
        if (cgroup != top) {
            cgroup.close();
        }
    }

    private static Iterator<String> childNames(Cgroup cgroup) {
        try {
            return cgroup.childNames().iterator();
        } catch (ErrnoException e) {
            if (Cgroup.isGone(e)) {
                return Collections.emptyIterator();
            }
            throw e;
        }
    }
}
