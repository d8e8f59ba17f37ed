package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
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
 * One question to the functions of a scope, one after the other until one answers. By one thread at
 * a time, apart from {@link #abandon}: that which goes on after a program may be another.
 *
 * @param <V> the verdict
 */
abstract class Evaluation<V> {
    private final RuleScope scope;
    private final long user;
    private final RuleFunctions.Walk functions;
    private final Consumer<V> answer;
    private final Budget budget;
    private final Object[] arguments;
    private final List<RuleStep> steps = new ArrayList<>();
    private final AtomicBoolean answered = new AtomicBoolean();
    private volatile Place at = ScriptPlace.UNKNOWN;
    private int logged;
    private boolean suspendable;

    Evaluation(
            Sandbox.Cell cell,
            RuleScope scope,
            RuleFunctions functions,
            RuleAction action,
            RuleSubject subject,
            Consumer<V> answer) {
        this.scope = scope;
        this.user = subject.uid();
        this.answer = answer;
        this.budget = new Budget(scope.limits().evaluation(), scope.limits().allocated());
        SubjectObject object = scope.subject(subject);
        this.arguments = new Object[] {scope.action(cell, action), object};
        this.functions =
                functions.about(
                        action.id(),
                        () -> {
                            at = place();
                            return object.userAsText();
                        });
    }

    /** What a function returned that is not false. */
    abstract V read(Object result, List<RuleStep> steps, Place place);

    abstract V unanswered(List<RuleStep> steps);

    abstract V failed(List<RuleStep> steps, String why);

    /** Where an evaluation has come to. */
    sealed interface Progress {
        /** It is over. */
        record Answered() implements Progress {}

        /** It waits for a program, and is to be resumed with what comes of it. */
        record Suspended(Object continuation, List<String> command, Duration remaining)
                implements Progress {}
    }

    Progress begin(Sandbox.Cell cell) {
        return proceed(cell, null, null);
    }

    Progress resume(Sandbox.Cell cell, Object continuation, ProgramOutcome outcome) {
        budget.resumed();
        return proceed(cell, continuation, outcome);
    }

    private Progress proceed(
            Sandbox.Cell cell, @Nullable Object continuation, @Nullable ProgramOutcome outcome) {
        V verdict;
        cell.budget = budget;
        cell.evaluation = this;
        try {
            verdict = ask(cell, continuation, outcome);
        } catch (ContinuationPending e) {
            @SuppressWarnings("unchecked")
            List<String> command = (List<String>) e.getApplicationState();
            return new Progress.Suspended(e.getContinuation(), command, remaining());
        } catch (RhinoException e) {
            verdict = failure(ScriptPlace.of(e), ScriptPlace.details(e));
        } catch (Abort e) {
            if (e.spoils()) {
                scope.spoil();
            }
            verdict = failure(place(), String.valueOf(e.getMessage()));
        } catch (StackOverflowError e) {
            scope.spoil();
            verdict = failure(place(), "nests too deeply");
        } catch (OutOfMemoryError e) {
            scope.spoil();
            verdict = failure(place(), "took more memory than there is");
        } catch (RuntimeException | Error e) { // of the interpreter itself
            scope.spoil();
            verdict = failure(place(), e.toString());
        } finally {
            cell.budget = null;
            cell.evaluation = null;
        }
        tell(verdict);
        return new Progress.Answered();
    }

    private V ask(
            Sandbox.Cell cell, @Nullable Object continuation, @Nullable ProgramOutcome outcome) {
        @Nullable Object pending = continuation;
        if (pending == null) {
            functions.advance();
        }
        for (; ; ) {
            RuleFunction function = functions.current();
            if (function == null) {
                return unanswered(steps);
            }
            suspendable = function.isScript();
            at = function.place();
            Object result;
            if (pending == null || outcome == null) {
                result = function.call(cell, scope.global(), arguments);
            } else {
                budget.check();
                result = cell.resumeContinuation(pending, scope.global(), outcome.toScript());
                pending = null;
            }
            suspendable = false;
            if (!isFalse(result)) {
                return read(result, steps, function.place());
            }
            steps.add(function.silence());
            functions.advance();
        }
    }

    /** How many functions were not run, as they are about other actions or users. */
    int passedOver() {
        return functions.passedOver();
    }

    private Place place() {
        RuleFunction function = functions.current();
        return function == null ? ScriptPlace.UNKNOWN : function.place();
    }

    private V failure(Place place, String details) {
        String why = PrintableText.of(details, RuleLog.LINE);
        scope.tell(place, why);
        steps.add(new RuleStep(place(), "failed: " + why));
        return failed(steps, place + ": " + why);
    }

    /**
     * Answers in place of the thread, which is stuck in a built-in function; that ends as soon as
     * the interpreter is asked.
     */
    boolean abandonIfOver(long graceNanos) {
        if (answered.get() || budget.remaining() > -graceNanos) {
            return false;
        }
        abandon(budget.overTime() + " in a built-in function");
        return true;
    }

    /** Answers in place of the thread. */
    void abandon(String why) {
        budget.revoke();
        tell(failed(List.of(), why));
    }

    private void tell(V verdict) {
        if (answered.compareAndSet(false, true)) {
            answer.accept(verdict);
        }
    }

    boolean isAnswered() {
        return answered.get();
    }

    /** The function that runs. By any thread. */
    Place at() {
        return at;
    }

    RuleScope scope() {
        return scope;
    }

    /** In whose share it is. */
    long user() {
        return user;
    }

    /** Until it is over; zero if it is. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(budget.remaining(), 0));
    }

    /** Empty while it has time left. */
    Optional<String> whyOver() {
        return budget.remaining() > 0 ? Optional.empty() : Optional.of(budget.overTime());
    }

    /** Whether a continuation can be captured, as far as the function itself goes. */
    boolean isSuspendable() {
        return suspendable;
    }

    /** Whether one more line may be logged. */
    boolean mayLog() {
        return logged++ < scope.limits().logged();
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

    /** What it is, for people. */
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
