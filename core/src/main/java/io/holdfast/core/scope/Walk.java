package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One search for the members of a scope without a cgroup, from the children of this JVM downwards.
 *
 * <pre>
 *   children of this JVM ─┬─ started in the scope ────────────┐
 *                         ├─ orphan with its mark ────────────┼─▶ members ─▶ their children ─▶ …
 *                         ├─ orphan in a session or group     │
 *                         │  of a member ─────────────────────┘
 *                         └─ other: not touched
 * </pre>
 *
 * <p>Each process is opened first and verified afterwards. A session of a member that is not the
 * session of this JVM was begun by a descendant of it, and its id is not reused as long as a
 * process is in it: so a process in the same session as a member descends from the same process of
 * the scope. A process group counts only while the member that leads it is unreaped.
 */
final class Walk implements AutoCloseable {
    private final Visitor visitor;
    private final Mark mark;
    private final Set<PidFd> members = new LinkedHashSet<>();
    private final List<PidFd> unknown = new ArrayList<>(); // other children, perhaps orphans
    private boolean reaped;

    /** The callbacks of a walk; the processes are lent. */
    interface Visitor {
        /** Returns whether a child of this JVM was started in the scope. */
        boolean isStarted(PidFd child);

        /** Called with a living member, as soon as it is known to be one. */
        void visit(PidFd member);

        /**
         * Reaps a member that has exited, unless other code reaps it; returns whether it was reaped
         * here.
         */
        boolean reap(PidFd zombie);

        /** Called with each member that a failed walk has found, before it is closed. */
        void abandon(PidFd member);
    }

    private Walk(Mark mark, Visitor visitor) {
        this.mark = mark;
        this.visitor = visitor;
    }

    /** Performs a walk through the children of this JVM and what is below them. */
    static Walk of(Mark mark, Visitor visitor) {
        return performed(new Walk(mark, visitor), Walk::walk);
    }

    /**
     * Performs a walk through all processes of a user that have the mark, and what is below them.
     * Sessions and process groups do not count: those of a dead JVM may be anybody's.
     */
    static Walk ofAll(Mark mark, long user, Visitor visitor) {
        return performed(new Walk(mark, visitor), walk -> walk.walkAll(user));
    }

    private static Walk performed(Walk walk, Consumer<Walk> way) {
        try {
            way.accept(walk);
            return walk;
        } catch (RuntimeException e) {
            walk.members.forEach(walk.visitor::abandon);
            walk.close();
            throw e;
        }
    }

    private void walk() {
        try (PidFd self = PidFd.self()) {
            Deque<PidFd> found = new ArrayDeque<>();
            self.visitChildren((child, number) -> sort(child, number, found));
            descend(found);
            Place own = Place.of(self);
            while (addRelated(own, found)) {
                descend(found);
            }
        }
    }

    private void walkAll(long user) {
        Deque<PidFd> found = new ArrayDeque<>();
        AllProcesses.visit(
                user,
                (process, number) -> {
                    if (isMarked(process, number)) {
                        add(process, found);
                    } else {
                        process.close();
                    }
                });
        descend(found);
    }

    private void sort(PidFd child, int number, Deque<PidFd> found) {
        if (visitor.isStarted(child)) {
            add(child, found);
        } else if (Child.isStarted(child)) {
            child.close();
        } else if (isMarked(child, number)) {
            add(child, found);
        } else {
            unknown.add(child);
        }
    }

    private boolean isMarked(PidFd child, int number) {
        try {
            return mark.isOn(child, number);
        } catch (RuntimeException e) {
            child.close();
            throw e;
        }
    }

    private void add(PidFd process, Deque<PidFd> found) {
        PidFd.State state = process.state();
        if (state == PidFd.State.ALIVE && members.add(process)) {
            visitor.visit(process);
            found.add(process);
        } else {
            try (process) {
                reaped |= state == PidFd.State.EXITED && visitor.reap(process);
            }
        }
    }

    private void descend(Deque<PidFd> found) {
        for (PidFd next = found.poll(); next != null; next = found.poll()) {
            next.visitChildren((child, _) -> add(child, found));
        }
    }

    /**
     * Adds orphans that are in the session or group of a member; returns whether there were any.
     */
    private boolean addRelated(Place own, Deque<PidFd> found) {
        if (unknown.isEmpty() || members.isEmpty()) {
            return false;
        }
        Map<Integer, PidFd> sessions = new HashMap<>();
        Map<Integer, PidFd> groups = new HashMap<>();
        for (PidFd member : members) {
            try {
                Place place = Place.of(member);
                if (place.session != own.session) {
                    sessions.put(place.session, member);
                }
                groups.put(member.pid(), member);
            } catch (ErrnoException e) {
                // it has ended
            }
        }
        List<PidFd> related = new ArrayList<>();
        for (PidFd orphan : unknown) {
            if (isRelated(orphan, sessions, groups)) {
                related.add(orphan);
            }
        }
        for (PidFd orphan : related) {
            boolean _ = unknown.remove(orphan);
            add(orphan, found);
        }
        return !related.isEmpty();
    }

    private static boolean isRelated(
            PidFd orphan, Map<Integer, PidFd> sessions, Map<Integer, PidFd> groups) {
        try {
            Place place = Place.of(orphan);
            PidFd companion = sessions.get(place.session);
            PidFd leader = groups.get(place.group);
            return (companion != null && isUnreaped(companion))
                    || (leader != null && isUnreaped(leader));
        } catch (ErrnoException e) {
            return false; // it has ended
        }
    }

    private static boolean isUnreaped(PidFd process) {
        return process.state() != PidFd.State.REAPED;
    }

    private record Place(int session, int group) {
        static Place of(PidFd process) {
            Proc proc = process.proc();
            return new Place(proc.session(), proc.processGroup());
        }
    }

    /** Returns whether no living member was found and no zombie was reaped. */
    boolean isQuiet() {
        return members.isEmpty() && !reaped;
    }

    /** Returns the living members, lent; what is added to them, this closes as well. */
    Collection<PidFd> members() {
        return members;
    }

    /** Hands the living members over to the caller. */
    List<PidFd> take() {
        List<PidFd> taken = List.copyOf(members);
        members.clear();
        return taken;
    }

    @Override
    public void close() {
        members.forEach(PidFd::close);
        unknown.forEach(PidFd::close);
    }
}
