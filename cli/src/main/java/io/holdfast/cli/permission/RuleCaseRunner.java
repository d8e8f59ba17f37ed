package io.holdfast.cli.permission;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.engine.RuleTrial;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Evaluates the cases of {@code holdfast rules test}, and prints the result of each. */
final class RuleCaseRunner {
    private final List<RuleStep> logged = new ArrayList<>();
    private final RuleTrial trial;
    private final ActionPool actions;
    private final List<RuleCase> cases;
    private final boolean json;

    /**
     * Loads the rules.
     *
     * @param actions the actions whose implicit authorizations apply if no rule decides
     * @param programs how the programs of {@code polkit.spawn} are run
     */
    RuleCaseRunner(
            RuleFiles files,
            ActionPool actions,
            List<RuleCase> cases,
            RulePrograms programs,
            boolean json) {
        this.trial =
                new RuleTrial(
                        files,
                        programs.limits(),
                        (place, text) -> logged.add(new RuleStep(place, text)),
                        programs.user());
        this.actions = actions;
        this.cases = List.copyOf(cases);
        this.json = json;
    }

    private record Result(
            RuleCase ruleCase, String answer, List<Step> steps, Optional<Boolean> isExpected) {
        boolean hasFailed() {
            return !isExpected.orElse(true);
        }
    }

    /**
     * One line of the explanation: a rule that ran, a line that it logged, or the implicit
     * authorization.
     */
    private record Step(String topic, String text, Optional<SourceLine> place) {}

    /**
     * Runs all cases.
     *
     * @return the exit code: failure if a result is not the expected one, or the rules have
     *     diagnostics
     */
    int run(Output output) {
        logged.clear(); // lines logged while loading are among the diagnostics
        for (RuleDiagnostic diagnostic : trial.diagnostics()) {
            output.complain(diagnostic.toString());
        }
        int failed = 0;
        for (RuleCase each : cases) {
            Result result = evaluate(each);
            failed += result.hasFailed() ? 1 : 0;
            if (json) {
                output.line(json(result).toString());
            } else {
                print(result, output);
            }
        }
        if (!json && cases.size() != 1) {
            output.line(
                    cases.size() + " cases: ",
                    failed == 0
                            ? output.good("all as expected")
                            : output.bad(failed + " not as expected"));
        }
        return failed == 0 && trial.diagnostics().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private Result evaluate(RuleCase ruleCase) {
        List<Step> steps = new ArrayList<>();
        RuleVerdict verdict = trial.evaluate(ruleCase.action(), ruleCase.subject());
        verdict.steps().forEach(step -> steps.add(new Step("rule", step.result(), at(step))));
        verdict.describeSkipped()
                .ifPresent(text -> steps.add(new Step("rules", text, Optional.empty())));
        verdict.failure().ifPresent(why -> steps.add(new Step("failure", why, Optional.empty())));
        Optional<ImplicitAuthorization> answer =
                verdict.answer().or(() -> byDefault(ruleCase, steps));
        if (answer.map(ImplicitAuthorization::needsAdministrator).orElse(false)) {
            AdministratorVerdict who = trial.administrators(ruleCase.action(), ruleCase.subject());
            who.steps().forEach(step -> steps.add(new Step("admin rule", step.result(), at(step))));
            who.failure().ifPresent(why -> steps.add(new Step("failure", why, Optional.empty())));
        }
        logged.forEach(line -> steps.add(new Step("log", line.result(), at(line))));
        logged.clear();
        String word = answer.map(ImplicitAuthorization::word).orElse(RuleCase.NOTHING);
        return new Result(ruleCase, word, steps, ruleCase.expected().map(word::equals));
    }

    private static Optional<SourceLine> at(RuleStep step) {
        return Optional.of(step.place());
    }

    private Optional<ImplicitAuthorization> byDefault(RuleCase ruleCase, List<Step> steps) {
        Optional<Action> action = actions.action(ruleCase.action().id());
        return action.map(known -> {
            ImplicitAuthorization implicit =
                    known.implicit(ruleCase.subject().isLocal(), ruleCase.subject().isActive());
            steps.add(new Step("defaults", implicit.word(), Optional.of(known.place())));
            return implicit;
        });
    }

    private static void print(Result result, Output output) {
        Output.Styled answer = output.strong(result.answer);
        String instead = "";
        if (result.hasFailed()) {
            answer = output.bad(result.answer);
            instead = ", expected " + result.ruleCase.expected().orElse("");
        } else if (result.isExpected.isPresent()) {
            answer = output.good(result.answer);
        }
        output.line(result.ruleCase.question() + ": ", answer, instead);
        for (Step step : result.steps) {
            String place = step.place.map(at -> " " + at).orElse("");
            output.line("  ", output.faint(step.topic + ":"), " ", step.text, output.faint(place));
        }
    }

    private static JsonText json(Result result) {
        return JsonText.object()
                .put("place", result.ruleCase.place().map(SourceLine::toString))
                .put("action", result.ruleCase.action().id())
                .put("subject", result.ruleCase.described())
                .put("answer", result.answer)
                .put("expected", result.ruleCase.expected())
                .put("isExpected", result.isExpected)
                .put(
                        "steps",
                        result.steps.stream()
                                .map(step ->
                                        JsonText.object()
                                                .put("topic", step.topic)
                                                .put("text", step.text)
                                                .put("place", step.place.map(SourceLine::toString)))
                                .toList());
    }
}
