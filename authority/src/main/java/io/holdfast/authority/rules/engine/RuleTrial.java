package io.holdfast.authority.rules.engine;

import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.evaluation.AdministratorEvaluation;
import io.holdfast.authority.rules.evaluation.Evaluation;
import io.holdfast.authority.rules.evaluation.EvaluationCounts;
import io.holdfast.authority.rules.evaluation.ProgramOutcome;
import io.holdfast.authority.rules.evaluation.ProgramRuns;
import io.holdfast.authority.rules.evaluation.RuleEvaluation;
import io.holdfast.authority.rules.evaluation.RuleGeneration;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Evaluates rules for described subjects, without lookups in the system; programs are run only if
 * the limits allow it. All work is done on the calling thread, within the limits. Used by one
 * thread at a time.
 */
public final class RuleTrial {
    private final ProgramRuns programs;
    private final RuleGeneration generation;

    /**
     * Loads files.
     *
     * @param limits if they allow no {@link RuleLimits#programs}, {@code polkit.spawn} fails
     * @param log receives the log lines of the rules
     * @param user the user that programs run as; empty for the user of this process
     */
    public RuleTrial(RuleFiles files, RuleLimits limits, RuleLog log, Optional<ProgramUser> user) {
        programs = new ProgramRuns(limits, user);
        generation =
                RuleGeneration.load(
                        new RuleSandbox(limits), files, programs, log, new EvaluationCounts());
    }

    /** Returns the errors in the files. */
    public List<RuleDiagnostic> diagnostics() {
        return generation.diagnostics();
    }

    public RuleVerdict evaluate(RuleAction action, DescribedSubject subject) {
        AtomicReference<RuleVerdict> verdict =
                new AtomicReference<>(RuleEvaluation.refused("no answer"));
        return run(() -> new RuleEvaluation(generation, action, subject, verdict::set), verdict);
    }

    /** Evaluates the admin rules. */
    public AdministratorVerdict administrators(RuleAction action, DescribedSubject subject) {
        AtomicReference<AdministratorVerdict> verdict =
                new AtomicReference<>(AdministratorEvaluation.refused(List.of(), "no answer"));
        return run(
                () -> new AdministratorEvaluation(generation, action, subject, verdict::set),
                verdict);
    }

    private <V> V run(Supplier<Evaluation<V>> question, AtomicReference<V> verdict) {
        Evaluation<V> evaluation = question.get();
        Evaluation.Progress progress = evaluation.begin();
        while (progress
                instanceof
                Evaluation.Progress.Suspended(
                        Object continuation,
                        List<String> command,
                        Duration remaining)) {
            ProgramOutcome outcome = programs.run(evaluation.owner(), command, remaining).join();
            progress = evaluation.resume(continuation, outcome);
        }
        return verdict.get();
    }
}
