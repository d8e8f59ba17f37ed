package io.holdfast.core.process;

import io.holdfast.core.ErrnoException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;

/**
 * A walk through a cgroup and all its descendants. The owner of a part of the tree can make it as
 * deep as he likes: at any depth, the walk uses no recursion, three descriptors, and memory for the
 * names that it has not visited yet.
 */
final class CgroupTree {
    private CgroupTree() {}

    /** The callbacks of a walk; the cgroups are lent. */
    interface Visitor {
        /** Called for a cgroup, before those below it; false ends the walk. */
        boolean enter(Cgroup cgroup);

        /**
         * Called after everything below a cgroup was visited, before the walk returns to its
         * parent. Not called for the top.
         */
        default void leave(Cgroup cgroup, Cgroup parent) {}
    }

    /** Walks through the tree; cgroups that were removed meanwhile are skipped. */
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

    @SuppressWarnings("ReferenceEquality") // whether it is the lent object
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
