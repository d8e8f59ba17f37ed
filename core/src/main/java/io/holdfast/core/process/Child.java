package io.holdfast.core.process;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.FdInputStream;
import io.holdfast.core.linux.FdOutputStream;
import io.holdfast.core.linux.Signal;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A process that we started, held from its birth. It is reaped by itself when it exits, whether or
 * not anybody waits; its pidfd stays open until it has exited <em>and</em> {@link #close} was
 * called, so that what was true of it can still be asked.
 *
 * <p>Safe for use by any thread; waiting parks the calling thread.
 */
public final class Child implements AutoCloseable {
    private static final Set<PidFd> UNREAPED = ConcurrentHashMap.newKeySet();
    private static final AtomicInteger STARTING = new AtomicInteger();

    private final PidFd pidFd;
    private final @Nullable OutputStream stdin;
    private final @Nullable InputStream stdout;
    private final @Nullable InputStream stderr;

    @GuardedBy("this")
    private @Nullable Exit exit;

    @GuardedBy("this")
    private @Nullable CompletableFuture<Exit> future;

    @GuardedBy("this")
    private boolean closed;

    Child(PidFd pidFd, @Nullable Fd stdin, @Nullable Fd stdout, @Nullable Fd stderr) {
        this.pidFd = pidFd;
        this.stdin = stdin == null ? null : new FdOutputStream(stdin);
        this.stdout = stdout == null ? null : new FdInputStream(stdout);
        this.stderr = stderr == null ? null : new FdInputStream(stderr);
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
     * Whether an exited child of this process is certainly none that {@link Spawn} has started, so
     * that a subreaper may {@link PidFd#reap} it as an orphan. While a start is under way that is
     * not certain.
     */
    public static boolean isOrphan(PidFd exited) {
        return STARTING.get() == 0 && !UNREAPED.contains(exited);
    }

    /** Whether {@link Spawn} has started this process, and it is not reaped yet. */
    public static boolean isStarted(PidFd process) {
        return UNREAPED.contains(process);
    }

    /** Begins to watch for its exit, and to reap it then. */
    void watch() {
        boolean ignored = UNREAPED.add(pidFd);
        var _ = new ExitWatch(pidFd.fd(), true).begin(this::ended);
    }

    /** Kills and reaps a child that cannot be watched. */
    static void giveUp(PidFd pidFd) {
        boolean _ = UNREAPED.add(pidFd);
        boolean _ = pidFd.signal(Signal.KILL);
        ExitWatch.awaitTurn(
                pidFd.fd(),
                _ -> {
                    boolean ignored = UNREAPED.remove(pidFd);
                    pidFd.close();
                });
    }

    private void ended(@Nullable Exit how) {
        Exit known = how == null ? new Exit.Unknown() : how;
        CompletableFuture<Exit> asked;
        boolean ignored = UNREAPED.remove(pidFd);
        synchronized (this) {
            exit = known;
            asked = future;
            notifyAll();
            if (closed) {
                pidFd.close();
            }
        }
        if (asked != null) {
            ExitWatch.COMPLETION.execute(() -> asked.complete(known));
        }
    }

    /** The process, lent: it is closed by this. */
    public PidFd pidFd() {
        return pidFd;
    }

    /**
     * What it reads from its standard input.
     *
     * @throws IllegalStateException if that is no pipe
     */
    public OutputStream stdin() {
        return piped(stdin, "input");
    }

    /**
     * What it writes to its standard output.
     *
     * @throws IllegalStateException if that is no pipe
     */
    public InputStream stdout() {
        return piped(stdout, "output");
    }

    /**
     * What it writes to its standard error.
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
     * @return false if it is gone
     */
    public boolean signal(Signal signal) {
        synchronized (this) {
            if (exit != null) {
                return false;
            }
        }
        return pidFd.signal(signal);
    }

    /** How it ended, if it has. */
    public synchronized Optional<Exit> exit() {
        return Optional.ofNullable(exit);
    }

    /** Parks the calling thread until it has exited. */
    public synchronized Exit await() throws InterruptedException {
        while (exit == null) {
            wait();
        }
        return exit;
    }

    /** The same with a time limit; empty when it is over. */
    public synchronized Optional<Exit> await(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
        while (exit == null) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return Optional.empty();
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return Optional.of(exit);
    }

    /** A future of its exit, completed on a virtual thread. */
    public synchronized CompletableFuture<Exit> onExit() {
        if (exit != null) {
            return CompletableFuture.completedFuture(exit);
        }
        if (future == null) {
            future = new CompletableFuture<>();
        }
        return future.copy();
    }

    /**
     * Closes our ends of its streams, and its pidfd once it has exited. Does not end it.
     * Idempotent.
     */
    @Override
    public void close() {
        closeQuietly(stdin);
        closeQuietly(stdout);
        closeQuietly(stderr);
        synchronized (this) {
            closed = true;
            if (exit != null) {
                pidFd.close();
            }
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable stream) {
        if (stream instanceof FdInputStream in) {
            in.close();
        } else if (stream instanceof FdOutputStream out) {
            out.close();
        }
    }

    @Override
    public String toString() {
        return pidFd.toString();
    }
}
