package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.process.PidfdInfo;
import io.holdfast.core.sys.process.Rusage;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.SysWait;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Watches one pidfd until its process has ended: readable means exited, hung up means reaped.
 *
 * <p>A child's status comes from {@code waitid}; that of any other process from PIDFD_GET_INFO,
 * which has it only after the reap. The watch waits for the event of the reap by the parent for at
 * most {@link #REAP_GRACE} after the exit; then it reads the status of the zombie from {@code
 * /proc}, if this process has access to it.
 */
final class ExitWatch {
    /**
     * How long a process that has exited may stay a zombie of its parent before its status counts
     * as unknown.
     */
    static final Duration REAP_GRACE = CoreLimits.REAP_GRACE.duration();

    private static final Exit UNKNOWN = new Exit.Unknown();
    private static final int ONLY_HUP = 0; // poll(2) always reports it

    private final Fd fd;
    private final boolean reaping;
    private final @Nullable CompletableFuture<Exit> reaped;
    private final Supplier<Exit> zombieExit;
    private volatile @Nullable ResourceUsage usage;
    private volatile int pid;

    private ExitWatch(
            Fd fd,
            boolean reaping,
            @Nullable CompletableFuture<Exit> reaped,
            Supplier<Exit> zombieExit) {
        this.fd = fd;
        this.reaping = reaping;
        this.reaped = reaped;
        this.zombieExit = zombieExit;
    }

    /** Returns a watch that reaps the child of this process when it has exited. */
    static ExitWatch reaping(Fd fd) {
        return new ExitWatch(fd, true, null, Exit.Unknown::new);
    }

    /**
     * Returns a watch that reaps nothing.
     *
     * @param reaped for a child that other code in this process reaps: completed with how it ended,
     *     which before Linux 6.15 only the reaper learns
     * @param zombieExit reads how a process that its parent does not reap has ended, as far as that
     *     is available
     */
    static ExitWatch watching(
            Fd fd, @Nullable CompletableFuture<Exit> reaped, Supplier<Exit> zombieExit) {
        return new ExitWatch(fd, false, Feature.EXIT_INFO.isPresent() ? null : reaped, zombieExit);
    }

    /**
     * Returns how it ended; null while only its parent can know, or if it has not ended: {@link
     * Liveness} distinguishes the two.
     */
    private @Nullable Exit status() {
        int options = SysWait.WEXITED | SysWait.WNOHANG;
        long change = waitFor(reaping ? options : options | SysWait.WNOWAIT);
        if (change > 0) {
            return exitOf(change);
        }
        if (change == SysWait.NOTHING) {
            return null; // its tracer waits for it first, or it has not exited
        }
        if (!Feature.PIDFD_INFO.isPresent()) {
            return Liveness.isAlive(fd) ? null : UNKNOWN;
        }
        PidfdInfo info = SysPidfd.getInfo(fd, PidfdInfo.INFO_EXIT);
        if (!info.has(PidfdInfo.INFO_EXIT)) {
            if (info.errno() == 0 && (SysPoll.now(fd, Readiness.IN) & Readiness.HUP) == 0) {
                return null;
            }
            info = SysPidfd.getInfo(fd, PidfdInfo.INFO_EXIT); // it may have been reaped in between
        }
        return info.has(PidfdInfo.INFO_EXIT) ? Exit.ofWaitStatus(info.exitCode()) : UNKNOWN;
    }

    private long waitFor(int options) {
        SysWait.Waited waited = SysWait.waitForUsage(fd, options);
        Rusage rusage = waited.usage();
        if (rusage != null) {
            pid = waited.pid();
            usage = ResourceUsage.of(rusage);
        }
        return waited.change();
    }

    /** Returns the PID of the exited child; 0 if this watch has not seen it as a zombie. */
    int pid() {
        return pid;
    }

    /**
     * Returns the resources that the child has used; null if this watch has not seen it as a
     * zombie.
     */
    @Nullable ResourceUsage usage() {
        return usage;
    }

    /** Returns how it ended, as far as the kernel reports it now; empty if it has not ended. */
    Optional<Exit> now() {
        Exit exit = status();
        PidFd.State state = Liveness.of(fd);
        if (state == PidFd.State.ALIVE) {
            return Optional.ofNullable(exit).filter(known -> !known.equals(UNKNOWN));
        }
        boolean isKnown = exit != null && !exit.equals(UNKNOWN);
        if (!isKnown && state == PidFd.State.EXITED) {
            exit = zombieExit.get();
            isKnown = !exit.equals(UNKNOWN);
        }
        if (!isKnown && Liveness.of(fd) == PidFd.State.REAPED) { // perhaps meanwhile
            exit = reaped != null && reaped.isDone() ? reaped.join() : status();
        }
        return Optional.of(exit == null ? UNKNOWN : exit);
    }

    Optional<Exit> await(@Nullable Duration limit) throws InterruptedException {
        long nanos = limit == null ? Long.MAX_VALUE : Readiness.nanos(limit);
        long start = System.nanoTime();
        Exit exit;
        do {
            long left = limit == null ? nanos : nanos - (System.nanoTime() - start);
            if (awaitReady(left) == Readiness.NONE) {
                return Optional.empty();
            }
            exit = status();
        } while (exit == null && Liveness.isAlive(fd));
        if (exit == null) {
            int reaped = Readiness.await(fd, ONLY_HUP, REAP_GRACE);
            exit = reaped == Readiness.NONE ? zombieExit.get() : status();
        }
        return Optional.of(exit == null || exit.equals(UNKNOWN) ? awaitReaped() : exit);
    }

    private Exit awaitReaped() throws InterruptedException {
        if (reaped == null) {
            return UNKNOWN;
        }
        try {
            return reaped.get(REAP_GRACE.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return UNKNOWN;
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    CompletableFuture<Exit> future() {
        CompletableFuture<Exit> watched = watched();
        if (reaped == null) {
            return watched;
        }
        CompletableFuture<Exit> result = new CompletableFuture<>();
        var _ =
                watched.whenComplete((exit, failure) -> {
                    if (failure != null) {
                        result.completeExceptionally(failure);
                    } else if (exit.equals(UNKNOWN)) {
                        var _ = reaped.thenAcceptAsync(result::complete, Readiness.executor());
                    } else {
                        result.complete(exit);
                    }
                });
        var _ = result.whenComplete((_, _) -> watched.cancel(false)); // given up by its holder
        return result;
    }

    private CompletableFuture<Exit> watched() {
        CompletableFuture<Exit> future = new CompletableFuture<>();
        Registration pending =
                begin(exit ->
                        Readiness.executor()
                                .execute(() -> {
                                    if (exit != null) {
                                        future.complete(exit);
                                    } else {
                                        future.completeExceptionally(
                                                new IllegalStateException(fd + " while watched"));
                                    }
                                }));
        var ignored = future.whenComplete((exit, e) -> pending.cancel()); // given up by its holder
        return future;
    }

    /**
     * Calls back once when the process has exited, on the poller's thread or a virtual one; with
     * null if the pidfd was closed first. The callback must be quick.
     */
    Registration begin(Consumer<@Nullable Exit> ended) {
        return Readiness.once(fd, Readiness.IN, events -> exited(ended, events));
    }

    /** Blocks until it has exited, and returns the events for {@link #exited}. */
    int awaitReady(long nanos) throws InterruptedException {
        return nanos == Long.MAX_VALUE
                ? Readiness.await(fd, Readiness.IN)
                : Readiness.await(fd, Readiness.IN, Duration.ofNanos(nanos));
    }

    /** Determines how the exited process ended, and passes that to the callback now or later. */
    void exited(Consumer<@Nullable Exit> ended, int events) {
        Exit exit = null;
        try {
            if (events != Readiness.NONE) {
                exit = status();
                if (exit == null) {
                    if (reaping) {
                        reapBlocking(ended);
                    } else if (Liveness.isAlive(fd)) {
                        var _ = begin(ended);
                    } else {
                        awaitReap(ended);
                    }
                    return;
                }
            }
        } catch (ClosedException e) {
            // closed meanwhile
        }
        ended.accept(exit);
    }

    /**
     * Waits in the kernel, on a thread of its own, until the child can be reaped. The tracer of a
     * traced zombie waits for it first, and no event reports when the tracer is done. A spurious
     * exit event takes this rare path, too.
     */
    void reapBlocking(Consumer<@Nullable Exit> ended) {
        Thread.ofPlatform()
                .daemon()
                .name("holdfast-reap")
                .start(() -> {
                    Exit exit = null;
                    try {
                        long change = waitFor(SysWait.WEXITED);
                        exit = change > 0 ? exitOf(change) : UNKNOWN;
                    } catch (ClosedException e) {
                        // closed meanwhile
                    }
                    ended.accept(exit);
                });
    }

    private void awaitReap(Consumer<@Nullable Exit> ended) {
        Registration reap =
                Readiness.once(
                        fd,
                        ONLY_HUP,
                        events -> {
                            Exit exit = null;
                            try {
                                if (events != Readiness.NONE) {
                                    exit = status();
                                    exit = exit == null ? UNKNOWN : exit;
                                }
                            } catch (ClosedException e) {
                                // closed meanwhile
                            }
                            ended.accept(exit);
                        });
        CompletableFuture.delayedExecutor(
                        REAP_GRACE.toMillis(), TimeUnit.MILLISECONDS, Readiness.executor())
                .execute(() -> {
                    if (reap.cancel()) {
                        ended.accept(zombieExit.get());
                    }
                });
    }

    Registration on(EventLoop loop, Consumer<Exit> exited) {
        LoopWatch watch = new LoopWatch(loop, exited);
        watch.begin();
        return watch;
    }

    /** A watch on an event loop; all its methods run on the loop's thread. */
    private final class LoopWatch implements Registration {
        private final EventLoop loop;
        private final Consumer<Exit> exited;
        private EventLoop.@Nullable Watch watch;
        private EventLoop.@Nullable Timer grace;
        private boolean closed;

        LoopWatch(EventLoop loop, Consumer<Exit> exited) {
            this.loop = loop;
            this.exited = exited;
        }

        void begin() {
            watch = loop.watch(fd, Readiness.IN, this::ready);
        }

        private void ready(int events) {
            Exit exit = status();
            if (exit != null) {
                end(exit);
            } else if (grace == null && watch != null && !Liveness.isAlive(fd)) {
                watch.events(ONLY_HUP);
                grace = loop.after(REAP_GRACE, () -> end(zombieExit.get()));
            }
        }

        private void end(Exit exit) {
            if (watch == null) {
                return;
            }
            if (reaped != null && exit.equals(UNKNOWN)) {
                unwatch();
                var _ = reaped.thenAccept(known -> loop.postEnding(() -> report(known)));
            } else {
                report(exit);
            }
        }

        private void report(Exit exit) {
            if (!closed) {
                close();
                exited.accept(exit);
            }
        }

        @Override
        public boolean cancel() {
            boolean pending = !closed;
            closed = true;
            unwatch();
            return pending;
        }

        private void unwatch() {
            if (watch != null) {
                watch.close();
                watch = null;
            }
            if (grace != null) {
                grace.cancel();
            }
        }
    }

    /** Decodes the exit of a process, as {@link SysWait} packs a change of state. */
    static Exit exitOf(long change) {
        int status = SysWait.status(change);
        return switch (SysWait.code(change)) {
            case SysWait.CLD_EXITED -> new Exit.Exited(status & 0xFF);
            case SysWait.CLD_DUMPED -> new Exit.Killed(new Signal(status), true);
            default -> new Exit.Killed(new Signal(status), false);
        };
    }
}
