package io.holdfast.manager.unit.condition;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Checks whether the conditions of a unit hold on this machine now. Blocking. */
public record ConditionCheck(MachineFacts machine) {
    /**
     * The result of a check.
     *
     * @param unmet the conditions that prevent the start; empty if the check succeeds
     * @param held for each condition, whether it holds on its own, regardless of the result
     */
    public record Verdict(List<Condition> unmet, Map<Condition, Boolean> held) {
        /** {@return whether no condition prevents the start} */
        public boolean met() {
            return unmet.isEmpty();
        }
    }

    /**
     * Checks conditions: all plain ones must hold and, if there are triggers, at least one of
     * these.
     */
    public Verdict check(List<Condition> conditions) {
        List<Condition> unmet = new ArrayList<>();
        List<Condition> unmetTriggers = new ArrayList<>();
        Map<Condition, Boolean> held = new HashMap<>();
        boolean triggered = false;
        for (Condition condition : conditions) {
            boolean holds = holds(condition);
            held.put(condition, holds);
            if (condition.trigger()) {
                triggered |= holds;
            }
            if (!holds) {
                (condition.trigger() ? unmetTriggers : unmet).add(condition);
            }
        }
        if (!triggered) {
            unmet.addAll(unmetTriggers);
        }
        return new Verdict(List.copyOf(unmet), Map.copyOf(held));
    }

    /**
     * Returns whether a condition holds. One that cannot be evaluated holds in no form: neither as
     * it is nor negated.
     */
    private boolean holds(Condition condition) {
        try {
            return ConditionTable.evaluate(condition.kind(), condition.parameter(), machine)
                    != condition.negated();
        } catch (InvalidPathException e) {
            return condition.negated(); // no such file can exist
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }
}
