package io.holdfast.authority;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.client.Explanation;
import io.holdfast.authority.rules.RuleStep;
import java.util.ArrayList;
import java.util.List;

/** Collects the steps of a decision for its explanation. Used by one thread at a time. */
final class ExplanationBuilder {
    private final List<Explanation.Step> steps = new ArrayList<>();

    void add(String topic, String text) {
        steps.add(new Explanation.Step(topic, text, ""));
    }

    void add(String topic, String text, SourceLine place) {
        steps.add(new Explanation.Step(topic, text, place.toString()));
    }

    void add(String topic, List<RuleStep> rules) {
        rules.forEach(rule -> add(topic, rule.result(), rule.place()));
    }

    /**
     * Returns the explanation.
     *
     * @param subject the description of the subject, with the facts known at the end
     */
    Explanation build(String subject) {
        List<Explanation.Step> all = new ArrayList<>(steps.size() + 1);
        all.add(new Explanation.Step("subject", subject, ""));
        all.addAll(steps);
        return new Explanation(all);
    }
}
