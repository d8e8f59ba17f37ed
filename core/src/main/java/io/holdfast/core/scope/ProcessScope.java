package io.holdfast.core.scope;

import io.holdfast.core.ClosedException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Processes and all that they start, held together and ended together: also descendants that have
 * forked twice, begun a session of their own or ignore SIGHUP.
 *
 * <pre>{@code
 * try (ProcessScope scope = ProcessScope.open()) {
 *     Child make = scope.start(Spawn.of("make", "-j8"));
 *     Exit exit = make.await();
 * } // whatever make left behind is gone here
 * }</pre>
 *
 * <p>A scope takes the best means that the place has: a cgroup of its own, else this JVM as the
 * subreaper of its descendants. {@link #guarantee} says which, and {@link Guarantee} what it
 * promises and what it cannot. Several scopes may be open at a time; none touches the processes of
 * another one, nor those that {@code ProcessBuilder} or a plain {@link Spawn} started.
 *
 * <p>A scope that was killed, ended or closed, or whose deadline has passed, starts nothing any
 * more. A start that is under way in that moment is refused, or its child is ended with the others.
 *
 * <p>If this JVM dies, its scopes end nothing: the processes run on. What remains of a scope by
 * cgroup is found by its name, {@code holdfast-scope-NAME-PID-ID} with the number of the JVM, below
 * the cgroup that the JVM was in or one above it; writing 1 to its {@code cgroup.kill} and removing
 * the directory ends it. Processes of a scope without cgroup have {@code HOLDFAST_SCOPE} in their
 * environment.
 *
 * <p>Safe for use by any thread; methods that wait park virtual threads.
 */
public final class ProcessScope implements AutoCloseable {
    private static final Duration RETRY = Duration.ofMillis(100);

    private final ScopeName name;
    private final ScopeOptions options;
    private final Starts starts;
    private final Group group;
    private final ReentrantLock ending = new ReentrantLock();
    private final @Nullable CompletableFuture<Void> deadline;

    private volatile boolean overdue;
    private volatile boolean closed;

    private ProcessScope(ScopeName name, ScopeOptions options, Starts starts, Group group) {
        this.name = name;
        this.options = options;
        this.starts = starts;
        this.group = group;
        this.deadline = options.deadline().map(this::killAfter).orElse(null);
    }

    /**
     * Opens a scope by the best means that the place has.
     *
     * @return the scope, owned by the caller
     * @throws ErrnoException where there is none: without a cgroup to write to, the kernel must
     *     list children (CONFIG_PROC_CHILDREN)
     */
    public static ProcessScope open() {
        return open(ScopeOptions.standard());
    }

    /**
     * Opens a scope.
     *
     * @param options the options
     * @return the scope, owned by the caller
     * @throws ErrnoException as {@link #open()}; EACCES with the reason if a cgroup {@linkplain
     *     ScopeOptions#requireCgroup is required} and cannot be had
     */
    public static ProcessScope open(ScopeOptions options) {
        return options.isCgroupRequired() ? open(options, Guarantee.CGROUP) : openBest(options);
    }

    private static ProcessScope openBest(ScopeOptions options) {
        try {
            return open(options, Guarantee.CGROUP);
        } catch (ErrnoException e) {
            return open(options, Guarantee.SUBREAPER);
        }
    }

    /** By one means, whatever others there are. */
    static ProcessScope open(ScopeOptions options, Guarantee guarantee) {
        ScopeName name = ScopeName.random(options.name());
        Starts starts = new Starts();
        Group group =
                switch (guarantee) {
                    case CGROUP -> new CgroupGroup(ScopeCgroups.make(name));
                    case SUBREAPER -> new SubreaperGroup(new Mark(name.id()), starts);
                };
        return new ProcessScope(name, options, starts, group);
    }

    private CompletableFuture<Void> killAfter(Duration time) {
        CompletableFuture<Void> timer = new CompletableFuture<>();
        var _ = timer.thenRunAsync(this::passDeadline, Readiness.executor());
        return timer.completeOnTimeout(null, Readiness.nanos(time), TimeUnit.NANOSECONDS);
    }

    private void passDeadline() {
        if (closed) {
            return;
        }
        overdue = true;
        while (!closed) {
            try {
                kill();
                return;
            } catch (ProcessesLeftException e) {
                return; // they are there still, and close() says so
            } catch (ErrnoException e) { // short of descriptors or memory for now
                LockSupport.parkNanos(RETRY.toNanos());
            }
        }
    }

    /** {@return the promise of this scope} */
    public Guarantee guarantee() {
        return group.guarantee();
    }

    /**
     * Starts a process in the scope.
     *
     * @param spawn is not changed
     * @return for the caller to close; that does not end it
     * @throws IllegalStateException if the scope is ended, closed or {@linkplain #isOverdue
     *     overdue}, or is so before the start is over
     * @throws IllegalArgumentException if a {@link Spawn#cgroup} was chosen, and the scope has one
     * @throws ErrnoException as {@link Spawn#start}
     */
    public Child start(Spawn spawn) {
        if (spawn.hasCgroup() && guarantee() == Guarantee.CGROUP) {
            throw new IllegalArgumentException(spawn + " has a cgroup, and " + this + " another");
        }
        if (!starts.begin()) {
            throw refusal();
        }
        try {
            Child child = group.start(spawn.copy());
            if (starts.isRefusing()) {
                boolean _ = child.signal(Signal.KILL);
                child.close();
                throw refusal();
            }
            return child;
        } finally {
            starts.end();
        }
    }

    private IllegalStateException refusal() {
        String reason = overdue ? "its deadline has passed" : closed ? "it is closed" : "it ended";
        return new IllegalStateException(this + " starts nothing any more: " + reason);
    }

    /**
     * Takes a running process into the scope: it, and what it starts from then on. Descendants that
     * it already has stay where they are.
     *
     * <p>The process is moved by its number, and checked by its descriptor before and afterwards.
     * If it ended in between, ESRCH is thrown and it is not in the scope; nor is a process that got
     * its number in that instant, though that one may then be in the cgroup of this JVM.
     *
     * @param process lent
     * @throws ErrnoException ESRCH if it has ended; EACCES if it is not ours to move; EOPNOTSUPP if
     *     the scope has no cgroup
     * @throws IllegalStateException as {@link #start}
     */
    public void adopt(PidFd process) {
        if (!starts.begin()) {
            throw refusal();
        }
        try {
            group.adopt(process);
        } finally {
            starts.end();
        }
    }

    /**
     * The processes that are in the scope now, held, each verified to be in it after it was opened.
     * Zombies are not in it.
     *
     * @return for the caller to close; empty once the scope is closed
     * @throws ErrnoException EMFILE
     */
    public Members members() {
        return Members.adopt(ask(group::members, List.of()));
    }

    /** {@return whether no living process is in the scope} */
    public boolean isEmpty() {
        return ask(group::isEmpty, true);
    }

    /**
     * Parks the calling thread until no living process is in the scope.
     *
     * @param limit the time limit
     * @return false when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public boolean awaitEmpty(Duration limit) throws InterruptedException {
        if (closed) {
            return true;
        }
        try {
            return group.awaitEmpty(Deadline.in(limit));
        } catch (ClosedException | ErrnoException e) {
            if (closed) {
                return true;
            }
            throw e;
        }
    }

    /**
     * A future that completes when no living process is in the scope: at once, if that is so
     * already. It completes on a virtual thread, and no later than when the scope is closed. Each
     * call gives another one; cancelling it ends its wait.
     *
     * @return the future
     */
    public CompletableFuture<Void> onEmpty() {
        CompletableFuture<Void> empty = new CompletableFuture<>();
        Thread waiting =
                Thread.ofVirtual()
                        .name("holdfast-scope")
                        .start(() -> {
                            try {
                                boolean _ = awaitEmpty(Duration.ofSeconds(Long.MAX_VALUE));
                                empty.complete(null);
                            } catch (InterruptedException e) {
                                empty.cancel(false);
                            } catch (RuntimeException e) {
                                empty.completeExceptionally(e);
                            }
                        });
        var _ =
                empty.whenComplete((_, _) -> {
                    if (empty.isCancelled()) {
                        waiting.interrupt();
                    }
                });
        return empty;
    }

    private <T> T ask(Supplier<T> question, T ofClosed) {
        if (closed) {
            return ofClosed;
        }
        try {
            return question.get();
        } catch (ClosedException | ErrnoException e) {
            if (closed) { // meanwhile
                return ofClosed;
            }
            throw e;
        }
    }

    /**
     * Sends a signal to each process in the scope. One that is born meanwhile may miss it.
     *
     * @param signal the signal
     * @return how many it was sent to
     * @throws ErrnoException EPERM if some may not be sent it; the others were
     */
    public int signal(Signal signal) {
        int sent = 0;
        ErrnoException refused = null;
        try (Members members = members()) {
            for (PidFd member : members) {
                try {
                    sent += member.signal(signal) ? 1 : 0;
                } catch (ErrnoException e) {
                    refused = e;
                }
            }
        }
        if (refused != null) {
            throw refused;
        }
        return sent;
    }

    /**
     * Kills every process in the scope, and returns when all are gone. Starts are refused from then
     * on. An interrupt does not end this; the thread stays interrupted.
     *
     * @throws ProcessesLeftException if some are left after {@link CoreLimits#SCOPE_PATIENCE}
     */
    public void kill() {
        end(Duration.ZERO);
    }

    /**
     * Ends every process in the scope: sends SIGTERM (and SIGCONT, so that stopped ones receive it)
     * and kills what is left when the grace is over. Returns when all are gone. Starts are refused
     * from the beginning on. An interrupt ends the grace, not this; the thread stays interrupted.
     *
     * @param grace the time between SIGTERM and SIGKILL
     * @throws ProcessesLeftException if some are left after the grace and {@link
     *     CoreLimits#SCOPE_PATIENCE}
     */
    public void end(Duration grace) {
        starts.refuse();
        boolean interrupted = Thread.interrupted();
        ending.lock();
        try {
            if (!closed) {
                if (grace.isPositive() && !interrupted && !isEmpty()) {
                    interrupted = !isEndedBySignal(grace);
                }
                interrupted |= killAll();
            }
        } finally {
            ending.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** False if the thread was interrupted. */
    private boolean isEndedBySignal(Duration grace) {
        for (Signal signal : List.of(Signal.TERM, Signal.CONT)) {
            try {
                int _ = signal(signal);
            } catch (ErrnoException e) {
                // some are of another user: those are left
            }
        }
        try {
            boolean _ = group.awaitEmpty(Deadline.in(grace));
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    /** True if the thread was interrupted meanwhile. */
    private boolean killAll() {
        Duration patience = CoreLimits.SCOPE_PATIENCE.duration();
        Deadline limit = Deadline.in(patience);
        for (boolean interrupted = false; ; interrupted = true) {
            try {
                if (!group.kill(starts, limit)) {
                    throw new ProcessesLeftException(toString(), patience.toString(), left());
                }
                return interrupted;
            } catch (InterruptedException e) {
                // a kill is not given up half-way
            }
        }
    }

    private List<String> left() {
        List<String> left = new ArrayList<>();
        for (PidFd process : group.members()) {
            try (process) {
                left.add(process + " " + process.proc().name());
            } catch (ErrnoException e) {
                // it has ended by now
            }
        }
        return left;
    }

    /**
     * {@return whether the {@linkplain ScopeOptions#withDeadline deadline} passed before the scope
     * was closed, and so ended it} This can still be asked when it is closed.
     */
    public boolean isOverdue() {
        return overdue;
    }

    /**
     * Ends the scope, with the {@linkplain ScopeOptions#withGrace grace} that it was opened with,
     * and removes its cgroup with all that are below it. Idempotent.
     *
     * @throws ProcessesLeftException as {@link #end}; the cgroup remains then, and all else is
     *     released
     */
    @Override
    public void close() {
        ending.lock();
        try {
            if (closed) {
                return;
            }
            RuntimeException failure = null;
            try {
                end(options.grace());
            } catch (RuntimeException e) {
                failure = e;
            }
            closed = true;
            if (deadline != null) {
                boolean _ = deadline.cancel(false);
            }
            try {
                group.close();
            } catch (ErrnoException e) {
                failure = failure == null ? e : failure; // what is left is why
            }
            if (failure != null) {
                throw failure;
            }
        } finally {
            ending.unlock();
        }
    }

    /** The name that it was given, and its id. */
    @Override
    public String toString() {
        return name.toString();
    }
}
