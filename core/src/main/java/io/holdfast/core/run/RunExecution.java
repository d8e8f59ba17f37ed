package io.holdfast.core.run;

import io.holdfast.core.Fd;
import io.holdfast.core.FdOutputStream;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.scope.ProcessesLeftException;
import io.holdfast.core.scope.ScopeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A run that is under way.
 *
 * <pre>
 *   start ─▶ all programs have exited ─▶ the rest of the scope is ended ─▶ the pipes are read
 *              ▲                           ▲  (not: keepDescendants)          empty ─▶ result
 *              └── ended: timeout, cancel, too much output, callback that throws
 * </pre>
 */
final class RunExecution {
    private final Settings settings;
    private final ProcessScope scope;
    private final List<Child> children = new ArrayList<>();
    private final CompletableFuture<RunResult> result = new CompletableFuture<>();
    private final CompletableFuture<Void> timer = new CompletableFuture<>();
    private @Nullable PipeReader output;
    private @Nullable PipeReader error;
    private @Nullable FdOutputStream input;

    // guarded by this object's monitor until the run is over, then only finish() uses them
    private boolean over; // from then on nothing ends the processes
    private boolean ended; // on our initiative, before all programs had exited
    private boolean timedOut;
    private @Nullable Throwable failure; // the exception of a reader or writer

    private RunExecution(Settings settings, ProcessScope scope) {
        this.settings = settings;
        this.scope = scope;
    }

    static RunExecution start(Settings settings) {
        String name = settings.stages.getLast().spawn().program();
        ScopeOptions options =
                ScopeOptions.standard()
                        .withName(name.substring(name.lastIndexOf('/') + 1))
                        .withGrace(settings.grace);
        if (settings.keepDescendants) {
            options = options.keepAtShutdown();
        }
        @SuppressWarnings("MustBeClosed") // closed with the run
        RunExecution execution = new RunExecution(settings, ProcessScope.open(options));
        try (Pipes pipes = new Pipes(settings)) {
            execution.startPrograms(pipes);
            execution.handOver(pipes);
        } catch (RuntimeException | Error e) {
            execution.abandon(e);
            execution.children.forEach(Child::close);
            throw e;
        }
        execution.awaitExits();
        return execution;
    }

    /** Closes the scope after a failure; it closes itself later if there are no descriptors now. */
    private void abandon(Throwable failure) {
        try {
            scope.close();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void startPrograms(Pipes pipes) {
        List<RunStage> stages = settings.stages;
        for (int i = 0; i < stages.size(); i++) {
            children.add(scope.start(pipes.join(stages.get(i), i == stages.size() - 1)));
        }
    }

    private void handOver(Pipes pipes) {
        output = reader(pipes.takeOutput(), true, settings.outputLines);
        error = reader(pipes.takeError(), false, settings.errorLines);
        Fd pipe = pipes.takeInput();
        if (pipe != null) {
            input = Feeder.start(pipe, settings.input, this::fail);
        }
    }

    private @Nullable PipeReader reader(
            @Nullable Fd pipe, boolean isOutput, @Nullable Consumer<String> lines) {
        if (pipe == null) {
            return null;
        }
        long limit = isOutput ? settings.outputLimit : settings.errorLimit;
        Sink sink =
                lines != null
                        ? new Lines(settings.charset, lines)
                        : new Capture(
                                text(settings.stages) + (isOutput ? ": output" : ": error"),
                                remedy(isOutput),
                                limit,
                                settings.overflow);
        return PipeReader.start(pipe, sink, this::fail);
    }

    /** Returns how to raise the limit, with the name of the default limit if that applies. */
    private String remedy(boolean ofOutput) {
        String own = "give it another limit (Run.limit)";
        return settings.ownLimit
                ? own
                : own
                        + ", or "
                        + (ofOutput ? CoreLimits.RUN_OUTPUT : CoreLimits.RUN_ERROR).remedy();
    }

    private void awaitExits() {
        if (settings.timeout != null) {
            var _ = timer.thenRunAsync(this::passTimeout, Readiness.executor());
            var _ =
                    timer.completeOnTimeout(
                            null, Readiness.nanos(settings.timeout), TimeUnit.NANOSECONDS);
        }
        CompletableFuture<?>[] exits =
                children.stream().map(Child::onExit).toArray(CompletableFuture<?>[]::new);
        var _ = CompletableFuture.allOf(exits).thenRunAsync(this::finish, Readiness.executor());
    }

    /** Fails the run: a callback has thrown, or the limit is exceeded. */
    private void fail(Throwable cause) {
        end(() -> failure = failure == null ? cause : failure);
    }

    private void passTimeout() {
        end(() -> timedOut = true);
    }

    /**
     * Ends all processes, and thereby the run. Blocks until they are gone. If all programs have
     * exited, returns at once: what they have left is kept, or {@link #finish()} ends it.
     */
    void end() {
        end(() -> {});
    }

    private void end(Runnable note) {
        synchronized (this) {
            if (over) {
                return;
            }
            ended = true;
            note.run();
        }
        try {
            scope.end(settings.grace);
        } catch (ProcessesLeftException e) { // they may never exit
            boolean _ = result.completeExceptionally(e);
        } catch (RuntimeException e) {
            abandon(e);
            boolean _ = result.completeExceptionally(e);
        }
    }

    /** Completes the result, after all programs have exited. */
    private void finish() {
        boolean keep = decide();
        boolean _ = timer.cancel(false);
        RuntimeException left = null;
        try {
            if (!keep) {
                scope.end(settings.grace);
            }
        } catch (RuntimeException e) {
            left = e;
        }
        if (input != null) {
            input.closeNow();
        }
        Captured kept = finish(output);
        Captured errors = finish(error);
        List<Exit> exits = children.stream().map(child -> child.exit().orElseThrow()).toList();
        children.forEach(Child::close);
        try {
            release(keep);
        } catch (RuntimeException e) {
            left = left == null ? e : left;
        }
        Throwable cause = failure;
        if (left != null) {
            boolean _ = result.completeExceptionally(left);
        } else if (cause != null) {
            boolean _ = result.completeExceptionally(failed(cause));
        } else {
            boolean _ = result.complete(new RunResult(settings, exits, kept, errors, timedOut));
        }
    }

    /** Decides that the run is over, and returns whether descendants continue to run. */
    private synchronized boolean decide() {
        over = true;
        return settings.keepDescendants && !ended;
    }

    /** Returns what a reader has kept; nothing if the reader has failed. */
    private Captured finish(@Nullable PipeReader reader) {
        if (reader == null) {
            return Captured.NOTHING;
        }
        reader.finish();
        try {
            return reader.captured().join();
        } catch (CompletionException e) {
            failure = failure == null ? e.getCause() : failure; // fail() may have come too late
            return Captured.NOTHING;
        }
    }

    /** Closes the scope; if processes were left running, once they have ended. */
    private void release(boolean keep) {
        if (keep) {
            var _ = scope.onEmpty().thenRun(scope::close);
        } else {
            scope.close();
        }
    }

    private Throwable failed(Throwable cause) {
        return cause instanceof RunFailedException || cause instanceof Error
                ? cause
                : new RunFailedException(text(settings.stages) + ": " + cause, cause);
    }

    /**
     * Returns whether the caller is a line callback of this run, which cannot end before the
     * callback returns.
     */
    boolean isCaller() {
        return Stream.of(output, error).anyMatch(reader -> reader != null && reader.isCaller());
    }

    CompletableFuture<RunResult> result() {
        return result;
    }

    /** Returns the process of the last program. */
    PidFd pidFd() {
        return children.getLast().pidFd();
    }

    static String text(List<RunStage> stages) {
        return stages.stream()
                .map(stage -> stage.spawn().toString())
                .collect(Collectors.joining(" | "));
    }

    @Override
    public String toString() {
        return text(settings.stages);
    }
}
