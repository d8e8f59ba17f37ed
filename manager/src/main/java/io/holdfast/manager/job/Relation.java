package io.holdfast.manager.job;

import io.holdfast.manager.unit.Dependency;
import java.util.List;

/**
 * What the dependencies of units mean for their jobs. {@code Requires=}, for example, makes four
 * relations: the requiring unit pulls the other in, and the other takes the requiring unit along
 * when it stops, restarts or fails to start.
 */
public enum Relation {
    /** The other unit is started too; if that is impossible, this unit cannot start. */
    REQUIRES_START(List.of(Dependency.REQUIRES, Dependency.BINDS_TO), List.of()),
    /** The other unit is started too, if possible. */
    WANTS_START(List.of(Dependency.WANTS, Dependency.UPHOLDS), List.of()),
    /** The other unit must already be active when this unit starts. */
    REQUIRES_ACTIVE(List.of(Dependency.REQUISITE), List.of()),
    /**
     * The other unit is stopped when this unit starts; if that is impossible, this unit cannot
     * start.
     */
    CONFLICTS_WITH(List.of(Dependency.CONFLICTS), List.of()),
    /**
     * The other unit, which declares the conflict, is stopped when this unit starts, if possible.
     */
    CONFLICTED_BY(List.of(), List.of(Dependency.CONFLICTS)),
    /** The other unit is stopped when this unit stops. */
    STOPPED_WITH(
            List.of(),
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF)),
    /** The other unit is restarted when this unit restarts, if it is up. */
    RESTARTED_WITH(
            List.of(),
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF)),
    /** The other unit is stopped when this unit stops, unless the same request starts it. */
    STOP_PROPAGATES_TO(
            List.of(Dependency.PROPAGATES_STOP_TO), List.of(Dependency.STOP_PROPAGATED_FROM)),
    /** The other unit is reloaded when this unit is, if it is up. */
    RELOAD_PROPAGATES_TO(
            List.of(Dependency.PROPAGATES_RELOAD_TO), List.of(Dependency.RELOAD_PROPAGATED_FROM)),
    /** The other unit cannot start if this unit cannot. */
    FAILS_WITH(List.of(), List.of(Dependency.REQUIRES, Dependency.REQUISITE, Dependency.BINDS_TO)),
    /** The other unit needs this unit to be active when it starts. */
    REQUISITE_OF(List.of(), List.of(Dependency.REQUISITE)),
    /** The other unit, if it is ordered after this one, needs this one to be active, too. */
    BOUND(List.of(), List.of(Dependency.BINDS_TO)),
    BEFORE(List.of(Dependency.BEFORE), List.of(Dependency.AFTER)),
    AFTER(List.of(Dependency.AFTER), List.of(Dependency.BEFORE));

    private final List<Dependency> own;
    private final List<Dependency> others;

    Relation(List<Dependency> own, List<Dependency> others) {
        this.own = own;
        this.others = others;
    }

    /** Returns the dependencies of the unit itself that make this relation. */
    public List<Dependency> own() {
        return own;
    }

    /** Returns the dependencies of the other unit on this one that make this relation. */
    public List<Dependency> others() {
        return others;
    }
}
