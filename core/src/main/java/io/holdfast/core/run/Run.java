package io.holdfast.core.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.process.Spawn;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A program to run to its end, or several whose output and input are joined by pipes.
 *
 * <pre>{@code
 * RunResult result = Run.of("git", "status", "--porcelain").timeout(Duration.ofSeconds(10)).run();
 * List<String> changed = result.requireSuccess().outputLines();
 *
 * List<Exit> exits = Run.of("ls").pipeTo(Run.of("sort", "-u")).pipeTo(Run.of("head")).run().exits();
 * }</pre>
 *
 * <p>The program reads {@code /dev/null} unless an input is given, and its output and error are
 * kept, up to a limit. Each run has a {@link io.holdfast.core.scope.ProcessScope} of its own: what
 * the program started is ended when the program ends, with the {@link #grace}, also when it runs
 * out of time or the calling thread is interrupted. So a child that it leaves with the pipe open
 * does not hold up the result; see {@link #keepDescendants}.
 *
 * <p>Immutable: each method returns another description, which may be run any number of times, by
 * any thread. A descriptor that a {@link Spawn} was given is lent until the last of these runs.
 */
public final class Run {
    private static final long MOST = Integer.MAX_VALUE - 8; // of an array

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
        return of(List.of(command));
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
     * All that a spawn can say of a process, but for its standard streams, which are the run's.
     *
     * @param spawn later changes of it are not seen
     * @return the run
     * @throws IllegalArgumentException if it has a {@link Spawn#cgroup}: that is the scope's
     */
    public static Run of(Spawn spawn) {
        if (spawn.hasCgroup()) {
            throw new IllegalArgumentException(spawn + " has a cgroup; a run has one of its own");
        }
        return ofOwn(spawn.copy());
    }

    private static Run ofOwn(Spawn spawn) {
        return new Run(new Settings(new Stage(spawn, false)));
    }

    /**
     * The standard input: these bytes.
     *
     * @param bytes the input
     * @return the changed run
     */
    public Run input(byte[] bytes) {
        return input(new Input.Bytes(bytes.clone()));
    }

    /**
     * The standard input: this text, in UTF-8.
     *
     * @param text the text
     * @return the changed run
     */
    public Run input(String text) {
        return input(new Input.Bytes(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * The standard input: this file, opened when the program is started.
     *
     * @param file the path of the file
     * @return the changed run
     */
    public Run input(Path file) {
        return input(new Input.File(file));
    }

    /**
     * The standard input: what this stream gives, read on a virtual thread until its end or until
     * the program reads no more. It is not closed. A read that blocks does not hold up the result.
     *
     * <p>If it throws, the program is ended, and the run fails with that as the cause.
     *
     * @param stream the stream; it stays open
     * @return the changed run
     */
    public Run input(InputStream stream) {
        return input(new Input.Stream(stream));
    }

    /**
     * The standard input of this process.
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
     * How long the run may take: then all its processes are ended, with the {@link #grace}, and
     * {@link RunResult#isTimedOut} is true.
     *
     * @param time the time, positive
     * @return the changed run
     * @throws IllegalArgumentException if it is not positive
     */
    public Run timeout(Duration time) {
        if (!time.isPositive()) {
            throw new IllegalArgumentException("a timeout that is not positive: " + time);
        }
        return with(s -> s.timeout = time);
    }

    /**
     * How long processes may take to end after SIGTERM, before they are killed: at the timeout, at
     * a cancellation, and those that the program leaves. Zero, the default, kills at once.
     *
     * @param time the time, zero or more
     * @return the changed run
     * @throws IllegalArgumentException if it is negative
     */
    public Run grace(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + time);
        }
        return with(s -> s.grace = time);
    }

    /**
     * How many bytes of output, and of error, are kept: {@link CoreLimits#RUN_OUTPUT} and {@link
     * CoreLimits#RUN_ERROR} by default, with {@link Overflow#FAIL}. For a number without a limit in
     * practice, read by {@link #onOutputLine} or write to a file.
     *
     * @param bytes 0 to 2147483639 of each
     * @param beyond what happens with more
     * @return the changed run
     * @throws IllegalArgumentException if it is another number
     */
    public Run limit(long bytes, Overflow beyond) {
        if (bytes < 0 || bytes > MOST) {
            throw new IllegalArgumentException("a limit is 0 to " + MOST + " bytes: " + bytes);
        }
        Objects.requireNonNull(beyond, "beyond");
        return with(s -> {
            s.outputLimit = bytes;
            s.errorLimit = bytes;
            s.ownLimit = true;
            s.overflow = beyond;
        });
    }

    /**
     * The same with {@link Overflow#FAIL}.
     *
     * @param bytes how many bytes
     * @return the changed run
     */
    public Run limit(long bytes) {
        return limit(bytes, Overflow.FAIL);
    }

    /**
     * What is done with more bytes than the limit, whatever that is.
     *
     * @param beyond what is done with more
     * @return the changed run
     */
    public Run overflow(Overflow beyond) {
        Objects.requireNonNull(beyond, "beyond");
        return with(s -> s.overflow = beyond);
    }

    /**
     * Writes standard error where standard output goes, in the order of the writes.
     *
     * @return the changed run
     */
    public Run mergeError() {
        return with(
                s -> s.stages = s.stages.stream().map(e -> new Stage(e.spawn(), true)).toList());
    }

    /**
     * The charset of output and error; UTF-8 by default. What is malformed becomes U+FFFD.
     *
     * @param charset the charset
     * @return the changed run
     */
    public Run charset(Charset charset) {
        Objects.requireNonNull(charset, "charset");
        return with(s -> s.charset = charset);
    }

    /**
     * Hands over each line of output as it comes, without its line break, instead of keeping the
     * output. On a virtual thread, one line after the other; the program waits while this is slow.
     * A line longer than {@link CoreLimits#RUN_LINE} comes in pieces.
     *
     * @param action if it throws, the program is ended, and the run fails with that as the cause
     * @return the changed run
     */
    public Run onOutputLine(Consumer<String> action) {
        Objects.requireNonNull(action, "action");
        return with(s -> s.outputLines = action);
    }

    /**
     * The same of standard error.
     *
     * @param action called with each line
     * @return the changed run
     */
    public Run onErrorLine(Consumer<String> action) {
        Objects.requireNonNull(action, "action");
        return with(s -> s.errorLines = action);
    }

    /**
     * Writes the output to a file, made or emptied when the program is started.
     *
     * @param file the path of the file
     * @return the changed run
     */
    public Run outputTo(Path file) {
        Objects.requireNonNull(file, "file");
        return with(s -> s.outputFile = file);
    }

    /**
     * Lets processes that the program leaves run on. Output and error then end with what is there
     * when the program ends; what those processes write later fails (SIGPIPE). The timeout and a
     * cancellation still end all of them, until the program has ended.
     *
     * @return the changed run
     */
    public Run keepDescendants() {
        return with(s -> s.keepDescendants = true);
    }

    /**
     * Counts it as a failure of a program that it was killed by SIGPIPE (or as a shell, exited with
     * 141) since the one behind it in the pipeline had ended.
     *
     * @return the changed run
     */
    public Run brokenPipeFails() {
        return with(s -> s.brokenPipeFails = true);
    }

    /**
     * Gives the output to another run as its input, through a pipe of the kernel. The input is that
     * of this run. What is said of output, error, time and limits is that of the other one, which
     * takes timeout and grace from this one if it has none. The error of all goes to one pipe.
     *
     * @param next the run that reads the output
     * @return the changed run
     * @throws IllegalArgumentException if the other one has an input, or the output of this one
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
            List<Stage> all = new ArrayList<>(settings.stages);
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
     * @throws InterruptedException if the thread is or gets interrupted; the processes are ended
     *     then
     * @throws RunFailedException if it writes more than the limit, or code that was given to this
     *     run throws
     * @throws ErrnoException why a program cannot be started, as {@link Spawn#start}
     * @throws io.holdfast.core.scope.ProcessesLeftException if killed processes do not go
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
     * @throws ErrnoException why a program cannot be started, as {@link Spawn#start}
     */
    public Running start() {
        return new Running(Execution.start(settings));
    }

    /** The command, for people. */
    @Override
    public String toString() {
        return Execution.text(settings.stages);
    }
}
