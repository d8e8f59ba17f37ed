package io.holdfast.manager.view;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.condition.Condition;
import io.holdfast.manager.unit.condition.ConditionCheck.Verdict;
import java.util.HashMap;
import java.util.Map;

/**
 * The results of a unit's conditions and assertions at its last start.
 *
 * @param at when the conditions were checked; never, if the unit was not started since it was
 *     loaded
 * @param assertionsAt when the assertions were checked, which is done only if the conditions are
 *     met
 * @param held for each one that was checked, whether it held on its own
 */
public record UnitChecks(
        boolean conditions,
        boolean assertions,
        DualTimestamp at,
        DualTimestamp assertionsAt,
        Map<Condition, Boolean> held) {
    /** Nothing was checked. */
    public static final UnitChecks NEVER =
            new UnitChecks(false, false, DualTimestamp.NEVER, DualTimestamp.NEVER, Map.of());

    /** Stores the results, except those of each single condition. */
    public void record(Fields fields) {
        fields.put("conditions", conditions)
                .put("assertions", assertions)
                .put("conditions-at", at.toString())
                .put("assertions-at", assertionsAt.toString());
    }

    /** The inverse of {@link #record}. */
    public static UnitChecks of(Fields fields) {
        return new UnitChecks(
                fields.is("conditions"),
                fields.is("assertions"),
                DualTimestamp.parse(fields.text("conditions-at")),
                DualTimestamp.parse(fields.text("assertions-at")),
                Map.of());
    }

    /**
     * Returns the results of a start that has checked both, or found that the conditions are not
     * met.
     */
    public UnitChecks after(Verdict ofConditions, Verdict ofAssertions) {
        return ofConditions.met()
                ? after(true, ofAssertions.met(), both(ofConditions.held(), ofAssertions.held()))
                : after(false, assertions, ofConditions.held());
    }

    private static Map<Condition, Boolean> both(
            Map<Condition, Boolean> conditions, Map<Condition, Boolean> assertions) {
        Map<Condition, Boolean> all = new HashMap<>(conditions);
        all.putAll(assertions);
        return Map.copyOf(all);
    }

    /** Returns the results of a start that had nothing to check. */
    public UnitChecks afterNone() {
        return after(true, true, Map.of());
    }

    private UnitChecks after(
            boolean conditionsNow, boolean assertionsNow, Map<Condition, Boolean> heldNow) {
        DualTimestamp now = DualTimestamp.now();
        return conditionsNow
                ? new UnitChecks(true, assertionsNow, now, now, heldNow)
                : new UnitChecks(false, assertions, now, assertionsAt, heldNow);
    }
}
