package io.holdfast.manager.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds cycles in the order of the jobs of a transaction together with the existing jobs: a
 * depth-first search along {@link Ordered#goesFirst}, with an explicit stack.
 */
final class OrderCheck {
    private final Transaction transaction;
    private final Transaction.InstalledJobs installed;
    private final Set<Ordered> clear = new HashSet<>();

    OrderCheck(Transaction transaction, Transaction.InstalledJobs installed) {
        this.transaction = transaction;
        this.installed = installed;
    }

    /** Returns the jobs of a cycle: each goes before the next, and the last before the first. */
    Optional<List<Ordered>> findCycle() {
        for (Draft job : transaction.jobs()) {
            List<Ordered> cycle = clear.contains(job) ? List.of() : search(job);
            if (!cycle.isEmpty()) {
                return Optional.of(cycle);
            }
        }
        return Optional.empty();
    }

    private List<Ordered> search(Ordered start) {
        Map<Ordered, Iterator<Ordered>> path = new LinkedHashMap<>();
        Deque<Ordered> top = new ArrayDeque<>(List.of(start));
        path.put(start, followers(start).iterator());
        while (!top.isEmpty()) {
            Ordered job = top.peekLast();
            Iterator<Ordered> left = path.getOrDefault(job, List.<Ordered>of().iterator());
            if (!left.hasNext()) {
                top.removeLast();
                path.remove(job);
                clear.add(job);
                continue;
            }
            Ordered next = left.next();
            if (path.containsKey(next)) {
                List<Ordered> all = new ArrayList<>(path.keySet());
                return all.subList(all.indexOf(next), all.size());
            }
            if (!clear.contains(next)) {
                top.addLast(next);
                path.put(next, followers(next).iterator());
            }
        }
        return List.of();
    }

    /** Returns the jobs that a job goes before. */
    private List<Ordered> followers(Ordered job) {
        List<Ordered> followers = new ArrayList<>();
        for (JobUnit unit : job.unit().related(Relation.BEFORE)) {
            Ordered other = jobOf(unit);
            if (other != null && Ordered.goesFirst(job, other, true)) {
                followers.add(other);
            }
        }
        for (JobUnit unit : job.unit().related(Relation.AFTER)) {
            Ordered other = jobOf(unit);
            if (other != null && Ordered.goesFirst(job, other, false)) {
                followers.add(other);
            }
        }
        return followers;
    }

    private @Nullable Ordered jobOf(JobUnit unit) {
        List<Draft> drafts = transaction.of(unit);
        return drafts.isEmpty() ? installed.of(unit) : drafts.getLast();
    }

    /** Formats a cycle: {@code a.service/start → b.service/start → a.service/start}. */
    static String text(List<Ordered> cycle) {
        return cycle.stream().map(Ordered::text).collect(Collectors.joining(" → "))
                + " → "
                + cycle.getFirst().text();
    }
}
