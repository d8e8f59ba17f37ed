package io.holdfast.authority.rules.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleMetrics;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.Rules;
import io.holdfast.authority.rules.evaluation.AdministratorEvaluation;
import io.holdfast.authority.rules.evaluation.Evaluation;
import io.holdfast.authority.rules.evaluation.EvaluationCounts;
import io.holdfast.authority.rules.evaluation.ProgramOutcome;
import io.holdfast.authority.rules.evaluation.ProgramRuns;
import io.holdfast.authority.rules.evaluation.RuleEvaluation;
import io.holdfast.authority.rules.evaluation.RuleGeneration;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.text.PrintableText;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * The engine that evaluates rules in JavaScript, on its own threads. Normally one evaluator serves;
 * when it has run one check for longer than {@link RuleLimits.Evaluators#busy} while others wait,
 * another is started. So a runaway script delays only its own caller. Evaluators, the places in
 * their queue and programs are shared fairly between the users of the subjects: a user with many
 * checks under way delays only that user's own.
 *
 * <p>A check uses the rules from before a reload or those from after it, never a mixture. {@link
 * Evaluation} explains how an evaluation is isolated, bounded and ended.
 *
 * <p>Thread-safe.
 */
public final class RuleEngine implements Rules, AutoCloseable {
    static final String CLOSED = "the rules are closed";

    private final RuleSandbox sandbox;
    private final RuleLimits limits;
    private final RuleLog log;
    private final Supplier<RuleFiles> source;
    private final ProgramRuns programs;
    private final WorkQueue queue;
    private final Set<Evaluation<?>> suspended = ConcurrentHashMap.newKeySet();
    private final AtomicLong submitted = new AtomicLong();
    private final EvaluationCounts counts = new EvaluationCounts();
    private final LongAdder refusals = new LongAdder();
    private final AtomicInteger numbers = new AtomicInteger();
    private final List<Evaluator> evaluators = new CopyOnWriteArrayList<>();
    private final EvaluatorWatch watch;
    private final Set<RuleDiagnostic> logged = new HashSet<>();
    private volatile RuleGeneration generation;
    private volatile List<RuleDiagnostic> diagnostics = List.of();
    private volatile boolean closed;

    /** Work for an evaluator. Exactly one of these methods is called. */
    public interface Work {
        /** Runs on the evaluator's thread. It may block: after a while, another serves the rest. */
        void run(Evaluator evaluator);

        /**
         * Handles that no evaluator runs this work. Called on the submitting thread, or on one of
         * the engine's.
         *
         * @param why for people
         */
        void refused(String why);
    }

    private RuleEngine(
            Supplier<RuleFiles> source,
            RuleLimits limits,
            RuleLog log,
            Optional<ProgramUser> programs) {
        this.source = source;
        this.limits = limits;
        this.log = log;
        this.sandbox = new RuleSandbox(limits);
        this.programs = new ProgramRuns(limits, programs);
        this.queue = new WorkQueue(limits);
        this.watch = new EvaluatorWatch(this, limits);
        this.generation = load();
    }

    /**
     * Reads and runs the files on this thread, and starts an evaluator. An error in a file affects
     * only that file.
     *
     * @param source reads the files, now and for each {@link #reload}, such as {@code () ->
     *     RuleFiles.read(RuleFiles.STANDARD_FOLDERS)}
     * @param programs the user that programs of rules run as; empty for the user of this process
     */
    public static RuleEngine start(
            Supplier<RuleFiles> source,
            RuleLimits limits,
            RuleLog log,
            Optional<ProgramUser> programs) {
        RuleEngine engine = new RuleEngine(source, limits, log, programs);
        engine.addEvaluator();
        engine.watch.start();
        return engine;
    }

    /**
     * Reads the files again, runs them in a new scope on this thread, and then uses the new rules
     * for every check that begins from now on.
     *
     * @return the errors in the files
     * @throws RuntimeException if the source throws it, or if there is no memory: the old rules
     *     stay in effect
     */
    @CanIgnoreReturnValue
    public List<RuleDiagnostic> reload() {
        synchronized (logged) { // the last reload that reads is the last that replaces
            generation = load();
            return diagnostics;
        }
    }

    private RuleGeneration load() {
        RuleFiles files = source.get();
        RuleGeneration loaded =
                onDeepStack(() -> RuleGeneration.load(sandbox, files, programs, log, counts));
        List<RuleDiagnostic> found = loaded.diagnostics();
        for (RuleDiagnostic diagnostic : found) {
            if (!logged.contains(diagnostic)) { // an unchanged error is logged once
                log.log(diagnostic.place(), diagnostic.message());
            }
        }
        logged.clear();
        boolean _ = logged.addAll(found);
        diagnostics = List.copyOf(found);
        return loaded;
    }

    /** Runs work on a stack of the evaluators' size, so that it may nest as deeply as on them. */
    private static <T> T onDeepStack(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(null, task, "rules-load", Evaluator.STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        return Uninterruptible.await(() -> { // each file has a time limit
            try {
                return task.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException("the rules cannot be run", e.getCause());
            }
        });
    }

    /** Returns the present metrics. */
    public RuleMetrics metrics() {
        return new RuleMetrics(
                evaluators.size(),
                watch.stuck(),
                watch.stuckEver(),
                programs.running(),
                counts.answered(),
                counts.overTime(),
                refusals.sum());
    }

    /** Returns the errors in the files, as of the last load. */
    public List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /**
     * Submits work to the evaluators. Returns at once.
     *
     * @param user the uid whose share the work is charged to: the user of the check's subject
     */
    public void submit(long user, Work work) {
        Optional<String> refusal = queue.add(user, work, limits.evaluation());
        if (refusal.isPresent()) {
            work.refused(refusal.get());
        } else {
            added();
        }
    }

    private void added() {
        long _ = submitted.incrementAndGet();
        if (closed) {
            queue.refuseAll(CLOSED);
            return;
        }
        if (wakeAny()) {
            watch.noticeWork();
        } else {
            watch.noticeWait();
        }
    }

    /** Wakes one idle evaluator to look for work; returns false if none is idle. */
    @CanIgnoreReturnValue
    boolean wakeAny() {
        for (Evaluator evaluator : evaluators) {
            if (evaluator.wake()) {
                return true;
            }
        }
        return false;
    }

    /**
     * {@inheritDoc} The future completes on a thread of the rules; its dependents must not block
     * it.
     */
    @Override
    public CompletableFuture<RuleVerdict> evaluate(RuleAction action, RuleSubject subject) {
        CompletableFuture<RuleVerdict> verdict = new CompletableFuture<>();
        submit(
                subject.uid(),
                new Work() {
                    @Override
                    public void run(Evaluator evaluator) {
                        evaluator.evaluate(action, subject, verdict::complete);
                    }

                    @Override
                    public void refused(String why) {
                        refusals.increment();
                        boolean _ = verdict.complete(RuleEvaluation.refused(why));
                    }
                });
        return verdict;
    }

    @Override
    public CompletableFuture<AdministratorVerdict> administrators(
            RuleAction action, RuleSubject subject) {
        CompletableFuture<AdministratorVerdict> verdict = new CompletableFuture<>();
        submit(
                subject.uid(),
                new Work() {
                    @Override
                    public void run(Evaluator evaluator) {
                        evaluator.administrators(action, subject, verdict::complete);
                    }

                    @Override
                    public void refused(String why) {
                        refusals.increment();
                        boolean _ =
                                verdict.complete(AdministratorEvaluation.refused(List.of(), why));
                    }
                });
        return verdict;
    }

    /** Ends the evaluations and programs under way with "no", and refuses all others. */
    @Override
    public void close() {
        closed = true;
        watch.stop();
        programs.close();
        for (Evaluator evaluator : evaluators) {
            evaluator.abandon(CLOSED);
            boolean _ = evaluator.wake();
        }
        queue.refuseAll(CLOSED);
        for (Evaluation<?> evaluation : suspended) {
            end(evaluation, CLOSED);
        }
    }

    // ---- for the evaluators

    WorkQueue queue() {
        return queue;
    }

    /** Runs the program that an evaluation waits for, and then lets any evaluator resume it. */
    void suspend(Evaluation<?> evaluation, Evaluation.Progress.Suspended pending) {
        if (evaluation.isAnswered()) {
            evaluation.release();
            return; // the watch has answered for it, because it was stuck
        }
        boolean _ = suspended.add(evaluation);
        var _ =
                programs.run(evaluation.owner(), pending.command(), pending.remaining())
                        .thenAccept(outcome ->
                                enqueueResume(evaluation, pending.continuation(), outcome));
        if (closed) {
            end(evaluation, CLOSED);
        }
    }

    private void enqueueResume(
            Evaluation<?> evaluation, Object continuation, ProgramOutcome outcome) {
        queue.addAgain(
                evaluation.owner(),
                new Work() {
                    @Override
                    public void run(Evaluator evaluator) {
                        if (suspended.remove(evaluation)) {
                            evaluator.resume(evaluation, continuation, outcome);
                        }
                    }

                    @Override
                    public void refused(String why) {
                        end(evaluation, evaluation.whyOver().orElse(why));
                    }
                },
                evaluation.remaining());
        added();
    }

    private void end(Evaluation<?> evaluation, String why) {
        if (suspended.remove(evaluation)) {
            evaluation.abandon(why);
            evaluation.release();
        }
    }

    boolean isClosed() {
        return closed;
    }

    ProgramRuns programs() {
        return programs;
    }

    RuleGeneration generation() {
        return generation;
    }

    /** Logs that a thread could not be ended, only abandoned. */
    void logStuck(SourceLine where, int number) {
        log.log(
                where,
                "a built-in function does not return; its thread was abandoned (%d of at most %d)"
                        .formatted(number, limits.evaluators().count() + 1));
    }

    /** Logs an exception of submitted work or of the receiver of an answer. */
    void failed(Throwable thrown) {
        log.log(ScriptPlace.UNKNOWN, PrintableText.of("a check failed: " + thrown, RuleLog.LINE));
    }

    void ended(Evaluator evaluator) {
        boolean _ = evaluators.remove(evaluator);
    }

    // ---- for the watch

    List<Evaluator> evaluators() {
        return evaluators;
    }

    void addEvaluator() {
        Evaluator evaluator = new Evaluator(this, numbers.incrementAndGet(), evaluators.isEmpty());
        boolean _ = evaluators.add(evaluator);
        evaluator.start();
    }

    /** Returns how often work was added to the queue. */
    long submitted() {
        return submitted.get();
    }
}
