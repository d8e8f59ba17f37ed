package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.sandbox.Budget;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A program of {@code polkit.spawn}, held by its pidfd. It runs in the root folder with an empty
 * stdin, and its outputs are collected. The error messages are those of polkit(8), which rules may
 * compare.
 */
final class HelperProgram implements Runnable {
    /** The time between SIGTERM and SIGKILL. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    /** How long to wait for outputs after the exit, if a descendant still holds them open. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final List<String> command;
    private final RuleLimits limits;
    private final Optional<ProgramUser> user;
    private final Duration limit;
    private final CompletableFuture<ProgramOutcome> outcome;
    private final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
    private volatile boolean exited;

    /**
     * Makes a program that is not started.
     *
     * @param user the user that it runs as; empty for the user of this process
     * @param remaining the time that the evaluation has left
     * @param outcome completed as soon as it is known, by the thread that runs this
     */
    HelperProgram(
            List<String> command,
            RuleLimits limits,
            Optional<ProgramUser> user,
            Duration remaining,
            CompletableFuture<ProgramOutcome> outcome) {
        this.command = command;
        this.limits = limits;
        this.user = user;
        this.limit =
                remaining.compareTo(limits.programs().duration()) < 0
                        ? remaining
                        : limits.programs().duration();
        this.outcome = outcome;
    }

    /** Returns whether the program had exited when its outcome became known. */
    boolean hasExited() {
        return exited;
    }

    /** Ends the program. Any thread may call it. */
    void cancel() {
        boolean _ = cancelled.complete(true);
    }

    /** Runs the program, and returns when it has ended. */
    @Override
    public void run() {
        try (Child child = spawn().start()) {
            run(child);
        } catch (ErrnoException e) {
            fail(SpawnError.of(command.getFirst(), e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail("Interrupted");
        } catch (UnknownAccountException | RuntimeException e) {
            fail("Error spawning: " + e.getMessage());
        }
    }

    private Spawn spawn() throws UnknownAccountException, InterruptedException {
        Spawn program =
                Spawn.of(command)
                        .directory(Path.of("/"))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.pipe());
        return user.isPresent() ? user.get().applied(program) : program;
    }

    private void run(Child child) throws InterruptedException {
        long start = System.nanoTime();
        Output out = new Output(child.stdout(), limits.programs().output());
        Output err = new Output(child.stderr(), limits.programs().output());
        CompletableFuture<Exit> exit = child.onExit();
        CompletableFuture<?> over =
                CompletableFuture.anyOf(exit, cancelled, out.overflow, err.overflow);
        boolean inTime = await(over, Readiness.nanos(limit) - (System.nanoTime() - start));
        if (!inTime) {
            fail(
                    "Timed out after "
                            + Budget.describe(limits.programs().duration())
                            + " (g-io-error-quark, 24)");
            end(child);
            return;
        }
        if (exit.isDone()) {
            exited = true;
            boolean _ =
                    await(CompletableFuture.allOf(out.whole, err.whole), Readiness.nanos(LINGER));
        }
        if (cancelled.isDone()) {
            fail("Cancelled");
        } else if (out.overflow.isDone() || err.overflow.isDone()) {
            fail("Output of more than " + limits.programs().output() + " bytes");
        } else {
            Optional<String> error = spawnError(exit.join(), out.text(), err.text());
            if (error.isPresent()) {
                fail(error.get());
            } else {
                boolean _ = outcome.complete(outcome(exit.join(), out.text(), err.text()));
            }
        }
        end(child);
    }

    /** Returns why the program could not be executed as its user; empty if it was executed. */
    private Optional<String> spawnError(Exit exit, String out, String err) {
        return user.isPresent() && exit instanceof Exit.Exited(int status)
                ? SpawnError.ofEnv(command.getFirst(), status, out, err)
                : Optional.empty();
    }

    private static boolean await(CompletableFuture<?> what, long nanos)
            throws InterruptedException {
        try {
            Object _ = what.get(Math.max(nanos, 0), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    private static void end(Child child) throws InterruptedException {
        boolean _ = child.signal(Signal.TERM);
        Optional<Exit> ended = child.await(GRACE);
        if (ended.isEmpty()) {
            boolean _ = child.signal(Signal.KILL);
            Exit _ = child.await();
        }
    }

    private static ProgramOutcome outcome(Exit exit, String out, String err) {
        String outputs = ", stdout=`" + out + "', stderr=`" + err + "'";
        return switch (exit) {
            case Exit.Exited(int status) when status == 0 -> new ProgramOutcome.Succeeded(out);
            case Exit.Exited(int status) ->
                    new ProgramOutcome.Failed(
                            "Helper exited with non-zero exit status " + status + outputs);
            case Exit.Killed(Signal signal, _) ->
                    new ProgramOutcome.Failed(
                            "Helper was signaled with signal SIG"
                                    + signal.name()
                                    + " ("
                                    + signal.number()
                                    + ")"
                                    + outputs);
            case Exit.Unknown _ ->
                    new ProgramOutcome.Failed("Helper ended in an unknown way" + outputs);
        };
    }

    private void fail(String why) {
        boolean _ = outcome.complete(new ProgramOutcome.Failed("Error spawning helper: " + why));
    }

    /** Reads one output to its end. */
    private static final class Output {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final CompletableFuture<Boolean> overflow = new CompletableFuture<>();
        final CompletableFuture<Boolean> whole = new CompletableFuture<>();

        Output(InputStream stream, int limit) {
            Thread _ = Thread.ofVirtual().name("rules-output").start(() -> read(stream, limit));
        }

        private void read(InputStream stream, int limit) {
            byte[] buffer = new byte[8192];
            try {
                for (int n; (n = stream.read(buffer)) >= 0; ) {
                    synchronized (bytes) {
                        if (bytes.size() + n > limit) {
                            boolean _ = overflow.complete(true);
                            return;
                        }
                        bytes.write(buffer, 0, n);
                    }
                }
            } catch (IOException e) {
                // closed, because the outcome is known already
            } finally {
                boolean _ = whole.complete(true);
            }
        }

        String text() {
            synchronized (bytes) {
                return bytes.toString(StandardCharsets.UTF_8);
            }
        }
    }
}
