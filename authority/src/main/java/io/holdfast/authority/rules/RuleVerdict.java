package io.holdfast.authority.rules;

import io.holdfast.authority.action.ImplicitAuthorization;
import java.util.List;
import java.util.Optional;

/**
 * The result of the rules for a check.
 *
 * @param answer empty if no rule has answered: then the action's defaults apply
 * @param steps the rules that ran, in order
 * @param skipped how many rules did not run because they concern only other actions or other users;
 *     of the latter, those before the rule that has answered
 * @param failure why the answer is "no" although no rule returned it
 */
public record RuleVerdict(
        Optional<ImplicitAuthorization> answer,
        List<RuleStep> steps,
        int skipped,
        Optional<String> failure) {
    public RuleVerdict {
        steps = List.copyOf(steps);
    }

    /** Describes the rules that were skipped, for people; empty if there were none. */
    public Optional<String> describeSkipped() {
        return skipped == 0
                ? Optional.empty()
                : Optional.of(skipped + (skipped == 1 ? " is" : " are") + " about other actions");
    }
}
