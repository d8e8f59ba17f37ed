package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
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
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A process that {@link Spawn} started, held from its birth. The poller reaps it when it exits,
 * whether or not a thread waits for it: there is a single place that learns its exit, and all
 * waiters get it from there. Its pidfd stays open until it has exited <em>and</em> {@link #close}
 * was called, so that its attributes can still be read. A child that has exited and is
 * garbage-collected unclosed frees its descriptors then. A child of {@link Spawn#reapLater} is
 * reaped by its owner instead.
 *
 * <p>Safe for use by any thread. Waiting pins no carrier thread.
 */
public final class Child implements AutoCloseable {
    /** Each unreaped child, with the future that its reaper completes. */
    private static final Map<PidFd, CompletableFuture<Exit>> UNREAPED = new ConcurrentHashMap<>();

    private static final AtomicInteger STARTING = new AtomicInteger();

    private final PidFd pidFd;
    private final @Nullable FdOutputStream stdin;
    private final @Nullable FdInputStream stdout;
    private final @Nullable FdInputStream stderr;

    private final ExitWatch exitWatch;

    /** Completed by the reaper. Callers get futures that depend on it, never this one. */
    private final CompletableFuture<Exit> exit = new CompletableFuture<>();

    private final boolean reapedLater;
    private volatile boolean closed;

    /**
     * @param reapedLater whether its owner reaps it, by {@link #reap}
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
        pidFd.setReaper(exit);
        this.stdin = stdin == null ? null : new FdOutputStream(stdin);
        this.stdout = stdout == null ? null : new FdInputStream(stdout);
        this.stderr = stderr == null ? null : new FdInputStream(stderr);
        LeakDetector.closeWith(pidFd, pidFd.fd()); // a caller may keep only one of the two
    }

    /** Counts a start that has begun: the child may exist before it is in {@link #UNREAPED}. */
    static void starting() {
        int ignored = STARTING.incrementAndGet();
    }

    /** Counts a start that is over: its child, if any, is in {@link #UNREAPED}. */
    static void startEnded() {
        int ignored = STARTING.decrementAndGet();
    }

    /**
     * {@return whether an exited child of this process was certainly not started by {@link Spawn},
     * so that a subreaper may {@link PidFd#reap} it as an orphan} While a start is under way that
     * is not certain, and the result is false.
     *
     * @param exited the child
     */
    public static boolean isOrphan(PidFd exited) {
        return STARTING.get() == 0 && !UNREAPED.containsKey(exited);
    }

    /**
     * Finds a child of this process that has exited and is not reaped: a child of {@link Spawn}, an
     * orphan that this process adopted as subreaper, or a child of other code in this JVM. One
     * system call, however many children there are; it reaps nothing, and finds only the first.
     *
     * @return the child, owned by the caller; empty if there is none, or it was reaped meanwhile
     */
    public static Optional<PidFd> firstExited() {
        int number = SysWait.exitedChild();
        if (number <= 0) {
            return Optional.empty();
        }
        Optional<PidFd> found = PidFd.find(number);
        if (found.isPresent() && !found.get().isChild()) { // another process has its PID by now
            found.get().close();
            return Optional.empty();
        }
        return found;
    }

    /**
     * {@return whether this process was started by {@link Spawn} and is not reaped yet}
     *
     * @param process the process
     */
    public static boolean isStarted(PidFd process) {
        return UNREAPED.containsKey(process);
    }

    /**
     * Returns the future that completes when a process that {@link #isStarted} is reaped; null for
     * any other process.
     */
    static @Nullable CompletableFuture<Exit> exitOf(PidFd process) {
        return UNREAPED.get(process);
    }

    /** Begins to watch for its exit; unless {@link #reapedLater}, reaps it then. */
    void watch() {
        CompletableFuture<Exit> _ = UNREAPED.put(pidFd, exit);
        var _ = exitWatch.begin(this::ended);
    }

    /** Kills and reaps a child that cannot be watched. */
    static void killAndReap(PidFd pidFd) {
        CompletableFuture<Exit> exit = new CompletableFuture<>();
        CompletableFuture<Exit> _ = UNREAPED.put(pidFd, exit);
        boolean _ = pidFd.signal(Signal.KILL);
        ExitWatch.reaping(pidFd.fd())
                .reapBlocking(how -> {
                    CompletableFuture<Exit> _ = UNREAPED.remove(pidFd);
                    boolean _ = exit.complete(how == null ? new Exit.Unknown() : how);
                    pidFd.close();
                });
    }

    /** Runs on the poller's thread, among others, so it runs no code of callers. */
    private void ended(@Nullable Exit how) {
        if (!reapedLater) {
            CompletableFuture<Exit> _ = UNREAPED.remove(pidFd);
        }
        try {
            if (Recorder.isOn()) {
                Recorder.exited(pidFd.toString(), String.valueOf(how));
            }
        } finally { // the waiters get the exit in any case
            boolean _ = exit.complete(how == null ? new Exit.Unknown() : how);
            if (closed) {
                releaseExited();
            }
        }
    }

    /** Reaps the exited child if necessary, and closes its pidfd: its owner has closed it. */
    private void releaseExited() {
        reap();
        pidFd.close();
    }

    /**
     * Reaps a child of {@link Spawn#reapLater} that has exited, which frees its PID. Does nothing
     * if it has not exited, was reaped, or is reaped automatically.
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

    /**
     * Returns its PID, from the kernel or, once it is reaped, from the call that reaped it; 0 if
     * other code reaped it.
     *
     * @throws ErrnoException if the kernel does not report the PID of an unreaped child
     */
    int pid() {
        try {
            return pidFd.pid();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESRCH) {
                throw e;
            }
        } catch (ClosedException e) {
            // it has exited
        }
        Exit _ = exit.join(); // follows the reap at once
        return exitWatch.pid();
    }

    /** Returns whether it is reaped. */
    boolean isReaped() {
        try {
            return pidFd.state() == PidFd.State.REAPED;
        } catch (ClosedException e) {
            return true; // it is closed after the reap
        }
    }

    /** {@return the process, lent: this child closes it} */
    public PidFd pidFd() {
        return pidFd;
    }

    /**
     * {@return the stream to its standard input, a {@link FdOutputStream}; buffered, so {@code
     * flush} or {@code close} sends what was written}
     *
     * @throws IllegalStateException if its standard input is not a pipe
     */
    public OutputStream stdin() {
        return piped(stdin, "input");
    }

    /**
     * {@return the stream from its standard output, a buffered {@link FdInputStream}}
     *
     * @throws IllegalStateException if its standard output is not a pipe
     */
    public InputStream stdout() {
        return piped(stdout, "output");
    }

    /**
     * {@return the stream from its standard error, a buffered {@link FdInputStream}}
     *
     * @throws IllegalStateException if its standard error is not a pipe
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

    /**
     * Ends it: sends SIGTERM (and SIGCONT, so that a stopped process receives it), kills it if it
     * has not exited when the grace is over, and waits for its exit. Descendants are not ended: see
     * {@code ProcessScope}.
     *
     * <pre>{@code
     * Exit exit = server.end(Duration.ofSeconds(5));
     * }</pre>
     *
     * @param grace the time between SIGTERM and SIGKILL; zero kills at once
     * @return how it ended
     * @throws IllegalArgumentException if the grace is negative
     * @throws InterruptedException if the thread is or gets interrupted; the child was killed then
     * @throws ErrnoException EPERM if it has become another user's
     */
    public Exit end(Duration grace) throws InterruptedException {
        if (grace.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + grace);
        }
        try {
            if (grace.isPositive() && signal(Signal.TERM) && signal(Signal.CONT)) {
                Optional<Exit> _ = await(grace);
            }
        } finally {
            boolean _ = signal(Signal.KILL);
        }
        return await();
    }

    /** {@return how it ended; empty if it has not} */
    public Optional<Exit> exit() {
        return exit.isDone() ? Optional.of(exit.join()) : Optional.empty();
    }

    /**
     * {@return the resources that it and the descendants that it waited for have used; empty until
     * it has exited, and if it was reaped by other code}
     */
    public Optional<ResourceUsage> usage() {
        return exit.isDone() ? Optional.ofNullable(exitWatch.usage()) : Optional.empty();
    }

    /**
     * Parks the calling thread until it has exited.
     *
     * @return how it ended
     * @throws InterruptedException if the thread is or gets interrupted first; its interrupt status
     *     is cleared
     */
    public Exit await() throws InterruptedException {
        try {
            return exit.get();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Parks the calling thread until it has exited, with a time limit.
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
     * Returns a future of its exit. It and its dependent stages complete on a virtual thread, never
     * on an internal thread of Holdfast.
     *
     * @return the future
     */
    public CompletableFuture<Exit> onExit() {
        return exit.isDone()
                ? CompletableFuture.completedFuture(exit.join())
                : exit.thenApplyAsync(Function.identity(), Readiness.executor());
    }

    /**
     * Calls back on the loop's thread once it has exited. Unlike {@link PidFd#onExit(EventLoop,
     * Consumer)} it cannot be cancelled, and comes also if this is closed before. May be called by
     * any thread.
     *
     * @param loop the event loop
     * @param exited called with how it ended, unless the loop is closed
     */
    public void onExit(EventLoop loop, Consumer<Exit> exited) {
        var _ = exit.thenAccept(how -> loop.postEnding(() -> exited.accept(how)));
    }

    /**
     * Returns this child as a {@link Process}, for code that was written for that class.
     *
     * <pre>{@code
     * Process process = Spawn.of(new ProcessBuilder("make", "-j8")).start().asProcess();
     * int status = process.waitFor();
     * }</pre>
     *
     * <p>All methods follow their specification there. The exit value of a killed process is 128
     * plus the signal. A stream that is not a pipe is at its end for reading, and throws on
     * writing. {@code destroy} sends SIGTERM, {@code destroyForcibly} SIGKILL, to this process only
     * and through its pidfd, and both close our ends of its streams. Once it is reaped, {@code
     * toHandle} returns a handle of a process that is not alive, has no children, equals no handle
     * of the JDK, and cannot be compared with one. {@code pid} and {@code toHandle} throw
     * UnsupportedOperationException if other code in this JVM reaped it before their first call,
     * and ErrnoException (EMFILE, or ENOENT without /proc) before Linux 6.13 if the kernel does not
     * report the PID of a process that is not reaped.
     *
     * @return a view of this child: {@link #close} must still be called, or is left to garbage
     *     collection
     */
    public Process asProcess() {
        return new ChildProcess(this);
    }

    /**
     * Closes our ends of its streams, and its pidfd once it has exited. Neither ends the child nor
     * waits: data that was written and not flushed is sent to its standard input only as far as the
     * pipe has room for it now. Idempotent.
     */
    @Override
    public void close() {
        closeStreams();
        closed = true;
        if (exit.isDone()) {
            releaseExited();
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
