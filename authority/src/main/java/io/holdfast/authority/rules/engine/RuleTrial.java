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
import io.holdfast.authority.rules.sandbox.Sandbox;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Rules that are tried on subjects which are only described: nothing is asked of the system, and
 * programs are run only if wanted. Everything happens on the calling thread, within the limits.
 * Safe for use by one thread at a time.
 */
public final class RuleTrial {
    private final ProgramRuns programs;
    private final RuleGeneration generation;

    /**
     * Runs files, and their programs as the user of this process.
     *
     * @param limits with no {@link RuleLimits#programs} for {@code polkit.spawn} to fail
     * @param log receives what the rules log
     */
    public RuleTrial(RuleFiles files, RuleLimits limits, RuleLog log) {
        this(files, limits, log, Optional.empty());
    }

    /**
     * Runs files.
     *
     * @param limits with no {@link RuleLimits#programs} for {@code polkit.spawn} to fail
     * @param log receives what the rules log
     * @param user whom programs run as; empty for the user of this process
     */
    public RuleTrial(RuleFiles files, RuleLimits limits, RuleLog log, Optional<ProgramUser> user) {
        programs = new ProgramRuns(limits, user);
        generation =
                RuleGeneration.load(
                        new Sandbox(limits), files, programs, log, new EvaluationCounts());
    }

    /** What is wrong with the files. */
    public List<RuleDiagnostic> diagnostics() {
        return generation.diagnostics();
    }

    /** What the rules say. */
    public RuleVerdict evaluate(RuleAction action, DescribedSubject subject) {
        AtomicReference<RuleVerdict> verdict =
                new AtomicReference<>(RuleEvaluation.refused("no answer"));
        return run(() -> new RuleEvaluation(generation, action, subject, verdict::set), verdict);
    }

    /** Whom the admin rules name. */
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
