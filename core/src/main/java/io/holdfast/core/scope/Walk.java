package io.holdfast.core.scope;

import io.holdfast.core.linux.ErrnoException;
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
import java.util.function.Predicate;

/**
 * One look for the members of a scope without cgroup, from the children of this JVM downwards.
 *
 * <pre>
 *   children of this JVM ─┬─ started in the scope ────────────┐
 *                         ├─ orphan with its mark ────────────┼─▶ members ─▶ their children ─▶ …
 *                         ├─ orphan in a session or group     │
 *                         │  of a member ─────────────────────┘
 *                         └─ of others: not touched
 * </pre>
 *
 * <p>Each is held first and verified afterwards. A session that is not our own was begun by a
 * descendant of ours, and its number stays its own as long as a process is in it: so whoever is in
 * the same session as a member descends from the same process of the scope. A process group counts
 * only while the member that leads it is held.
 */
final class Walk implements AutoCloseable {
    private final Predicate<PidFd> started;
    private final Mark mark;
    private final Set<PidFd> members = new LinkedHashSet<>();
    private final List<PidFd> zombies = new ArrayList<>();
    private final List<PidFd> unknown = new ArrayList<>(); // children of ours, perhaps orphans

    private Walk(Predicate<PidFd> started, Mark mark) {
        this.started = started;
        this.mark = mark;
    }

    /**
     * Walks.
     *
     * @param started whether a child of ours was started in the scope
     */
    static Walk of(Predicate<PidFd> started, Mark mark) {
        Walk walk = new Walk(started, mark);
        try {
            walk.walk();
            return walk;
        } catch (RuntimeException e) {
            walk.close();
            throw e;
        }
    }

    private void walk() {
        try (PidFd self = PidFd.self()) {
            Deque<PidFd> found = new ArrayDeque<>();
            for (PidFd child : OwnChildren.of(self)) {
                sort(child, found);
            }
            descend(found);
            Place own = Place.of(self);
            while (addRelated(own, found)) {
                descend(found);
            }
        }
    }

    private void sort(PidFd child, Deque<PidFd> found) {
        if (started.test(child)) {
            add(child, found);
        } else if (Child.isStarted(child)) {
            child.close();
        } else if (mark.isOn(child)) {
            add(child, found);
        } else {
            unknown.add(child);
        }
    }

    private void add(PidFd process, Deque<PidFd> found) {
        switch (process.state()) {
            case ALIVE -> {
                if (members.add(process)) {
                    found.add(process);
                } else {
                    process.close();
                }
            }
            case EXITED -> zombies.add(process);
            case REAPED -> process.close();
        }
    }

    private void descend(Deque<PidFd> found) {
        for (PidFd next = found.poll(); next != null; next = found.poll()) {
            for (PidFd child : OwnChildren.of(next)) {
                add(child, found);
            }
        }
    }

    /** Whether orphans were found to be of the scope by the session or group that they are in. */
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
        unknown.removeAll(related);
        related.forEach(orphan -> add(orphan, found));
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

    /** Those that live, lent. */
    Collection<PidFd> members() {
        return members;
    }

    /** Those that have exited and are not reaped, lent. */
    Collection<PidFd> zombies() {
        return zombies;
    }

    /** Hands the living ones to the caller. */
    List<PidFd> take() {
        List<PidFd> taken = List.copyOf(members);
        members.clear();
        return taken;
    }

    @Override
    public void close() {
        members.forEach(PidFd::close);
        zombies.forEach(PidFd::close);
        unknown.forEach(PidFd::close);
    }
}
