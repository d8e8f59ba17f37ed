package io.holdfast.authority.rules;

import java.util.Map;

/**
 * What a rule may ask of an action.
 *
 * @param details what the mechanism tells of this case
 */
public record RuleAction(String id, Map<String, String> details) {
    public RuleAction {
        details = Map.copyOf(details);
    }
}
