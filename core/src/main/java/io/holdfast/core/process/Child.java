package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.FdOutputStream;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.sys.process.SysWait;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A process that we started, held from its birth. The poller reaps it when it exits, whether or not
 * anybody waits: there is one way to its exit, and all who wait get it from there. Its pidfd stays
 * open until it has exited <em>and</em> {@link #close} was called, so that what was true of it can
 * still be asked. A child that has exited and became garbage unclosed frees its descriptors then.
 * One of {@link Spawn#reapLater} is reaped by its owner instead.
 *
 * <p>Safe for use by any thread. A wait holds no carrier of virtual threads.
 */
public final class Child implements AutoCloseable {
    /** Each with what who reaps it completes. */
    private static final Map<PidFd, CompletableFuture<Exit>> UNREAPED = new ConcurrentHashMap<>();

    private static final AtomicInteger STARTING = new AtomicInteger();

    private final PidFd pidFd;
    private final @Nullable FdOutputStream stdin;
    private final @Nullable FdInputStream stdout;
    private final @Nullable FdInputStream stderr;

    private final ExitWatch exitWatch;

    /** Completed by whoever reaps it. Users get futures that depend on it, never itself. */
    private final CompletableFuture<Exit> exit = new CompletableFuture<>();

    private final boolean reapedLater;
    private volatile boolean closed;

    /**
     * @param reapedLater whether {@link #reap} is left to its owner
     */
    Child(
            PidFd pidFd,
            boolean reapedLater,
            @Nullable Fd stdin,
            @Nullable Fd stdout,
            @Nullable Fd stderr) {
        this.pidFd = pidFd;
        this.reapedLater = reapedLater;
        this.exitWatch =
                reapedLater
                        ? ExitWatch.watching(pidFd.fd(), null, Exit.Unknown::new)
                        : ExitWatch.reaping(pidFd.fd());
        pidFd.isReapedHere(exit);
        this.stdin = stdin == null ? null : new FdOutputStream(stdin);
        this.stdout = stdout == null ? null : new FdInputStream(stdout);
        this.stderr = stderr == null ? null : new FdInputStream(stderr);
        LeakDetector.closeWith(pidFd, pidFd.fd()); // a caller may keep one of them alone
    }

    /** A start has begun: a child may exist before it is known. */
    static void starting() {
        int ignored = STARTING.incrementAndGet();
    }

    /** A start is over: its child, if any, is known. */
    static void startEnded() {
        int ignored = STARTING.decrementAndGet();
    }

    /**
     * {@return whether an exited child of this process is certainly none that {@link Spawn} has
     * started, so that a subreaper may {@link PidFd#reap} it as an orphan} While a start is under
     * way that is not certain.
     *
     * @param exited the child
     */
    public static boolean isOrphan(PidFd exited) {
        return STARTING.get() == 0 && !UNREAPED.containsKey(exited);
    }

    /**
     * A child of this process that has exited and is not reaped: one that {@link Spawn} has
     * started, an orphan that came to us as its subreaper, or one of others in this JVM. One call
     * of the kernel, however many children there are; it reaps nothing, and tells only the first.
     *
     * @return held, to be closed by the caller; empty if there is none, or it was reaped meanwhile
     */
    public static Optional<PidFd> firstExited() {
        int number = SysWait.exitedChild();
        if (number <= 0) {
            return Optional.empty();
        }
        Optional<PidFd> found = PidFd.find(number);
        if (found.isPresent() && !found.get().isChild()) { // its number is another's by now
            found.get().close();
            return Optional.empty();
        }
        return found;
    }

    /**
     * {@return whether {@link Spawn} has started this process, and it is not reaped yet}
     *
     * @param process the process
     */
    public static boolean isStarted(PidFd process) {
        return UNREAPED.containsKey(process);
    }

    /** What is completed when it is reaped, of one that {@link #isStarted}; else null. */
    static @Nullable CompletableFuture<Exit> exitOf(PidFd process) {
        return UNREAPED.get(process);
    }

    /** Begins to watch for its exit, and to reap it then. */
    void watch() {
        CompletableFuture<Exit> _ = UNREAPED.put(pidFd, exit);
        var _ = exitWatch.begin(this::ended);
    }

    /** Kills and reaps a child that cannot be watched. */
    static void giveUp(PidFd pidFd) {
        CompletableFuture<Exit> exit = new CompletableFuture<>();
        CompletableFuture<Exit> _ = UNREAPED.put(pidFd, exit);
        boolean _ = pidFd.signal(Signal.KILL);
        ExitWatch.reaping(pidFd.fd())
                .awaitTurn(how -> {
                    CompletableFuture<Exit> _ = UNREAPED.remove(pidFd);
                    boolean _ = exit.complete(how == null ? new Exit.Unknown() : how);
                    pidFd.close();
                });
    }

    /** On the poller's thread, among others: no code of a user's runs here. */
    private void ended(@Nullable Exit how) {
        if (!reapedLater) {
            CompletableFuture<Exit> _ = UNREAPED.remove(pidFd);
        }
        try {
            if (Recorder.isOn()) {
                Recorder.exited(pidFd.toString(), String.valueOf(how));
            }
        } finally { // whoever waits for it learns of it
            boolean _ = exit.complete(how == null ? new Exit.Unknown() : how);
            if (closed) {
                letGo();
            }
        }
    }

    /** It has exited, and nobody asks for it any more. */
    private void letGo() {
        reap();
        pidFd.close();
    }

    /**
     * Reaps a child of {@link Spawn#reapLater} that has exited: its number is free from now on.
     * Nothing if it has not exited, was reaped, or is of those that are reaped at once.
     */
    public void reap() {
        if (!reapedLater || !exit.isDone()) {
            return;
        }
        try {
            Optional<Exit> _ = pidFd.reap();
        } catch (ErrnoException | ClosedException e) {
            // it was reaped before
        }
        CompletableFuture<Exit> _ = UNREAPED.remove(pidFd);
    }

    /** {@return the process, lent: it is closed by this} */
    public PidFd pidFd() {
        return pidFd;
    }

    /**
     * {@return the stream to its standard input, buffered: {@code flush} or {@code close} sends it}
     * A {@link FdOutputStream}.
     *
     * @throws IllegalStateException if that is no pipe
     */
    public OutputStream stdin() {
        return piped(stdin, "input");
    }

    /**
     * {@return the stream from its standard output, buffered} A {@link FdInputStream}.
     *
     * @throws IllegalStateException if that is no pipe
     */
    public InputStream stdout() {
        return piped(stdout, "output");
    }

    /**
     * {@return the stream from its standard error, buffered} A {@link FdInputStream}.
     *
     * @throws IllegalStateException if that is no pipe
     */
    public InputStream stderr() {
        return piped(stderr, "error");
    }

    private static <S> S piped(@Nullable S stream, String name) {
        if (stream == null) {
            throw new IllegalStateException("standard " + name + " is not a pipe");
        }
        return stream;
    }

    /**
     * Sends it a signal.
     *
     * @param signal the signal
     * @return false if it is gone
     */
    public boolean signal(Signal signal) {
        return !exit.isDone() && pidFd.signal(signal);
    }

    /** {@return how it ended, if it has} */
    public Optional<Exit> exit() {
        return exit.isDone() ? Optional.of(exit.join()) : Optional.empty();
    }

    /**
     * {@return the resources that it has used, with those descendants that it has waited for: empty
     * until it has exited, and if it was reaped by others}
     */
    public Optional<ResourceUsage> usage() {
        return exit.isDone() ? Optional.ofNullable(exitWatch.usage()) : Optional.empty();
    }

    /**
     * Parks the calling thread until it has exited.
     *
     * @return how it ended
     * @throws InterruptedException if the thread is or gets interrupted before; its status is
     *     cleared
     */
    public Exit await() throws InterruptedException {
        try {
            return exit.get();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * The same with a time limit; empty when it is over.
     *
     * @param limit the time limit
     * @return how it ended; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Exit> await(Duration limit) throws InterruptedException {
        long nanos = Readiness.nanos(limit);
        if (exit.isDone() || nanos <= 0) {
            return exit();
        }
        try {
            return Optional.of(exit.get(nanos, TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * A future of its exit. It completes on a virtual thread, and so do those that depend on it:
     * not on a thread of Holdfast's.
     *
     * @return the future
     */
    public CompletableFuture<Exit> onExit() {
        return exit.isDone()
                ? CompletableFuture.completedFuture(exit.join())
                : exit.thenApplyAsync(Function.identity(), Readiness.executor());
    }

    /**
     * This child for code that was written for {@link Process}.
     *
     * <pre>{@code
     * Process process = Spawn.of(new ProcessBuilder("make", "-j8")).start().asProcess();
     * int status = process.waitFor();
     * }</pre>
     *
     * <p>All methods do what they say there. A killed process has the status 128 and its signal. A
     * stream that is no pipe is at its end, or throws when it is written to. {@code destroy} sends
     * SIGTERM, {@code destroyForcibly} SIGKILL, to this process only and through its pidfd, and
     * both close our ends of its streams. {@code toHandle}, and so {@code info}, {@code children}
     * and {@code descendants}, throw UnsupportedOperationException once it is reaped, since a
     * handle is found by number; {@code pid} does so if it was reaped before this call.
     *
     * @return which shares all with this: {@link #close} is still to be called, or left to the
     *     collector of garbage
     */
    public Process asProcess() {
        return new ChildProcess(this);
    }

    /**
     * Closes our ends of its streams, and its pidfd once it has exited. Does not end it, and waits
     * for nothing: of what was written and not flushed, its standard input gets as much as it takes
     * at once. Idempotent.
     */
    @Override
    public void close() {
        closeStreams();
        closed = true;
        if (exit.isDone()) {
            letGo();
        }
    }

    /** Closes our ends of its streams, without waiting. */
    void closeStreams() {
        if (stdin != null) {
            stdin.closeNow();
        }
        if (stdout != null) {
            stdout.close();
        }
        if (stderr != null) {
            stderr.close();
        }
    }

    @Override
    public String toString() {
        return pidFd.toString();
    }
}
