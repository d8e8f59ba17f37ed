package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the scopes whose JVM is dead: by the names of cgroups, and by the marks of processes. The
 * name and the mark contain the identity of the JVM, and a scope counts only if that JVM is
 * {@linkplain Owner#isDead certainly dead}.
 *
 * <p>Any user can give such a name to a cgroup of his own, and such a mark to a process. That
 * endangers only his own processes: root finds the cgroups of all users, each of which holds
 * processes of its owner's part of the tree; and marks count only among processes of our own user.
 */
final class Leftovers {
    private static final long ROOT = 0;

    private final long user = Unistd.geteuid();
    private final List<LeftoverScope> found = new ArrayList<>();

    private Leftovers() {}

    static List<LeftoverScope> find() {
        Leftovers leftovers = new Leftovers();
        if (Feature.SCOPE_CGROUP.isPresent()) {
            leftovers.findCgroups();
        }
        leftovers.findMarks();
        return List.copyOf(leftovers.found);
    }

    /**
     * Searches the visible tree from the root down; what is in a scope that is found ends with it.
     */
    private void findCgroups() {
        Deque<String> paths = new ArrayDeque<>(List.of("/"));
        for (String path = paths.poll(); path != null; path = paths.poll()) {
            try (Cgroup cgroup = Cgroup.open(path)) {
                if (!isFound(cgroup)) {
                    String above = cgroup.path().isRoot() ? "/" : path + "/";
                    cgroup.childNames().forEach(name -> paths.add(above + name));
                }
            } catch (ErrnoException e) {
                if (ProcessScope.isShortage(e)) {
                    throw e;
                }
                // it was removed, is hidden from us, or lies too deep for a path
            }
        }
    }

    private boolean isFound(Cgroup cgroup) {
        Optional<ScopeName> name = cgroup.path().isRoot() ? Optional.empty() : nameOf(cgroup);
        if (name.isEmpty() || !isOurs(cgroup) || holdsThisJvm(cgroup)) {
            return false;
        }
        if (!name.get().owner().isDead()) {
            return false;
        }
        try (Members members = cgroup.membersBelow()) {
            boolean _ = found.add(LeftoverScope.of(name.get(), members.size(), cgroup));
        }
        return true;
    }

    private static Optional<ScopeName> nameOf(Cgroup cgroup) {
        return ScopeName.ofCgroup(cgroup.path().components().getLast());
    }

    private boolean isOurs(Cgroup cgroup) {
        return user == ROOT || SysStat.stat(cgroup.fd()).uid() == user;
    }

    private static boolean holdsThisJvm(Cgroup cgroup) {
        try (PidFd self = PidFd.self()) {
            return self.cgroupPath().isWithin(cgroup.path());
        } catch (ForeignCgroupException e) {
            return false; // outside of the tree that we see
        }
    }

    private void findMarks() {
        for (Mark mark : deadMarks()) {
            try (Walk walk = new LeftoverGroup(mark).walk(false);
                    PidFd self = PidFd.self()) {
                if (!walk.members().isEmpty() && !walk.members().contains(self)) {
                    boolean _ = found.add(LeftoverScope.of(mark, walk.members().size()));
                }
            }
        }
    }

    private Set<Mark> deadMarks() {
        Set<Mark> marks = new LinkedHashSet<>();
        Set<Mark> own = new LinkedHashSet<>(); // this JVM would end itself
        try (PidFd self = PidFd.self()) {
            own.addAll(Mark.inEnvironment(self));
        }
        AllProcesses.visit(
                user,
                (process, _) -> {
                    try (process) {
                        marks.addAll(Mark.inEnvironment(process));
                    } catch (ErrnoException e) {
                        if (ProcessScope.isShortage(e)) {
                            throw e;
                        }
                        // it has ended, or may not be read
                    }
                });
        marks.removeAll(own);
        marks.removeIf(mark -> !mark.owner().isDead());
        return marks;
    }
}
