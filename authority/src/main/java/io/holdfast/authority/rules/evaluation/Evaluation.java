package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.Place;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.authority.rules.sandbox.BuiltIns;
import io.holdfast.authority.rules.sandbox.Sandbox;
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
 * One question to the rules: it asks one function after the other until one answers.
 *
 * <h2>How an evaluation is isolated, bounded and ended</h2>
 *
 * <p><b>Isolated.</b> An evaluation has a {@link World} of its own: built-in objects, prototypes,
 * globals and {@code polkit} that were made for it, in which the rules files are run again. It ends
 * with the evaluation. Therefore nothing that a rule changes is seen by another evaluation, neither
 * a prototype nor a global nor an object that a function has closed over; what a file computes
 * while it is loaded is there in each world, as it was computed. In polkit(8) globals live as long
 * as the daemon, so that one user's check can change the answer to another's; a rule that keeps
 * something in a global has to compute it anew here. Files are compiled once, when they are loaded.
 * They are run once then, for what is wrong with them, and the programs that they run have the same
 * outcomes in each world. A file that only adds rules need not be run: of its rules those are made
 * that may be about the action. An evaluation that no rule is about makes no world at all. The
 * interpreter's own state, the {@link Sandbox.Cell}, lasts for one step of one evaluation.
 *
 * <p><b>Bounded.</b> An evaluation has a {@link Budget}: 15 seconds, and memory out of a part of
 * the heap that all evaluations share ({@code EvaluationMemory}), of which one user has at most
 * half. The budget is asked at each branch, each function that is entered, each object that is made
 * and each built-in function that is called. What one operation can do in between is bounded:
 *
 * <ul>
 *   <li>Texts and arrays have a longest length. {@code CheckedCode} follows each operation that
 *       makes them longer with a check, and does not compile what could not be checked.
 *   <li>Built-in functions are those of one table, {@link BuiltIns}, each behind the {@code Guard}
 *       for its kind of work, which reserves the memory before. A guard reads an array-like once:
 *       the function gets a copy that does not change. Steps of iterators are calls of functions,
 *       built-in or scripts, and so they are counted, whoever takes them: a loop, a spread, a
 *       destructuring or a constructor.
 *   <li>Recursion has a depth, a script's log lines and programs have a number.
 * </ul>
 *
 * <p><b>Ended.</b> A budget that is used up throws an {@link Abort}, which no script can catch, and
 * goes on to throw it: an evaluation that was ended once has no answer but "no". A
 * StackOverflowError or an OutOfMemoryError ends the evaluation in the same way, and its world is
 * garbage then. A thread that nevertheless does not come back, since it is in native code, is
 * noticed half a second past its time by the {@code EvaluatorWatch}: the caller is refused in its
 * place, another thread replaces it, and it ends at its next check; meanwhile it stays in its
 * user's share of the evaluators. As many may be in that state as there are evaluators. Every end
 * but a rule's own answer is a refusal.
 *
 * <p>By one thread at a time, apart from {@link #abandon}: that which goes on after a program may
 * be another.
 *
 * @param <V> the verdict
 */
public abstract class Evaluation<V> {
    private final RuleGeneration generation;
    private final World.Kind kind;
    private final RuleAction action;
    private final RuleSubject subject;
    private final Consumer<V> answer;
    private final Budget budget;
    private final List<RuleStep> steps = new ArrayList<>();
    private final AtomicBoolean answered = new AtomicBoolean();
    private @Nullable World world;
    private @Nullable SubjectObject object;
    private Object @Nullable [] arguments;
    private RuleFunctions.@Nullable Walk functions;
    private volatile Place at = ScriptPlace.UNKNOWN;
    private int logged;
    private boolean suspendable;
    private boolean userAsked;

    /**
     * @throws Abort if there is no memory for it
     */
    Evaluation(
            RuleGeneration generation,
            World.Kind kind,
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

    /** What a function returned that is not false. */
    abstract V read(Object result, List<RuleStep> steps, Place place);

    abstract V unanswered(List<RuleStep> steps);

    abstract V failed(List<RuleStep> steps, String why);

    /** Where an evaluation has come to. */
    public sealed interface Progress {
        /** It is over. */
        record Answered() implements Progress {}

        /** It waits for a program, and is to be resumed with what comes of it. */
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
        try (Sandbox.Cell cell = generation.sandbox().open()) {
            try {
                verdict = ask(cell, continuation, outcome);
                budget.requireNotEnded();
            } catch (ContinuationPending e) {
                @SuppressWarnings("unchecked")
                List<String> command = (List<String>) e.getApplicationState();
                budget.suspended();
                return new Progress.Suspended(e.getContinuation(), command, remaining());
            } catch (RhinoException e) {
                verdict = failure(ScriptPlace.of(e), ScriptPlace.details(e));
            }
        } catch (Abort e) {
            verdict = failure(place(), String.valueOf(e.getMessage()));
        } catch (StackOverflowError e) {
            verdict = failure(place(), "nests too deeply");
        } catch (OutOfMemoryError e) {
            forget(); // first: there is room for the failure then
            verdict = failure(place(), "took more memory than there is");
        } catch (RuntimeException | Error e) { // of the interpreter itself
            verdict = failure(place(), e.toString());
        }
        forget();
        release();
        tell(verdict);
        return new Progress.Answered();
    }

    private void forget() {
        world = null;
        object = null;
        arguments = null;
    }

    private V ask(
            Sandbox.Cell cell, @Nullable Object continuation, @Nullable ProgramOutcome outcome) {
        if (world != null) {
            cell.serve(world.global(), budget);
        }
        @Nullable Object pending = continuation;
        RuleFunctions.Walk walk = functions;
        if (walk == null) {
            walk = find(cell);
            functions = walk;
            walk.advance();
        }
        for (; ; ) {
            RuleFunction rule = walk.current();
            if (rule == null) {
                return unanswered(steps);
            }
            at = rule.place();
            World world = world(cell);
            Object result;
            if (pending == null || outcome == null) {
                Function function = rule.source().in(cell, world);
                suspendable = RuleFunction.isScript(function);
                result = RuleFunction.call(cell, function, world, arguments(cell));
            } else {
                budget.check();
                result = cell.resumeContinuation(pending, world.global(), outcome.toScript());
                pending = null;
            }
            suspendable = false;
            if (!isFalse(result)) {
                return read(result, steps, rule.place());
            }
            steps.add(rule.silence());
            walk.advance();
        }
    }

    /** The functions to ask. */
    private RuleFunctions.Walk find(Sandbox.Cell cell) {
        List<RuleFunctions.Entry> more =
                generation.hasPrograms() ? generation.run(cell, world(cell), kind) : List.of();
        return generation
                .functions(kind)
                .about(
                        action.id(),
                        more,
                        () -> {
                            at = place();
                            return user();
                        });
    }

    /** The user that a script would find. */
    private @Nullable String user() {
        if (object != null) {
            return object.userAsText();
        }
        userAsked = true;
        try {
            return subject.user();
        } catch (RuntimeException e) {
            throw Abort.of(e);
        }
    }

    /** Its world, which is made when the first function needs it. */
    private World world(Sandbox.Cell cell) {
        World own = world;
        if (own == null) {
            own = generation.world(cell);
            own.serve(this, generation.log());
            world = own;
            cell.serve(own.global(), budget);
        }
        return own;
    }

    private Object[] arguments(Sandbox.Cell cell) {
        Object[] known = arguments;
        if (known == null) {
            World own = world(cell);
            SubjectObject made = own.subject(subject);
            if (userAsked) { // as the skipped rules would have: it is the first of its properties
                @Nullable String _ = made.userAsText();
            }
            object = made;
            known = new Object[] {own.action(cell, action), made};
            arguments = known;
        }
        return known;
    }

    /** How many functions were not run, as they are about other actions or users. */
    int skipped() {
        return functions == null ? 0 : functions.skipped();
    }

    private Place place() {
        RuleFunction function = functions == null ? null : functions.current();
        return function == null ? ScriptPlace.UNKNOWN : function.place();
    }

    private V failure(Place place, String details) {
        String why = PrintableText.of(details, RuleLog.LINE);
        log(place, why);
        steps.add(new RuleStep(place(), "failed: " + why));
        return failed(steps, place + ": " + why);
    }

    /** Logs what is wrong with a rule. */
    void log(Place place, String text) {
        generation.log().log(place, PrintableText.of(text, RuleLog.LINE));
    }

    /**
     * Answers in place of the thread, which is stuck in a built-in function; that ends as soon as
     * the interpreter is asked.
     */
    public boolean abandonIfOver(long graceNanos) {
        if (answered.get() || budget.remaining() > -graceNanos) {
            return false;
        }
        abandon(budget.overTime() + " in a built-in function");
        return true;
    }

    /** Answers in place of the thread. */
    public void abandon(String why) {
        budget.revoke();
        tell(failed(List.of(), why));
    }

    private void tell(V verdict) {
        if (answered.compareAndSet(false, true)) {
            generation.counts().answered(budget.remaining() <= 0);
            answer.accept(verdict);
        }
    }

    public boolean isAnswered() {
        return answered.get();
    }

    /** The function that runs. By any thread. */
    public Place at() {
        return at;
    }

    /** Gives back the memory that it took: no thread works on it any more. */
    public void release() {
        budget.release();
    }

    /** In whose share it is. */
    public long owner() {
        return subject.uid();
    }

    /** Until it is over; zero if it is. */
    public Duration remaining() {
        return Duration.ofNanos(Math.max(budget.remaining(), 0));
    }

    /** Empty while it has time left. */
    public Optional<String> whyOver() {
        return budget.remaining() > 0 ? Optional.empty() : Optional.of(budget.overTime());
    }

    /** Whether a continuation can be captured, as far as the function itself goes. */
    boolean isSuspendable() {
        return suspendable;
    }

    /** Whether one more line may be logged. */
    boolean mayLog() {
        return logged++ < generation.limits().logged();
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
