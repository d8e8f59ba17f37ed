package io.holdfast.manager.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds cycles in the order of the jobs of a transaction together with the existing jobs, along
 * {@link Ordered#goesFirst}.
 */
final class OrderCheck {
    private final Transaction transaction;
    private final Transaction.InstalledJobs installed;
    private final CycleSearch<Ordered> search = new CycleSearch<>(this::followers);

    OrderCheck(Transaction transaction, Transaction.InstalledJobs installed) {
        this.transaction = transaction;
        this.installed = installed;
    }

    /** Returns the jobs of a cycle: each goes before the next, and the last before the first. */
    Optional<List<Ordered>> findCycle() {
        return search.find(transaction.jobs());
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
