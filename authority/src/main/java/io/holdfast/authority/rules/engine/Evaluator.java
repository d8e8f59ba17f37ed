package io.holdfast.authority.rules.engine;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.AdministratorVerdict;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.rules.evaluation.AdministratorEvaluation;
import io.holdfast.authority.rules.evaluation.Evaluation;
import io.holdfast.authority.rules.evaluation.ProgramOutcome;
import io.holdfast.authority.rules.evaluation.RuleEvaluation;
import io.holdfast.authority.rules.evaluation.RuleGeneration;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A thread that evaluates rules. {@link RuleEngine#submit} passes it to the work that it runs. Its
 * public methods may be called only on that thread, while the work runs.
 */
public final class Evaluator {
    /** The stack size: each call of a script nests a few Java frames. */
    static final long STACK_BYTES = 2L << 20;

    /** An additional evaluator ends after it was idle for this long. */
    private static final long RETIRE_NANOS = 10_000_000_000L;

    private enum State {
        BUSY,
        PARKED,
        GONE
    }

    private final RuleEngine engine;
    private final boolean permanent;
    private final Thread thread;
    private final AtomicReference<State> state = new AtomicReference<>(State.BUSY);
    private volatile long busySince; // 0: not busy
    private volatile @Nullable Evaluation<?> current;
    private volatile boolean abandoned;

    /**
     * Makes an evaluator that is not started.
     *
     * @param permanent whether it stays when it is idle
     */
    Evaluator(RuleEngine engine, int number, boolean permanent) {
        this.engine = engine;
        this.permanent = permanent;
        this.thread = new Thread(null, this::run, "rules-" + number, STACK_BYTES);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /**
     * Evaluates the rules.
     *
     * @param subject used until there is an answer, by this thread, and by another one that resumes
     *     the evaluation after a program
     * @param answer called once: before this returns, or by another evaluator if a rule waits for a
     *     program, or by a thread of the engine if this thread is stuck in a built-in function. Its
     *     exceptions are logged
     */
    public void evaluate(RuleAction action, RuleSubject subject, Consumer<RuleVerdict> answer) {
        begin(
                generation -> new RuleEvaluation(generation, action, subject, answer),
                why -> answer.accept(RuleEvaluation.refused(why)));
    }

    /** Evaluates the admin rules in the same way. */
    public void administrators(
            RuleAction action, RuleSubject subject, Consumer<AdministratorVerdict> answer) {
        begin(
                generation -> new AdministratorEvaluation(generation, action, subject, answer),
                why -> answer.accept(AdministratorEvaluation.refused(List.of(), why)));
    }

    private void begin(
            Function<RuleGeneration, Evaluation<?>> question, Consumer<String> cannotBegin) {
        if (Thread.currentThread() != thread) {
            throw new IllegalStateException("not on the thread of this evaluator: " + thread);
        }
        Evaluation<?> evaluation;
        try {
            RuleGeneration generation = engine.generation();
            generation.prepare();
            evaluation = question.apply(generation);
        } catch (Abort e) {
            cannotBegin.accept(String.valueOf(e.getMessage()));
            return;
        } catch (RuntimeException | Error e) { // such as an OutOfMemoryError
            cannotBegin.accept("the rules cannot be run: " + e);
            return;
        }
        if (advance(evaluation, evaluation::begin)
                instanceof Evaluation.Progress.Suspended pending) {
            engine.suspend(evaluation, pending);
        }
    }

    /** Resumes an evaluation that has waited for a program. */
    void resume(Evaluation<?> evaluation, Object continuation, ProgramOutcome outcome) {
        if (advance(evaluation, () -> evaluation.resume(continuation, outcome))
                instanceof Evaluation.Progress.Suspended pending) {
            engine.suspend(evaluation, pending);
        }
    }

    private Evaluation.Progress advance(
            Evaluation<?> evaluation, Supplier<Evaluation.Progress> step) {
        @Nullable Evaluation<?> outer = current;
        current = evaluation;
        try {
            return step.get();
        } finally {
            current = outer;
        }
    }

    private void run() {
        try {
            Budget.prepare();
            while (!abandoned && !engine.isClosed()) {
                if (!runNext() && !park()) {
                    break;
                }
            }
        } finally {
            engine.ended(this);
        }
    }

    /** Runs one waiting piece of work; returns false if there is none. */
    private boolean runNext() {
        WorkQueue.Waiting next = engine.queue().take();
        if (next == null) {
            return false;
        }
        busySince = System.nanoTime() | 1;
        try {
            next.work.run(this);
        } catch (RuntimeException | Error e) { // thrown by the submitter's code
            engine.failed(e);
        } finally {
            busySince = 0;
            engine.queue().done(next);
        }
        return true;
    }

    /** Waits for work; returns false if this evaluator is to end. */
    private boolean park() {
        long since = System.nanoTime();
        state.set(State.PARKED);
        if (engine.queue().isAnyReady() || engine.isClosed()) {
            state.set(State.BUSY);
            return true;
        }
        while (state.get() == State.PARKED) {
            if (permanent) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, RETIRE_NANOS);
                if (System.nanoTime() - since >= RETIRE_NANOS
                        && state.compareAndSet(State.PARKED, State.GONE)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Wakes this evaluator to look for work; returns false if it was not parked. */
    boolean wake() {
        if (state.get() == State.PARKED && state.compareAndSet(State.PARKED, State.BUSY)) {
            LockSupport.unpark(thread);
            return true;
        }
        return false;
    }

    /** Returns how long it has been at its present work, in nanoseconds; 0 if it is idle. */
    long busyNanos() {
        long since = busySince;
        return since == 0 ? 0 : Math.max(System.nanoTime() - since, 1);
    }

    /**
     * Abandons this thread, and answers in its place, if its evaluation has exceeded its time by
     * more than the grace period.
     *
     * @return the function that it is stuck in; empty if it is not stuck
     */
    Optional<SourceLine> abandonIfStuck(long graceNanos) {
        Evaluation<?> evaluation = current;
        if (evaluation == null || !evaluation.abandonIfOver(graceNanos)) {
            return Optional.empty();
        }
        abandoned = true;
        return Optional.of(evaluation.at());
    }

    /** Answers in place of this thread, if it runs an evaluation. */
    void abandon(String why) {
        Evaluation<?> evaluation = current;
        if (evaluation != null) {
            evaluation.abandon(why);
        }
    }

    boolean isAlive() {
        return thread.isAlive();
    }
}
