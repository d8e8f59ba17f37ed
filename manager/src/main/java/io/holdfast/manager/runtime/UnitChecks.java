package io.holdfast.manager.runtime;

import io.holdfast.manager.loop.Moment;

/**
 * What came of the conditions and assertions of a unit at its last start.
 *
 * @param at when the conditions were checked; never, if the unit was not started since it was
 *     loaded
 * @param assertionsAt when the assertions were checked, which is done only if the conditions are
 *     met
 */
public record UnitChecks(boolean conditions, boolean assertions, Moment at, Moment assertionsAt) {
    /** Nothing was checked. */
    public static final UnitChecks NEVER = new UnitChecks(false, false, Moment.NEVER, Moment.NEVER);

    /** A start has checked both now, or found that the conditions are not met. */
    public UnitChecks after(boolean conditionsNow, boolean assertionsNow) {
        Moment now = Moment.now();
        return conditionsNow
                ? new UnitChecks(true, assertionsNow, now, now)
                : new UnitChecks(false, assertions, now, assertionsAt);
    }
}
