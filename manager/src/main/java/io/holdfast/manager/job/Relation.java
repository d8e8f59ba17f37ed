package io.holdfast.manager.job;

import io.holdfast.manager.unit.Dependency;
import java.util.List;

/**
 * What dependencies of units come to for their jobs. {@code Requires=}, say, is four relations: the
 * one that says it pulls the other in, and the other takes it along when it stops, restarts or
 * fails to start.
 */
public enum Relation {
    /** Started too; if that cannot be, neither can this be started. */
    REQUIRES_START(List.of(Dependency.REQUIRES, Dependency.BINDS_TO), List.of()),
    /** Started too, as far as that is possible. */
    WANTS_START(List.of(Dependency.WANTS, Dependency.UPHOLDS), List.of()),
    /** Must be active already when this starts. */
    REQUIRES_ACTIVE(List.of(Dependency.REQUISITE), List.of()),
    /** Stopped when this starts, and this cannot start otherwise. */
    CONFLICTS_WITH(List.of(Dependency.CONFLICTS), List.of()),
    /** Stopped when this starts, since it says so: as far as that is possible. */
    CONFLICTED_BY(List.of(), List.of(Dependency.CONFLICTS)),
    /** Stopped when this stops. */
    STOPPED_WITH(
            List.of(),
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF)),
    /** Restarted when this restarts, if it is up. */
    RESTARTED_WITH(
            List.of(),
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF)),
    /** Stopped when this stops, unless the same request starts it. */
    STOP_PROPAGATES_TO(
            List.of(Dependency.PROPAGATES_STOP_TO), List.of(Dependency.STOP_PROPAGATED_FROM)),
    /** Reloaded when this is, if it is up. */
    RELOAD_PROPAGATES_TO(
            List.of(Dependency.PROPAGATES_RELOAD_TO), List.of(Dependency.RELOAD_PROPAGATED_FROM)),
    /** Cannot be started if this cannot. */
    FAILS_WITH(List.of(), List.of(Dependency.REQUIRES, Dependency.REQUISITE, Dependency.BINDS_TO)),
    /** Needs this to be active when it starts. */
    REQUISITE_OF(List.of(), List.of(Dependency.REQUISITE)),
    BEFORE(List.of(Dependency.BEFORE), List.of(Dependency.AFTER)),
    AFTER(List.of(Dependency.AFTER), List.of(Dependency.BEFORE));

    private final List<Dependency> own;
    private final List<Dependency> others;

    Relation(List<Dependency> own, List<Dependency> others) {
        this.own = own;
        this.others = others;
    }

    /** Dependencies of the unit itself that make it. */
    public List<Dependency> own() {
        return own;
    }

    /** Dependencies of the other unit on this one that make it. */
    public List<Dependency> others() {
        return others;
    }
}
