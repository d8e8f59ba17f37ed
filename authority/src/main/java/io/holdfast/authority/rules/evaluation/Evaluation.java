package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.authority.rules.sandbox.BuiltInChange;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.authority.rules.sandbox.ScriptPlace;
import io.holdfast.core.text.PrintableText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.ContinuationPending;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.Undefined;

/**
 * An evaluation of the rules for one check: it calls one function after the other until one
 * answers.
 *
 * <h2>How an evaluation is isolated, bounded and ended</h2>
 *
 * <p><b>Isolated.</b> Each evaluation has its own {@link Realm}: globals, {@code polkit}, {@code
 * Action} and {@code Subject} are made for it, and the rules files run again in it. It inherits the
 * objects of the language from {@link BuiltIns}, which all evaluations share and none can change.
 * An attempt throws a {@link BuiltInChange}: the evaluation begins again with built-in objects of
 * its own, and so does each later one with these files from the start. The realm ends with the
 * evaluation. Therefore no other evaluation sees anything that a rule changes, neither a prototype
 * nor a global nor an object that a function has closed over; a value that a file computes while it
 * is loaded exists in each realm as it was computed. In polkit(8), globals live as long as the
 * daemon, so that one user's check can change the answer to another's; here, a rule that keeps a
 * value in a global has to compute it again. Files are compiled once, when they are loaded. They
 * also run once then, to find their errors, and the programs that they run have the same outcomes
 * in each realm. A file that only adds rules does not run again: a realm gets only those of its
 * rules that may concern the action. An evaluation that no rule concerns makes no realm at all. The
 * interpreter's own state, the {@link RuleSandbox.Cell}, lasts for one step of one evaluation.
 *
 * <p><b>Bounded.</b> An evaluation has a {@link Budget}: 15 seconds, and memory from a part of the
 * heap that all evaluations share ({@code EvaluationMemory}), of which one user gets at most half.
 * The budget is checked at each function entry and after some hundred instructions, of which a step
 * of a regular expression is a few. The texts of callers have a maximum length ({@link
 * RuleLimits#TEXT}), and the built-in functions are bounded for texts of that length ({@link
 * BuiltIns}). The depth of recursion and the numbers of log lines and of programs are limited.
 * Rules are root's: what a rule can do with objects of its own within one call of a built-in
 * function, such as an array-like of 2⁵³ elements, is not bounded but ended.
 *
 * <p><b>Ended.</b> A budget that is used up throws an {@link Abort}, which no script can catch, and
 * throws it again at every further check: an evaluation that was ended once has no answer but "no".
 * A StackOverflowError or an OutOfMemoryError ends the evaluation in the same way, and its realm
 * becomes garbage. A thread that does not return from a built-in function is noticed by the {@code
 * EvaluatorWatch} half a second after its time limit: the watch refuses in its place, another
 * thread replaces it, and it ends at its next check. Until then it stays charged to its user's
 * share of the evaluators. At most as many threads may be stuck in this way as there are
 * evaluators. Every end except a rule's own answer is a refusal.
 *
 * <p>Used by one thread at a time, except {@link #abandon}; another thread may resume it after a
 * program.
 *
 * @param <V> the verdict
 */
public abstract class Evaluation<V> {
    private final RuleGeneration generation;
    private final Realm.Kind kind;
    private final RuleAction action;
    private final RuleSubject subject;
    private final Consumer<V> answer;
    private final Budget budget;
    private final List<RuleStep> steps = new ArrayList<>();
    private final AtomicBoolean answered = new AtomicBoolean();
    private @Nullable Realm realm;
    private Object @Nullable [] arguments;
    private RuleGeneration.@Nullable Selection selection;
    private int next;
    private volatile SourceLine at = ScriptPlace.UNKNOWN;
    private int logged;
    private boolean suspendable;

    /**
     * Makes an evaluation that has not begun.
     *
     * @throws Abort if there is no memory for it
     */
    Evaluation(
            RuleGeneration generation,
            Realm.Kind kind,
            RuleAction action,
            RuleSubject subject,
            Consumer<V> answer) {
        this.generation = generation;
        this.kind = kind;
        this.action = action;
        this.subject = subject;
        this.answer = answer;
        this.budget = Budget.ofEvaluation(generation.sandbox(), subject.uid());
    }

    /** Makes a verdict of a function's result, which is not false. */
    abstract V read(Object result, List<RuleStep> steps, SourceLine place);

    abstract V unanswered(List<RuleStep> steps);

    abstract V failed(List<RuleStep> steps, String why);

    /** The state of an evaluation after a step. */
    public sealed interface Progress {
        /** It has ended. */
        record Answered() implements Progress {}

        /** It waits for a program, and has to be resumed with the program's outcome. */
        record Suspended(Object continuation, List<String> command, Duration remaining)
                implements Progress {}
    }

    public Progress begin() {
        return proceed(null, null);
    }

    public Progress resume(Object continuation, ProgramOutcome outcome) {
        budget.resumed();
        return proceed(continuation, outcome);
    }

    private Progress proceed(@Nullable Object continuation, @Nullable ProgramOutcome outcome) {
        V verdict;
        try (RuleSandbox.Cell cell = generation.sandbox().open()) {
            cell.attach(budget);
            try {
                verdict = evaluate(cell, continuation, outcome);
                budget.requireNotEnded();
            } catch (ContinuationPending e) {
                @SuppressWarnings("unchecked")
                List<String> command = (List<String>) e.getApplicationState();
                budget.suspended();
                return new Progress.Suspended(e.getContinuation(), command, remaining());
            } catch (RhinoException e) {
                verdict = failure(ScriptPlace.of(e), ScriptPlace.details(e));
            }
        } catch (BuiltInChange e) { // begin again, with built-in objects of its own
            generation.changesBuiltIns();
            forget();
            selection = null;
            next = 0;
            suspendable = false;
            return proceed(null, null);
        } catch (Abort e) {
            verdict = failure(place(), String.valueOf(e.getMessage()));
        } catch (StackOverflowError e) {
            verdict = failure(place(), "nests too deeply");
        } catch (OutOfMemoryError e) {
            forget(); // first, to make room for the failure
            verdict = failure(place(), "took more memory than there is");
        } catch (RuntimeException | Error e) { // thrown by the interpreter itself
            verdict = failure(place(), e.toString());
        }
        forget();
        release();
        complete(verdict);
        return new Progress.Answered();
    }

    private void forget() {
        realm = null;
        arguments = null;
    }

    private V evaluate(
            RuleSandbox.Cell cell,
            @Nullable Object continuation,
            @Nullable ProgramOutcome outcome) {
        @Nullable Object pending = continuation;
        RuleGeneration.Selection selected = selection;
        if (selected == null) {
            steps.clear();
            selected = generation.select(cell, () -> realm(cell), kind, action.id());
            selection = selected;
        }
        while (next < selected.functions().size()) {
            RuleFunction rule = selected.functions().get(next);
            at = rule.place();
            Realm realm = realm(cell);
            Object result;
            if (pending == null || outcome == null) {
                Function function = rule.source().in(cell, realm);
                suspendable = RuleFunction.isScript(function);
                result = RuleFunction.call(cell, function, realm, arguments(cell));
            } else {
                budget.check();
                result = cell.resumeContinuation(pending, realm.global(), outcome.toScript());
                pending = null;
            }
            suspendable = false;
            if (!isFalse(result)) {
                return read(result, steps, rule.place());
            }
            steps.add(rule.silence());
            next++;
        }
        return unanswered(steps);
    }

    /** Returns the evaluation's realm, which is made when the first function needs it. */
    private Realm realm(RuleSandbox.Cell cell) {
        Realm own = realm;
        if (own == null) {
            own = generation.realm(cell);
            own.attach(this, generation.log());
            realm = own;
        }
        return own;
    }

    private Object[] arguments(RuleSandbox.Cell cell) {
        Object[] known = arguments;
        if (known == null) {
            Realm own = realm(cell);
            known = new Object[] {own.action(cell, action), own.subject(subject)};
            arguments = known;
        }
        return known;
    }

    /** Returns how many functions did not run because they concern other actions. */
    int skipped() {
        return selection == null ? 0 : selection.skipped();
    }

    private SourceLine place() {
        return selection == null || next >= selection.functions().size()
                ? ScriptPlace.UNKNOWN
                : selection.functions().get(next).place();
    }

    private V failure(SourceLine place, String details) {
        String why = PrintableText.of(details, RuleLog.LINE);
        log(place, why);
        steps.add(new RuleStep(place(), "failed: " + why));
        return failed(steps, place + ": " + why);
    }

    /** Logs an error of a rule. */
    void log(SourceLine place, String text) {
        generation.log().log(owner(), place, PrintableText.of(text, RuleLog.LINE));
    }

    /**
     * Answers in place of the thread if it is stuck in a built-in function: if its time was over
     * longer ago than the grace period. The thread's work ends at its next check of the budget.
     */
    public boolean abandonIfOver(long graceNanos) {
        if (answered.get() || budget.remaining() > -graceNanos) {
            return false;
        }
        abandon(budget.overTime() + " in a built-in function");
        return true;
    }

    /** Answers in place of the thread. Any thread may call it. */
    public void abandon(String why) {
        budget.revoke();
        complete(failed(List.of(), why));
    }

    private void complete(V verdict) {
        if (answered.compareAndSet(false, true)) {
            generation.counts().answered(budget.remaining() <= 0);
            answer.accept(verdict);
        }
    }

    public boolean isAnswered() {
        return answered.get();
    }

    /** Returns the place of the function that runs. Any thread may call it. */
    public SourceLine at() {
        return at;
    }

    /** Gives back the memory. Called when no thread works on the evaluation any more. */
    public void release() {
        budget.release();
    }

    /** Returns the user whose share it is charged to. */
    public long owner() {
        return subject.uid();
    }

    /** Returns its remaining time; zero if its time is over. */
    public Duration remaining() {
        return Duration.ofNanos(Math.max(budget.remaining(), 0));
    }

    /** Returns why it is over time; empty while it has time left. */
    public Optional<String> whyOver() {
        return budget.remaining() > 0 ? Optional.empty() : Optional.of(budget.overTime());
    }

    /** Returns whether the function called last is one whose continuation can be captured. */
    boolean isSuspendable() {
        return suspendable;
    }

    /** Counts a log line, and returns whether it is within the limit. */
    boolean mayLog() {
        return logged++ < RuleLimits.LOGGED;
    }

    private static boolean isFalse(@Nullable Object result) {
        if (result == null || Undefined.isUndefined(result)) {
            return true; // first, as nearly every rule returns nothing
        }
        return switch (result) {
            case Boolean truth -> !truth;
            case Number number -> number.doubleValue() == 0 || Double.isNaN(number.doubleValue());
            case CharSequence text -> text.isEmpty();
            default -> false;
        };
    }

    /** Describes a script's value, for people. */
    static String describe(Object result) {
        return switch (result) {
            case CharSequence text when text.length() > 64 ->
                    "a text of " + text.length() + " characters";
            case CharSequence text -> '"' + PrintableText.of(text.toString(), RuleLog.LINE) + '"';
            case Number number -> "the number " + number;
            case Boolean truth -> truth.toString();
            case NativeArray _ -> "an array";
            case Function _ -> "a function";
            case Scriptable _ -> "an object";
            default -> "a " + result.getClass().getSimpleName();
        };
    }
}
