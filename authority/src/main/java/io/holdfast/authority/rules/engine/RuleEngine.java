package io.holdfast.authority.rules.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.authority.action.Place;
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
import io.holdfast.authority.rules.sandbox.Sandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
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
 * Rules in JavaScript, on threads of their own. One evaluator serves normally; when it has been at
 * one check for longer than the {@link RuleLimits#patience} while others wait, another is started.
 * So a script that runs away keeps its own caller waiting and nobody else. Evaluators, the queue
 * for them and programs are shared out to the users who are asked about: who has many checks under
 * way waits for himself.
 *
 * <p>A check sees the rules from before a reload or those from after it, never some of each. How an
 * evaluation is isolated, bounded and ended is written in {@link Evaluation}.
 *
 * <p>Safe for use by any thread.
 */
public final class RuleEngine implements Rules, AutoCloseable {
    static final String CLOSED = "the rules are closed";

    private final Sandbox sandbox;
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
    private final Set<RuleDiagnostic> told = new HashSet<>();
    private volatile RuleGeneration generation;
    private volatile List<RuleDiagnostic> diagnostics = List.of();
    private volatile boolean closed;

    /** Something to be run by an evaluator. Exactly one of these is called. */
    public interface Work {
        /** On the evaluator's thread. It may block: after a while others are served by another. */
        void run(Evaluator evaluator);

        /**
         * There is none for it: on the thread that submits it, or on one of the engine's.
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
        this.sandbox = new Sandbox(limits);
        this.programs = new ProgramRuns(limits, programs);
        this.queue = new WorkQueue(limits);
        this.watch = new EvaluatorWatch(this, limits);
        this.generation = load();
    }

    /**
     * Reads and runs the files, on this thread, and begins to serve. What is wrong with a file
     * harms only itself.
     *
     * @param source of the files, now and for each {@link #reload}: {@code () ->
     *     RuleFiles.read(RuleFiles.STANDARD_FOLDERS)}
     */
    public static RuleEngine start(Supplier<RuleFiles> source, RuleLimits limits, RuleLog log) {
        return start(source, limits, log, Optional.empty());
    }

    /**
     * The same.
     *
     * @param programs the user whom programs of rules run as; empty for the user of this process
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
     * Reads the files again, runs them in a new scope on this thread, and then takes those rules
     * for all checks that begin from now on.
     *
     * @return what is wrong with them
     * @throws RuntimeException of the source, or if there is no memory: the old rules stay
     */
    @CanIgnoreReturnValue
    public List<RuleDiagnostic> reload() {
        synchronized (told) { // so that the last to read is the last to replace
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
            if (!told.contains(diagnostic)) { // else it is still so
                log.log(diagnostic.place(), diagnostic.message());
            }
        }
        told.clear();
        boolean _ = told.addAll(found);
        diagnostics = List.copyOf(found);
        return loaded;
    }

    /** So that what nests too deeply is the same here as on evaluators. */
    private static <T> T onDeepStack(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(null, task, "rules-load", Evaluator.STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // files have their time limit
                } catch (ExecutionException e) {
                    throw new IllegalStateException("the rules cannot be run", e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** How the rules are doing. */
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

    /** What is wrong with the files, as of the last (re)load. */
    public List<RuleDiagnostic> diagnostics() {
        return diagnostics;
    }

    /**
     * Has it run by an evaluator. Returns at once.
     *
     * @param user in whose share it is: the uid of whom the check is about
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

    /** Has one evaluator that has nothing to do look for work. */
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
     * {@inheritDoc} The future completes on a thread of the rules, which its dependents must not
     * hold up.
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

    /** Ends the evaluations and programs under way, with answers of "no", and refuses others. */
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

    // for the evaluators

    WorkQueue queue() {
        return queue;
    }

    /** Runs the program that an evaluation waits for, and then has any evaluator go on with it. */
    void suspend(Evaluation<?> evaluation, Evaluation.Progress.Suspended pending) {
        if (evaluation.isAnswered()) {
            evaluation.release();
            return; // by another, for it was stuck
        }
        boolean _ = suspended.add(evaluation);
        var _ =
                programs.run(evaluation.owner(), pending.command(), pending.remaining())
                        .thenAccept(outcome -> goOn(evaluation, pending.continuation(), outcome));
        if (closed) {
            end(evaluation, CLOSED);
        }
    }

    private void goOn(Evaluation<?> evaluation, Object continuation, ProgramOutcome outcome) {
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

    /** A thread could not be ended, only given up. */
    void tellStuck(Place where, int number) {
        log.log(
                where,
                "a built-in function does not end, and its thread runs on: %d of at most %d do"
                        .formatted(number, limits.evaluators() + 1));
    }

    /** Something that we were given to run or to call back threw this. */
    void failed(Throwable thrown) {
        log.log(ScriptPlace.UNKNOWN, PrintableText.of("a check failed: " + thrown, RuleLog.LINE));
    }

    void ended(Evaluator evaluator) {
        boolean _ = evaluators.remove(evaluator);
    }

    // for their watch

    List<Evaluator> evaluators() {
        return evaluators;
    }

    void addEvaluator() {
        Evaluator evaluator = new Evaluator(this, numbers.incrementAndGet(), evaluators.isEmpty());
        boolean _ = evaluators.add(evaluator);
        evaluator.start();
    }

    /** How often something was added to the queue. */
    long submitted() {
        return submitted.get();
    }
}
