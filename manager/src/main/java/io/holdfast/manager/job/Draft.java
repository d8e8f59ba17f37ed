package io.holdfast.manager.job;

import java.util.ArrayList;
import java.util.List;

/**
 * A job of a transaction that is being built. A unit may have several drafts until they are merged.
 */
final class Draft extends Ordered {
    /**
     * A link from a job to a job that it pulls in.
     *
     * @param matters whether the pulling job requires the pulled one
     * @param conflicts whether the pulled job stops a unit because the pulling job's unit conflicts
     *     with it
     */
    record Link(Draft by, Draft pulled, boolean matters, boolean conflicts) {}

    private final List<Link> pulls = new ArrayList<>();
    private final List<Link> pulledBy = new ArrayList<>(1);
    private boolean matters;

    Draft(JobUnit unit, JobType type) {
        super(unit, type, false);
    }

    static void link(Draft by, Draft pulled, boolean matters, boolean conflicts) {
        Link link = new Link(by, pulled, matters, conflicts);
        by.pulls.add(link);
        pulled.pulledBy.add(link);
    }

    void ignoreOrder() {
        ignoresOrder = true;
    }

    /** Returns whether the anchor requires it. */
    boolean matters() {
        return matters;
    }

    void setMatters() {
        matters = true;
    }

    List<Link> pulls() {
        return pulls;
    }

    boolean isPulledIn() {
        return !pulledBy.isEmpty();
    }

    /** Returns whether some job stops this unit because the two units conflict. */
    boolean isConflictedBy() {
        return pulledBy.stream().anyMatch(Link::conflicts);
    }

    /** Takes over the work and the links of another job of the same unit. */
    void absorb(Draft other, JobType merged) {
        type = merged;
        ignoresOrder |= other.ignoresOrder;
        matters |= other.matters;
        for (Link link : List.copyOf(other.pulls)) {
            link(this, link.pulled, link.matters, link.conflicts);
        }
        for (Link link : List.copyOf(other.pulledBy)) {
            link(link.by, this, link.matters, link.conflicts);
        }
        List<Draft> _ = other.unlink();
    }

    /**
     * Removes its links.
     *
     * @return the jobs that require it
     */
    List<Draft> unlink() {
        pulls.forEach(link -> link.pulled.pulledBy.remove(link));
        pulls.clear();
        List<Draft> dependants = new ArrayList<>();
        for (Link link : pulledBy) {
            link.by.pulls.remove(link);
            if (link.matters) {
                dependants.add(link.by);
            }
        }
        pulledBy.clear();
        return dependants;
    }
}
