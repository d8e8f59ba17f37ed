package io.holdfast.authority.rules.engine;

import io.holdfast.authority.action.Place;
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
 * A thread that evaluates rules. {@link RuleEngine#submit} hands it to work that is run on it; its
 * methods are for that thread only, and not to be kept for later.
 */
public final class Evaluator {
    /** A scope nests a few Java frames per call of a script. */
    static final long STACK_BYTES = 2L << 20;

    /** A further evaluator ends when it had nothing to do for so long. */
    private static final long RETIRE_NANOS = 10_000_000_000L;

    private enum State {
        BUSY,
        PARKED,
        GONE
    }

    private final RuleEngine engine;
    private final boolean lasting;
    private final Thread thread;
    private final AtomicReference<State> state = new AtomicReference<>(State.BUSY);
    private volatile long busySince; // 0: not busy
    private volatile @Nullable Evaluation<?> current;
    private volatile boolean abandoned;

    /**
     * @param lasting whether it stays when it has nothing to do
     */
    Evaluator(RuleEngine engine, int number, boolean lasting) {
        this.engine = engine;
        this.lasting = lasting;
        this.thread = new Thread(null, this::run, "rules-" + number, STACK_BYTES);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /**
     * Asks the rules.
     *
     * @param subject used by this thread, and by another that goes on after a program, until there
     *     is an answer
     * @param answer called once: before this returns, or by another evaluator, if a rule waits for
     *     a program; by a thread of the engine if this one is stuck in a built-in function. What it
     *     throws is logged
     */
    public void evaluate(RuleAction action, RuleSubject subject, Consumer<RuleVerdict> answer) {
        begin(
                generation -> new RuleEvaluation(generation, action, subject, answer),
                why -> answer.accept(RuleEvaluation.refused(why)));
    }

    /** Asks the admin rules, in the same way. */
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
            evaluation = question.apply(engine.generation());
        } catch (Abort e) {
            cannotBegin.accept(String.valueOf(e.getMessage()));
            return;
        } catch (RuntimeException | Error e) { // no memory, above all
            cannotBegin.accept("the rules cannot be run: " + e);
            return;
        }
        if (advance(evaluation, evaluation::begin)
                instanceof Evaluation.Progress.Suspended pending) {
            engine.suspend(evaluation, pending);
        }
    }

    /** Goes on with an evaluation that has waited for a program. */
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
                if (!serve() && !park()) {
                    break;
                }
            }
        } finally {
            engine.ended(this);
        }
    }

    /** One thing; false if there is none. */
    private boolean serve() {
        WorkQueue.Waiting next = engine.queue().take();
        if (next == null) {
            return false;
        }
        busySince = System.nanoTime() | 1;
        try {
            next.work.run(this);
        } catch (RuntimeException | Error e) { // of whoever asked
            engine.failed(e);
        } finally {
            busySince = 0;
            engine.queue().done(next);
        }
        return true;
    }

    /** Waits for something to do; false if it is time to go. */
    private boolean park() {
        long since = System.nanoTime();
        state.set(State.PARKED);
        if (engine.queue().isAnyReady() || engine.isClosed()) {
            state.set(State.BUSY);
            return true;
        }
        while (state.get() == State.PARKED) {
            if (lasting) {
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

    /** Whether it had been waiting, and now looks for work. */
    boolean wake() {
        if (state.get() == State.PARKED && state.compareAndSet(State.PARKED, State.BUSY)) {
            LockSupport.unpark(thread);
            return true;
        }
        return false;
    }

    /** For how long it has been at one thing; 0 if at none. */
    long busyNanos() {
        long since = busySince;
        return since == 0 ? 0 : Math.max(System.nanoTime() - since, 1);
    }

    /**
     * Answers for it if it is stuck: what it does is past its time by so much.
     *
     * @return the function that it is stuck in
     */
    Optional<Place> abandonIfStuck(long graceNanos) {
        Evaluation<?> evaluation = current;
        if (evaluation == null || !evaluation.abandonIfOver(graceNanos)) {
            return Optional.empty();
        }
        abandoned = true;
        return Optional.of(evaluation.at());
    }

    /** Answers for what it is at. */
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
