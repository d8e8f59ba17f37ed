package io.holdfast.authority.rules;

import io.holdfast.authority.action.ImplicitAuthorization;
import java.util.List;
import java.util.Optional;

/**
 * What the rules say.
 *
 * @param answer empty if no rule has answered: then the defaults hold
 * @param steps the rules that ran, in order
 * @param skipped how many rules were not run, as they do nothing about this action, or about this
 *     user; the latter as far as the one that has answered
 * @param failure why the answer is "no" though no rule said so
 */
public record RuleVerdict(
        Optional<ImplicitAuthorization> answer,
        List<RuleStep> steps,
        int skipped,
        Optional<String> failure) {
    public RuleVerdict {
        steps = List.copyOf(steps);
    }

    /** Of the rules that were not run, for people; empty if there were none. */
    public Optional<String> describeSkipped() {
        return skipped == 0
                ? Optional.empty()
                : Optional.of(
                        skipped
                                + (skipped == 1 ? " is" : " are")
                                + " about other actions or users");
    }
}
