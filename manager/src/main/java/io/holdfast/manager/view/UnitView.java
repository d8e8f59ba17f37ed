package io.holdfast.manager.view;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;

/**
 * A snapshot of a unit and of its definitions.
 *
 * @param unit the definition, from the files when they last existed
 * @param inForce as its files were when it was started
 * @param newest as its files were last read, even if they were gone
 * @param perpetual whether it cannot be stopped
 * @param typed the state that its type adds; empty if it adds none or the unit is not loaded
 */
public record UnitView(
        Unit unit,
        Unit inForce,
        Unit newest,
        UnitStatus status,
        UnitTimes times,
        UnitChecks checks,
        Optional<UnitJob> job,
        boolean perpetual,
        Optional<? extends UnitDetails> typed) {
    /** Returns the state that its type adds, if it is of this class. */
    public <D extends UnitDetails> Optional<D> details(Class<D> type) {
        return typed.filter(type::isInstance).map(type::cast);
    }
}
