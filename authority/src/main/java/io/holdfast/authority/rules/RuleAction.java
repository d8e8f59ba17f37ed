package io.holdfast.authority.rules;

import java.util.Map;

/**
 * The action of a check, as rules see it.
 *
 * @param details what the mechanism adds about this case
 */
public record RuleAction(String id, Map<String, String> details) {
    public RuleAction {
        details = Map.copyOf(details);
    }
}
