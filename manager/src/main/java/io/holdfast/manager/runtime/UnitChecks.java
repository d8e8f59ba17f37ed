package io.holdfast.manager.runtime;

import io.holdfast.manager.loop.Moment;

/**
 * What came of the conditions and assertions of a unit at its last start.
 *
 * @param at never, if it was not started since it was loaded
 */
public record UnitChecks(boolean conditions, boolean assertions, Moment at) {
    /** Nothing was checked. */
    public static final UnitChecks NEVER = new UnitChecks(false, false, Moment.NEVER);

    /** They were checked now. */
    public static UnitChecks now(boolean conditions, boolean assertions) {
        return new UnitChecks(conditions, assertions, Moment.now());
    }
}
