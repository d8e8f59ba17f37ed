package io.holdfast.manager.view;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.value.Condition;
import io.holdfast.manager.unit.value.ConditionCheck.Verdict;
import java.util.HashMap;
import java.util.Map;

/**
 * What came of the conditions and assertions of a unit at its last start.
 *
 * @param at when the conditions were checked; never, if the unit was not started since it was
 *     loaded
 * @param assertionsAt when the assertions were checked, which is done only if the conditions are
 *     met
 * @param held whether each of them by itself held; without those that were not checked
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

    /** Writes down what came of them, but not of each by itself. */
    public void record(Fields fields) {
        fields.put("conditions", conditions)
                .put("assertions", assertions)
                .put("conditions-at", at.toString())
                .put("assertions-at", assertionsAt.toString());
    }

    /** The opposite of {@link #record}. */
    public static UnitChecks of(Fields fields) {
        return new UnitChecks(
                fields.is("conditions"),
                fields.is("assertions"),
                DualTimestamp.parse(fields.text("conditions-at")),
                DualTimestamp.parse(fields.text("assertions-at")),
                Map.of());
    }

    /** A start has checked both now, or found that the conditions are not met. */
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

    /** A start had nothing to check. */
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
