package io.holdfast.authority.rules;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Rules that are tried on subjects which are only described: nothing is asked of the system, and
 * programs are run only if wanted. Everything happens on the calling thread, within the limits.
 * Safe for use by one thread at a time.
 */
public final class RuleTrial {
    private final Sandbox sandbox;
    private final ProgramRuns programs;
    private final RuleScope scope;
    private final List<RuleDiagnostic> diagnostics;

    /**
     * Runs files.
     *
     * @param limits with no {@link RuleLimits#programs} for {@code polkit.spawn} to fail
     * @param log told what the rules log
     */
    public RuleTrial(RuleFiles files, RuleLimits limits, RuleLog log) {
        sandbox = new Sandbox(limits);
        programs = new ProgramRuns(limits);
        scope = RuleScope.load(sandbox, files, limits, programs, log);
        scope.logTo(log);
        diagnostics =
                Stream.concat(files.diagnostics().stream(), scope.diagnostics().stream()).toList();
    }

    /** What is wrong with the files. */
    public List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /** What the rules say. */
    public RuleVerdict evaluate(RuleAction action, DescribedSubject subject) {
        AtomicReference<RuleVerdict> verdict =
                new AtomicReference<>(RuleEvaluation.refused("no answer"));
        return run(cell -> new RuleEvaluation(cell, scope, action, subject, verdict::set), verdict);
    }

    /** Whom the admin rules name. */
    public AdministratorVerdict administrators(RuleAction action, DescribedSubject subject) {
        AtomicReference<AdministratorVerdict> verdict =
                new AtomicReference<>(AdministratorEvaluation.refused(List.of(), "no answer"));
        return run(
                cell -> new AdministratorEvaluation(cell, scope, action, subject, verdict::set),
                verdict);
    }

    private <V> V run(Function<Sandbox.Cell, Evaluation<V>> question, AtomicReference<V> verdict) {
        try (Sandbox.Cell cell = sandbox.open()) {
            Evaluation<V> evaluation = question.apply(cell);
            Evaluation.Progress progress = evaluation.begin(cell);
            while (progress
                    instanceof
                    Evaluation.Progress.Suspended(
                            Object continuation,
                            List<String> command,
                            Duration remaining)) {
                ProgramOutcome outcome = programs.run(evaluation.user(), command, remaining).join();
                progress = evaluation.resume(cell, continuation, outcome);
            }
        }
        return verdict.get();
    }
}
