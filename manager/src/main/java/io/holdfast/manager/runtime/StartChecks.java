package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.condition.ConditionCheck;
import io.holdfast.manager.unit.condition.MachineFacts;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitChecks;
import java.util.Map;

/**
 * The results of the {@code Condition*=} and {@code Assert*=} of a unit for one start.
 *
 * @param conditions if they are not met the unit is not started, which is no failure
 * @param assertions if they are not met the job fails
 */
public record StartChecks(ConditionCheck.Verdict conditions, ConditionCheck.Verdict assertions) {
    /** Checks the conditions and assertions of a unit now. Blocking. */
    public static StartChecks of(Unit unit, ManagerContext context) {
        Map<String, String> own = System.getenv();
        ConditionCheck check =
                new ConditionCheck(
                        MachineFacts.of(
                                context.host(),
                                context.scope().account(),
                                context.configuration().get().ofUnits(context.scope(), own),
                                own));
        return new StartChecks(
                check.check(unit.unit().conditions()), check.check(unit.unit().assertions()));
    }

    /** Adds these results to the earlier ones. */
    public UnitChecks after(UnitChecks before) {
        return before.after(conditions, assertions);
    }

    /** Returns why the unit is not started; empty if it may be started. */
    public String refusal() {
        if (!conditions.met()) {
            return "not started, condition not met: " + conditions.unmet();
        }
        return assertions.met() ? "" : "not started, assertion not met: " + assertions.unmet();
    }
}
