package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContinuationPending;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;

/** Runs the programs of rules, within the limits. Thread-safe. */
public final class ProgramRuns {
    /** The maximum number of elements of the array that is passed to {@code polkit.spawn}. */
    static final int MAX_ARGUMENTS = 1_024;

    /** The owner of the programs that files run while they are loaded: no user. */
    private static final long OF_FILES = -1;

    private static final String INTERPRETER = "org.mozilla.javascript.Interpreter";

    private final RuleLimits limits;
    private final Optional<ProgramUser> user;
    private final FairShare<Long> shares;
    private final Set<HelperProgram> running = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * Makes the runs of an engine.
     *
     * @param user the user that programs run as; empty for the user of this process
     */
    public ProgramRuns(RuleLimits limits, Optional<ProgramUser> user) {
        this.limits = limits;
        this.user = user;
        this.shares =
                FairShare.<Long>of(
                                RuleLimits.PROGRAMS.what(),
                                limits.programs().count(),
                                RuleLimits.PROGRAMS.remedy())
                        .withLeast(1);
    }

    /**
     * Starts a program for {@code polkit.spawn}. The evaluation is suspended. If a built-in
     * function has called the calling script, that is impossible, and the thread waits instead.
     *
     * @throws ContinuationPending to suspend; its state is the command
     */
    Object start(RuleSandbox.Cell cell, @Nullable Evaluation<?> evaluation, List<String> command) {
        if (evaluation != null && evaluation.isSuspendable() && isCalledByScriptsOnly()) {
            ContinuationPending pending = cell.captureContinuation();
            pending.setApplicationState(command);
            throw pending;
        }
        return await(cell, evaluation, command).toScript();
    }

    /** Reads the command that a script passes. */
    static List<String> command(Object argument) {
        if (!(argument instanceof NativeArray array)) {
            throw ScriptRuntime.typeError("polkit.spawn: not an array of strings");
        }
        long length = array.getLength();
        if (length == 0 || length > MAX_ARGUMENTS) {
            throw ScriptRuntime.typeError(
                    "polkit.spawn: an array of 1 to " + MAX_ARGUMENTS + " strings is needed");
        }
        List<String> command = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            String word = Context.toString(array.get(i, array));
            if (word.indexOf('\0') >= 0) {
                throw ScriptRuntime.typeError("polkit.spawn: a NUL in argument " + i);
            }
            command.add(word);
        }
        return List.copyOf(command);
    }

    /** Returns whether this thread runs one interpreter loop, so that the script can be resumed. */
    private static boolean isCalledByScriptsOnly() {
        return StackWalker.getInstance()
                        .walk(frames ->
                                frames.filter(frame ->
                                                frame.getMethodName().equals("interpretLoop")
                                                        && frame.getClassName().equals(INTERPRETER))
                                        .limit(2)
                                        .count())
                == 1;
    }

    /** Runs a program while the thread waits, at most for the rest of its budget. */
    ProgramOutcome await(
            RuleSandbox.Cell cell, @Nullable Evaluation<?> evaluation, List<String> command) {
        long user = evaluation == null ? OF_FILES : evaluation.owner();
        Budget budget = cell.budget();
        long nanos =
                budget == null
                        ? Readiness.nanos(limits.programs().duration())
                        : Math.max(budget.remaining(), 0);
        CompletableFuture<ProgramOutcome> outcome = run(user, command, Duration.ofNanos(nanos));
        try {
            return outcome.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw Abort.of(budget == null ? "took too long" : budget.overTime());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Abort.of("interrupted while it waited for " + command.getFirst());
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Runs a program.
     *
     * @param user the user whose share it is charged to
     * @param remaining the time that the evaluation has left; if it is less than the limit of a
     *     program, the program is ended after it
     * @return never fails
     */
    public CompletableFuture<ProgramOutcome> run(
            long user, List<String> command, Duration remaining) {
        if (limits.programs().count() == 0) {
            return CompletableFuture.completedFuture(
                    new ProgramOutcome.Failed("Error spawning helper: no program may be run"));
        }
        Charge<Long> charge = shares.charge(user, 1);
        if (charge == null) {
            return CompletableFuture.completedFuture(
                    new ProgramOutcome.Refused("polkit.spawn: " + shares.refusal(user)));
        }
        CompletableFuture<ProgramOutcome> outcome = new CompletableFuture<>();
        HelperProgram program = new HelperProgram(command, limits, this.user, remaining, outcome);
        boolean _ = running.add(program);
        if (closed) {
            program.cancel();
        }
        try {
            Thread _ =
                    Thread.ofVirtual()
                            .name("rules-spawn")
                            .start(() -> run(charge, program, outcome));
        } catch (RuntimeException | Error e) { // no thread could be created
            ended(charge, program, outcome, e);
        }
        return outcome.thenApply(known -> {
            if (program.hasExited()) {
                charge.close(); // before the rule is resumed and perhaps starts another program
            }
            return known;
        });
    }

    private void run(
            Charge<Long> charge, HelperProgram program, CompletableFuture<ProgramOutcome> outcome) {
        Throwable thrown = null;
        try {
            program.run();
        } catch (RuntimeException | Error e) {
            thrown = e;
        } finally {
            ended(charge, program, outcome, thrown);
        }
    }

    private void ended(
            Charge<Long> charge,
            HelperProgram program,
            CompletableFuture<ProgramOutcome> outcome,
            @Nullable Throwable thrown) {
        boolean _ = running.remove(program);
        charge.close();
        boolean _ = // unless it is complete already: the rule must not wait for ever
                outcome.complete(
                        new ProgramOutcome.Failed("Error spawning helper: failed: " + thrown));
    }

    /** Ends the running programs, and every one that is started later. */
    public void close() {
        closed = true;
        running.forEach(HelperProgram::cancel);
    }

    /** Returns the number of programs under way. */
    public int running() {
        return running.size();
    }
}
