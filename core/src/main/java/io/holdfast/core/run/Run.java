package io.holdfast.core.run;

import com.google.errorprone.annotations.CheckReturnValue;
import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Spawn;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The description of a program to run to its end, or of a pipeline of programs.
 *
 * <pre>{@code
 * RunResult result = Run.of("git", "status", "--porcelain").timeout(Duration.ofSeconds(10)).run();
 * List<String> changed = result.requireSuccess().outputLines();
 *
 * List<Exit> exits = Run.of("ls").pipeTo(Run.of("sort", "-u")).pipeTo(Run.of("head")).run().exits();
 * }</pre>
 *
 * <p>The program reads {@code /dev/null} unless an input is given, and its output and error are
 * kept, up to a limit. Each run has a {@link io.holdfast.core.scope.ProcessScope} of its own:
 * processes that the program started are ended when the program ends, with the {@link #grace}, also
 * after a timeout or when the calling thread is interrupted. So a child that it leaves behind with
 * the pipe open does not delay the result; see {@link #keepDescendants}. The shutdown of this JVM
 * ends the run, too.
 *
 * <p>Immutable: each method returns another description, which may be run any number of times, by
 * any thread. A descriptor of a {@link Spawn} is lent until the last of these runs.
 */
@CheckReturnValue
public final class Run {
    private static final long MOST = Integer.MAX_VALUE - 8; // bytes of an array

    private final Settings settings;

    private Run(Settings settings) {
        this.settings = settings;
    }

    private Run with(Consumer<Settings> change) {
        return new Run(settings.with(change));
    }

    /**
     * A program and its arguments.
     *
     * @param command the program and its arguments
     * @return the run
     * @throws IllegalArgumentException if it is empty
     */
    public static Run of(String... command) {
        return of(Arrays.asList(command));
    }

    /**
     * A program and its arguments.
     *
     * @param command the program and its arguments
     * @return the run
     * @throws IllegalArgumentException if it is empty
     */
    public static Run of(List<String> command) {
        return ofOwn(Spawn.of(command));
    }

    /**
     * Returns a run of the process that a spawn describes, except for its standard streams, which
     * the run sets.
     *
     * @param spawn the description; later changes to it have no effect
     * @return the run
     * @throws IllegalArgumentException if it has a {@link Spawn#cgroup}, as the run's scope has its
     *     own; if it is {@linkplain Spawn#reapLater reaped later}
     */
    public static Run of(Spawn spawn) {
        if (spawn.hasCgroup()) {
            throw new IllegalArgumentException(spawn + " has a cgroup; a run has one of its own");
        }
        if (spawn.isReapedLater()) {
            throw new IllegalArgumentException(spawn + " is reaped later, but a run must reap it");
        }
        return ofOwn(spawn.copy());
    }

    private static Run ofOwn(Spawn spawn) {
        return new Run(new Settings(new RunStage(spawn, false)));
    }

    /**
     * Sets the standard input to these bytes.
     *
     * @param bytes the input
     * @return the changed run
     */
    public Run input(byte[] bytes) {
        return input(new Input.Bytes(bytes.clone()));
    }

    /**
     * Sets the standard input to this text, in UTF-8.
     *
     * @param text the text
     * @return the changed run
     */
    public Run input(String text) {
        return input(new Input.Bytes(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Sets the standard input to a file, opened when the program is started.
     *
     * @param file the path of the file
     * @return the changed run
     */
    public Run input(Path file) {
        return input(new Input.File(file));
    }

    /**
     * Sets the standard input to the bytes of a stream, read on a virtual thread until its end or
     * until the program reads no more. It is not closed. A read that blocks does not delay the
     * result.
     *
     * <p>If the stream throws, the program is ended, and the run fails with that exception as the
     * cause.
     *
     * @param stream the stream; it stays open
     * @return the changed run
     */
    public Run input(InputStream stream) {
        return input(new Input.Stream(stream));
    }

    /**
     * Sets the standard input to that of this process.
     *
     * @return the changed run
     */
    public Run inheritInput() {
        return input(new Input.Inherited());
    }

    private Run input(Input input) {
        return with(s -> s.input = input);
    }

    /**
     * Limits the duration of the run: after that time all its processes are ended, with the {@link
     * #grace}, and {@link RunResult#isTimedOut} is true. The time begins when all programs have
     * started; a start waits for the other end of a FIFO that is its input or output, until that is
     * there or the thread is interrupted.
     *
     * @param time the time, positive
     * @return the changed run
     * @throws IllegalArgumentException if the time is not positive
     */
    public Run timeout(Duration time) {
        if (!time.isPositive()) {
            throw new IllegalArgumentException("a timeout that is not positive: " + time);
        }
        return with(s -> s.timeout = time);
    }

    /**
     * Sets the time between SIGTERM and SIGKILL for processes that are ended at the timeout, at a
     * cancellation, or because the program has left them behind. Zero, the default, kills at once.
     *
     * @param time the time, zero or more
     * @return the changed run
     * @throws IllegalArgumentException if the time is negative
     */
    public Run grace(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + time);
        }
        return with(s -> s.grace = time);
    }

    /**
     * Limits the bytes of output and of error that are kept: by default 16 MiB each ({@code
     * io.holdfast.runOutput}, {@code io.holdfast.runError}), with {@link Overflow#FAIL}. For
     * practically unlimited output, use {@link #onOutputLine} or write to a file.
     *
     * @param bytes the limit for each of the two, 0 to 2147483639
     * @param overflow how output beyond the limit is handled
     * @return the changed run
     * @throws IllegalArgumentException if the limit is out of range
     */
    public Run limit(long bytes, Overflow overflow) {
        if (bytes < 0 || bytes > MOST) {
            throw new IllegalArgumentException("a limit is 0 to " + MOST + " bytes: " + bytes);
        }
        Objects.requireNonNull(overflow, "overflow");
        return with(s -> {
            s.outputLimit = bytes;
            s.errorLimit = bytes;
            s.ownLimit = true;
            s.overflow = overflow;
        });
    }

    /**
     * Limits the bytes of output and of error that are kept, with {@link Overflow#FAIL}.
     *
     * @param bytes the limit for each of the two, 0 to 2147483639
     * @return the changed run
     */
    public Run limit(long bytes) {
        return limit(bytes, Overflow.FAIL);
    }

    /**
     * Sets how output beyond the limit is handled, without changing the limit.
     *
     * @param overflow how output beyond the limit is handled
     * @return the changed run
     */
    public Run overflow(Overflow overflow) {
        Objects.requireNonNull(overflow, "overflow");
        return with(s -> s.overflow = overflow);
    }

    /**
     * Writes standard error where standard output goes, in the order of the writes.
     *
     * @return the changed run
     */
    public Run mergeError() {
        return with(
                s -> s.stages = s.stages.stream().map(e -> new RunStage(e.spawn(), true)).toList());
    }

    /**
     * Sets the charset of output and error; UTF-8 by default. Malformed bytes become U+FFFD.
     *
     * @param charset the charset
     * @return the changed run
     */
    public Run charset(Charset charset) {
        Objects.requireNonNull(charset, "charset");
        return with(s -> s.charset = charset);
    }

    /**
     * Hands over each line of output as it arrives, without its line break (LF, CR LF or CR),
     * instead of keeping the output. The action runs on a virtual thread, one line after the other;
     * while it is slow, the program waits. A line longer than 1 MiB ({@code io.holdfast.runLine})
     * arrives in pieces.
     *
     * @param action called with each line; if it throws, the program is ended, and the run fails
     *     with that exception as the cause
     * @return the changed run
     */
    public Run onOutputLine(Consumer<String> action) {
        Objects.requireNonNull(action, "action");
        return with(s -> s.outputLines = action);
    }

    /**
     * Hands over each line of standard error, as {@link #onOutputLine} does for the output.
     *
     * @param action called with each line
     * @return the changed run
     */
    public Run onErrorLine(Consumer<String> action) {
        Objects.requireNonNull(action, "action");
        return with(s -> s.errorLines = action);
    }

    /**
     * Writes the output to a file, created or truncated when the program is started.
     *
     * @param file the path of the file
     * @return the changed run
     */
    public Run outputTo(Path file) {
        Objects.requireNonNull(file, "file");
        return with(s -> s.outputFile = file);
    }

    /**
     * Lets processes that the program leaves behind continue to run. Output and error then contain
     * what the pipes hold when the program ends; later writes of those processes fail (SIGPIPE).
     * Until the program has ended, the timeout and a cancellation still end all of them; afterwards
     * nothing of this run does. The end of this JVM ends neither them nor the program.
     *
     * @return the changed run
     */
    public Run keepDescendants() {
        return with(s -> s.keepDescendants = true);
    }

    /**
     * Counts a program as failed if SIGPIPE killed it (or, for a shell, if it exited with 141)
     * because the next program of the pipeline had ended.
     *
     * @return the changed run
     */
    public Run brokenPipeFails() {
        return with(s -> s.brokenPipeFails = true);
    }

    /**
     * Returns a pipeline in which another run reads the output of this one, through a kernel pipe.
     * The pipeline has the input of this run. Its settings for output, error, time and limits are
     * those of the other run; the timeout, the grace and the action of {@link #onErrorLine} are
     * those of this run if the other has none. {@link #keepDescendants} and {@link
     * #brokenPipeFails} hold if either run has them. The standard error of all programs goes to one
     * pipe.
     *
     * @param next the run that reads the output
     * @return the pipeline
     * @throws IllegalArgumentException if the other run has an input, or the output of this one
     *     goes elsewhere
     */
    public Run pipeTo(Run next) {
        Settings last = next.settings;
        if (!(last.input instanceof Input.Nothing)) {
            throw new IllegalArgumentException(next + " has an input already");
        }
        if (settings.outputFile != null || settings.outputLines != null) {
            throw new IllegalArgumentException("the output of " + this + " goes elsewhere");
        }
        return next.with(s -> {
            List<RunStage> all = new ArrayList<>(settings.stages);
            all.addAll(last.stages);
            s.stages = List.copyOf(all);
            s.input = settings.input;
            s.timeout = last.timeout == null ? settings.timeout : last.timeout;
            s.grace = last.grace.isZero() ? settings.grace : last.grace;
            s.keepDescendants |= settings.keepDescendants;
            s.brokenPipeFails |= settings.brokenPipeFails;
            s.errorLines = last.errorLines == null ? settings.errorLines : last.errorLines;
        });
    }

    /**
     * Runs it to its end.
     *
     * @return how it ended, and what it wrote
     * @throws InterruptedException if the thread is or gets interrupted; the processes are then
     *     ended
     * @throws RunFailedException if it writes more than the limit, or a stream or action of this
     *     run throws
     * @throws ErrnoException if a program cannot be started, as {@link Spawn#start}; EMFILE, ENFILE
     *     or ENOMEM if the processes cannot be ended: they are killed as soon as that is possible
     * @throws io.holdfast.core.scope.ProcessesLeftException if killed processes do not exit in time
     */
    public RunResult run() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        try (Running running = start()) {
            return running.await();
        }
    }

    /**
     * Starts it, and returns while it runs.
     *
     * @return the run that is under way
     * @throws ErrnoException if a program cannot be started, as {@link Spawn#start}
     */
    @MustBeClosed
    public Running start() {
        return new Running(RunExecution.start(settings));
    }

    /** {@return the command, for people} */
    @Override
    public String toString() {
        return RunExecution.text(settings.stages);
    }
}
