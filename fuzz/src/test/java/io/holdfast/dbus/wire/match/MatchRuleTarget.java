package io.holdfast.dbus.wire.match;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;

/** Match rules: each is refused, or means the same when its own text is parsed again. */
public final class MatchRuleTarget {
    private MatchRuleTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, MatchRuleTarget::check);
    }

    private static void check(byte[] input) {
        String text = Inputs.text(input);
        MatchRule rule;
        try {
            rule = MatchRule.parse(text);
        } catch (MatchRuleException e) {
            require(e.getMessage() != null && !e.getMessage().isBlank(), "a refusal says why");
            return;
        }
        same(MatchRule.parse(rule.toString()), rule);
        try {
            same(MatchRule.parseSubscription(text), rule);
        } catch (MatchRuleException e) {
            require(rule.eavesdrop(), "only eavesdropping is refused to subscribers");
        }
    }
}
