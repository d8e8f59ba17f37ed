package io.holdfast.core.run;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import java.nio.charset.Charset;
import java.util.List;
import java.util.OptionalInt;

/**
 * How a {@link Run} ended, and what its programs wrote.
 *
 * <pre>{@code
 * String head = Run.of("git", "rev-parse", "HEAD").run().requireSuccess().output().strip();
 * }</pre>
 *
 * <p>Immutable.
 */
public final class RunResult {
    private static final int QUOTED = 2048; // characters of standard error in a message

    private final List<RunStage> stages;
    private final List<Exit> exits;
    private final Captured output;
    private final Captured error;
    private final Charset charset;
    private final boolean timedOut;
    private final boolean brokenPipeFails;

    RunResult(
            Settings settings,
            List<Exit> exits,
            Captured output,
            Captured error,
            boolean timedOut) {
        this.stages = settings.stages;
        this.exits = List.copyOf(exits);
        this.output = output;
        this.error = error;
        this.charset = settings.charset;
        this.timedOut = timedOut;
        this.brokenPipeFails = settings.brokenPipeFails;
    }

    /** {@return how the program ended; in a pipeline, the last one} */
    public Exit exit() {
        return exits.getLast();
    }

    /** {@return how each program ended, in the order of the pipeline} */
    public List<Exit> exits() {
        return exits;
    }

    /** {@return the output as text} */
    public String output() {
        return output.text(charset);
    }

    /** {@return the output} */
    public byte[] outputBytes() {
        return output.bytes().clone();
    }

    /** {@return the lines of the output, without their line breaks} */
    public List<String> outputLines() {
        return output().lines().toList();
    }

    /** {@return the standard error of all programs as text} */
    public String error() {
        return error.text(charset);
    }

    /** {@return the standard error} */
    public byte[] errorBytes() {
        return error.bytes().clone();
    }

    /** {@return the lines of the error, without their line breaks} */
    public List<String> errorLines() {
        return error().lines().toList();
    }

    /** {@return how many bytes of output were dropped, see {@link Overflow}} */
    public long droppedOutput() {
        return output.dropped();
    }

    /** {@return how many bytes of error were dropped, see {@link Overflow}} */
    public long droppedError() {
        return error.dropped();
    }

    /** {@return whether the timeout passed before all programs had ended} */
    public boolean isTimedOut() {
        return timedOut;
    }

    /** {@return whether no program failed and the timeout did not pass} */
    public boolean isSuccess() {
        return !timedOut && firstFailure().isEmpty();
    }

    private OptionalInt firstFailure() {
        for (int i = 0; i < exits.size(); i++) {
            Exit exit = exits.get(i);
            boolean isExcused = !brokenPipeFails && i < exits.size() - 1 && isBrokenPipe(exit);
            if (!exit.isSuccess() && !isExcused) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    private static boolean isBrokenPipe(Exit exit) {
        return !(exit instanceof Exit.Unknown) && exit.shellStatus() == 128 + Signal.PIPE.number();
    }

    /**
     * {@return this, if no program failed and the timeout did not pass}
     *
     * @throws RunFailedException otherwise; it names the first program that failed, how it ended,
     *     and the end of the standard error
     */
    public RunResult requireSuccess() {
        OptionalInt failure = firstFailure();
        if (timedOut) {
            throw failed(RunExecution.text(stages) + ": out of time");
        }
        if (failure.isPresent()) {
            int i = failure.getAsInt();
            throw failed(stages.get(i).spawn() + ": " + exits.get(i));
        }
        return this;
    }

    private RunFailedException failed(String message) {
        String text = error().strip();
        String end = text.length() > QUOTED ? "…" + text.substring(text.length() - QUOTED) : text;
        return new RunFailedException(message + (end.isEmpty() ? "" : ": " + end), this);
    }

    /** {@return how all programs ended, and how many bytes they wrote} */
    @Override
    public String toString() {
        return "RunResult[%s, output=%d bytes, error=%d bytes%s]"
                .formatted(
                        exits,
                        output.bytes().length,
                        error.bytes().length,
                        timedOut ? ", out of time" : "");
    }
}
