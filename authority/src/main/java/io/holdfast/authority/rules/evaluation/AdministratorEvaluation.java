package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.subject.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.mozilla.javascript.NativeArray;

/** An evaluation of the admin rules: which users are administrators for a check. */
public final class AdministratorEvaluation extends Evaluation<AdministratorVerdict> {
    /** The maximum number of identities that one function may return; further ones are ignored. */
    static final int MAX_IDENTITIES = 1_024;

    private static final int LONGEST_IDENTITY = 4_096;

    public AdministratorEvaluation(
            RuleGeneration generation,
            RuleAction action,
            RuleSubject subject,
            Consumer<AdministratorVerdict> answer) {
        super(generation, Realm.Kind.ADMIN_RULE, action, subject, answer);
    }

    @Override
    AdministratorVerdict read(Object result, List<RuleStep> steps, SourceLine place) {
        if (!(result instanceof NativeArray array)) {
            String why = "returned " + describe(result) + ", which is no array of identities";
            log(place, why);
            steps.add(new RuleStep(place, "failed: " + why));
            return failed(steps, place + ": " + why);
        }
        List<Identity> identities = identities(array, place);
        steps.add(
                new RuleStep(
                        place,
                        String.join(" ", identities.stream().map(Identity::toString).toList())));
        return new AdministratorVerdict(identities, steps, Optional.empty());
    }

    private List<Identity> identities(NativeArray array, SourceLine place) {
        List<Identity> identities = new ArrayList<>();
        for (int i = 0; i < Math.min(array.getLength(), MAX_IDENTITIES); i++) {
            Object element = array.get(i, array);
            if (!(element instanceof CharSequence text) || text.length() > LONGEST_IDENTITY) {
                log(place, "named " + describe(element) + ", which is no identity");
                continue;
            }
            for (String word : text.toString().split(",", -1)) {
                try {
                    identities.add(Identity.parse(word));
                } catch (IllegalArgumentException e) {
                    log(place, String.valueOf(e.getMessage()));
                }
            }
        }
        return identities;
    }

    @Override
    AdministratorVerdict unanswered(List<RuleStep> steps) {
        return new AdministratorVerdict(List.of(), steps, Optional.empty());
    }

    @Override
    AdministratorVerdict failed(List<RuleStep> steps, String why) {
        return refused(steps, why);
    }

    public static AdministratorVerdict refused(List<RuleStep> steps, String why) {
        return new AdministratorVerdict(List.of(), steps, Optional.of(why));
    }
}
