package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** An evaluation of the rules: whether the subject is authorized. */
public final class RuleEvaluation extends Evaluation<RuleVerdict> {
    private static final int LONGEST_WORD = 64;

    public RuleEvaluation(
            RuleGeneration generation,
            RuleAction action,
            RuleSubject subject,
            Consumer<RuleVerdict> answer) {
        super(generation, Realm.Kind.RULE, action, subject, answer);
    }

    @Override
    RuleVerdict read(Object result, List<RuleStep> steps, SourceLine place) {
        Optional<ImplicitAuthorization> word =
                result instanceof CharSequence text && text.length() <= LONGEST_WORD
                        ? ImplicitAuthorization.ofWord(text.toString())
                        : Optional.empty();
        if (word.isPresent()) {
            steps.add(new RuleStep(place, word.get().word()));
            return new RuleVerdict(word, steps, skipped(), Optional.empty());
        }
        String why = "returned " + describe(result) + ", which is not a valid result";
        log(place, why);
        steps.add(new RuleStep(place, "failed: " + why));
        return failed(steps, place + ": " + why);
    }

    @Override
    RuleVerdict unanswered(List<RuleStep> steps) {
        return new RuleVerdict(Optional.empty(), steps, skipped(), Optional.empty());
    }

    @Override
    RuleVerdict failed(List<RuleStep> steps, String why) {
        return new RuleVerdict(
                Optional.of(ImplicitAuthorization.NO), steps, skipped(), Optional.of(why));
    }

    /** Returns the verdict of an evaluation that could not begin, which is a refusal. */
    public static RuleVerdict refused(String why) {
        return new RuleVerdict(
                Optional.of(ImplicitAuthorization.NO), List.of(), 0, Optional.of(why));
    }
}
