package io.holdfast.core.scope;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.sys.Uninterruptible;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A group of processes and all their descendants, which are ended together: also descendants that
 * have forked twice, begun a session of their own or ignore SIGHUP.
 *
 * <pre>{@code
 * try (ProcessScope scope = ProcessScope.open()) {
 *     Child make = scope.start(Spawn.of("make", "-j8"));
 *     Exit exit = make.await();
 * } // whatever make left behind is gone here
 * }</pre>
 *
 * <p>A scope uses the best mechanism that is available: a cgroup of its own, otherwise this JVM as
 * the subreaper of its descendants. {@link #guarantee} returns which, and {@link Guarantee}
 * describes what each guarantees and what it cannot. Several scopes may be open at the same time;
 * none touches the processes of another, nor those that {@code ProcessBuilder} or a plain {@link
 * Spawn} started.
 *
 * <p>A scope that was killed, ended or closed, or whose deadline has passed, starts nothing any
 * more. A start that is under way at that time is refused, or its child is ended with the others.
 *
 * <p>When this JVM shuts down (SIGTERM, SIGINT, {@code System.exit}, the end of the last thread), a
 * shutdown hook ends the scopes that are still open, as {@link #close} does, within 5 s ({@code
 * io.holdfast.scopeShutdownTimeout}); {@link ScopeOptions#keepAtShutdown} switches that off. A
 * scope that is opened while the JVM shuts down, such as by another hook, is left to the code that
 * opened it. If the JVM dies without a shutdown (SIGKILL, {@code Runtime.halt}, a crash), the
 * processes continue to run, and {@link #leftovers} finds them.
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
    private final AtomicBoolean retrying = new AtomicBoolean(); // a thread closes the scope later

    private final ReentrantLock terminating = new ReentrantLock();
    private boolean terminated; // SIGTERM was sent; guarded by `terminating`

    private volatile boolean overdue;
    private volatile boolean closed; // set while `ending` is held

    /** Makes a scope of a group, which it owns. */
    ProcessScope(ScopeName name, ScopeOptions options, Starts starts, Group group) {
        this.name = name;
        this.options = options;
        this.starts = starts;
        this.group = group;
        this.deadline = options.deadline().map(this::killAfter).orElse(null);
    }

    /**
     * Opens a scope with the best mechanism that is available.
     *
     * @return the scope, owned by the caller
     * @throws ErrnoException ENOENT if there is none: without a usable cgroup, the kernel must list
     *     children (CONFIG_PROC_CHILDREN). EMFILE, ENFILE, ENOMEM; EAGAIN where a cgroup could be
     *     made but for a limit (cgroup.max.descendants): that is no reason for a weaker guarantee
     */
    @MustBeClosed
    public static ProcessScope open() {
        return open(ScopeOptions.standard());
    }

    /**
     * Opens a scope.
     *
     * @param options the options
     * @return the scope, owned by the caller
     * @throws ErrnoException as {@link #open()}; EACCES with the reason if a cgroup {@linkplain
     *     ScopeOptions#requireCgroup is required} and not available, or {@linkplain
     *     ScopeOptions#withMemoryMax limits} cannot be set: it names the controller that is missing
     *     and the remedy
     */
    @MustBeClosed
    public static ProcessScope open(ScopeOptions options) {
        return options.isCgroupRequired() ? open(options, Guarantee.CGROUP) : openBest(options);
    }

    private static ProcessScope openBest(ScopeOptions options) {
        try {
            return openInCgroup(options);
        } catch (NoUsableCgroupException noCgroup) {
            try {
                return openAsSubreaper(options);
            } catch (ErrnoException e) {
                e.addSuppressed(noCgroup.required());
                throw e;
            }
        }
    }

    /** Opens a scope with the given mechanism. */
    static ProcessScope open(ScopeOptions options, Guarantee guarantee) {
        try {
            return guarantee == Guarantee.CGROUP ? openInCgroup(options) : openAsSubreaper(options);
        } catch (NoUsableCgroupException e) {
            throw e.required();
        }
    }

    private static ProcessScope openInCgroup(ScopeOptions options) throws NoUsableCgroupException {
        ScopeName name = ScopeName.random(options.name(), options.isKeptAtShutdown());
        return opened(
                name,
                options,
                new Starts(),
                new CgroupGroup(ScopeCgroups.make(name, options.limits())));
    }

    private static ProcessScope openAsSubreaper(ScopeOptions options) {
        ScopeName name = ScopeName.random(options.name(), options.isKeptAtShutdown());
        Starts starts = new Starts();
        Mark mark = new Mark(name.id(), name.owner());
        return opened(name, options, starts, new SubreaperGroup(mark, starts));
    }

    private static ProcessScope opened(
            ScopeName name, ScopeOptions options, Starts starts, Group group) {
        ProcessScope scope = new ProcessScope(name, options, starts, group);
        if (!options.isKeptAtShutdown()) {
            ShutdownScopes.add(scope);
        }
        return scope;
    }

    /**
     * Finds what JVMs that died have left of their scopes: of all users for root, otherwise of the
     * calling user. A scope counts only if its JVM is certainly dead, which the identity of the JVM
     * in the name of the cgroup, or in the environment of the processes, proves. So these are not
     * found:
     *
     * <ul>
     *   <li>scopes of a JVM in another PID namespace,
     *   <li>before Linux 6.9, those of a JVM whose PID another process has now,
     *   <li>scopes that were {@linkplain ScopeOptions#keepAtShutdown meant to continue},
     *   <li>a scope that this JVM is in itself,
     *   <li>without a cgroup: scopes of other users, and those of which only processes without the
     *       variable {@code HOLDFAST_SCOPE} in their environment are left.
     * </ul>
     *
     * <p>Reads the whole tree of cgroups, and the environment of each process of the user.
     *
     * @return the scopes, without any order
     * @throws ErrnoException EMFILE, ENFILE or ENOMEM; ENOENT without {@code /proc}
     */
    public static List<LeftoverScope> leftovers() {
        return Leftovers.find();
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
        starts.refuse();
        awaitGrace(options.grace());
        retry(this::kill);
    }

    /** Runs an action until it meets no shortage. */
    private static void retry(Runnable action) {
        while (true) {
            try {
                action.run();
                return;
            } catch (RuntimeException e) {
                if (!isShortage(e)) {
                    return; // close() reports it
                }
                LockSupport.parkNanos(RETRY.toNanos());
            }
        }
    }

    /** {@return the guarantee of this scope} */
    public Guarantee guarantee() {
        return group.guarantee();
    }

    /**
     * Returns the cgroup of the scope, such as to read its memory or to change a limit.
     *
     * @return the cgroup, lent: the scope closes it; empty if the scope has none
     */
    public Optional<Cgroup> cgroup() {
        return group.cgroup();
    }

    /**
     * Starts a process in the scope.
     *
     * @param spawn the description, which is not changed
     * @return the child, owned by the caller; closing it does not end it
     * @throws IllegalStateException if the scope is ended, closed or {@linkplain #isOverdue
     *     overdue}, or becomes so before the start is over
     * @throws IllegalArgumentException if a {@link Spawn#cgroup} was set, and the scope has a
     *     cgroup; if it is {@linkplain Spawn#reapLater reaped later}
     * @throws ErrnoException as {@link Spawn#start}
     */
    public Child start(Spawn spawn) {
        if (spawn.hasCgroup() && guarantee() == Guarantee.CGROUP) {
            throw new IllegalArgumentException(spawn + " has a cgroup, and " + this + " another");
        }
        if (spawn.isReapedLater()) {
            throw new IllegalArgumentException(
                    spawn + " is reaped later, but a scope must reap it");
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
     * Takes a running process, and what it starts from then on, into the scope. Descendants that it
     * already has stay where they are.
     *
     * <p>The process is moved by PID, and checked by its pidfd before and afterwards. If it ended
     * in between, ESRCH is thrown and it is not in the scope; nor is another process that got its
     * PID in that instant, though that process may then be in the cgroup of this JVM.
     *
     * <p>A child of this JVM stays its owner's to reap: {@link Process#waitFor()} still returns its
     * exit value.
     *
     * @param process the process, lent
     * @throws ErrnoException ESRCH if it has ended; EACCES without permission to move it;
     *     EOPNOTSUPP if the scope has no cgroup
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
     * Opens the processes that are in the scope now. Each was verified to be in it after it was
     * opened. Zombies are not included.
     *
     * @return the processes, owned by the caller; empty once the scope is closed
     * @throws ErrnoException EMFILE
     */
    @MustBeClosed
    public Members members() {
        return Members.adopt(query(group::members, List.of()));
    }

    /** {@return whether no living process is in the scope} */
    public boolean isEmpty() {
        return query(group::isEmpty, true);
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
            return group.awaitEmpty(Deadline.after(limit));
        } catch (ClosedException | ErrnoException e) {
            if (closed) {
                return true;
            }
            throw e;
        }
    }

    /**
     * Returns a future that completes when no living process is in the scope: at once, if there is
     * none already. It completes on a virtual thread, and no later than when the scope is closed.
     * Each call returns a new future; cancelling it ends its wait. A lack of descriptors or memory
     * only delays it.
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
                                awaitEmpty();
                                boolean _ = empty.complete(null);
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

    private void awaitEmpty() throws InterruptedException {
        while (true) {
            try {
                boolean _ = awaitEmpty(Duration.ofSeconds(Long.MAX_VALUE));
                return;
            } catch (ErrnoException e) {
                if (!isShortage(e)) {
                    throw e;
                }
                Thread.sleep(RETRY);
            }
        }
    }

    private <T> T query(Supplier<T> reading, T ifClosed) {
        if (closed) {
            return ifClosed;
        }
        try {
            return reading.get();
        } catch (ClosedException | ErrnoException e) {
            if (closed) { // meanwhile
                return ifClosed;
            }
            throw e;
        }
    }

    /**
     * Sends a signal to each process in the scope. A process that is born meanwhile may miss it.
     *
     * @param signal the signal
     * @return the number of processes that it was sent to
     * @throws ErrnoException EPERM if it could not be sent to some; it was sent to the others
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
     * on. An interrupt does not end the wait; the thread stays interrupted. The grace of an {@link
     * #end} or {@link #close} in another thread ends with the processes.
     *
     * <p>The kernel takes an exiting process out of its cgroup after it has closed its files and
     * released its memory, and just before it reports the exit. So in a scope with a cgroup, {@link
     * PidFd#isAlive} of a process may still be true for an instant afterwards; {@link PidFd#await}
     * returns at once.
     *
     * @throws ProcessesLeftException if some are left after 10 s ({@code io.holdfast.scopeTimeout})
     * @throws ErrnoException EMFILE, ENFILE or ENOMEM; some processes may be alive
     */
    public void kill() {
        end(Duration.ZERO);
    }

    /**
     * Ends every process in the scope: sends SIGTERM (and SIGCONT, so that stopped processes
     * receive it) and kills the rest when the grace is over. Returns when all are gone. Starts are
     * refused from the beginning on. An interrupt ends only the grace; the thread stays
     * interrupted. SIGTERM is sent only once: if this or {@link #close} did it before, this only
     * waits for the grace.
     *
     * @param grace the time between SIGTERM and SIGKILL
     * @throws ProcessesLeftException if some are left after the grace and 10 s ({@code
     *     io.holdfast.scopeTimeout})
     * @throws ErrnoException as {@link #kill}
     */
    public void end(Duration grace) {
        starts.refuse();
        awaitGrace(grace);
        ending.lock();
        try {
            if (!closed) {
                killAll();
            }
        } finally {
            ending.unlock();
        }
    }

    /**
     * Sends SIGTERM and waits for the grace, without the lock: another thread may kill meanwhile.
     * An interrupted thread does not wait, and stays interrupted. After a failure the grace is
     * over, so that the kill that follows is not omitted.
     */
    private void awaitGrace(Duration grace) {
        if (!grace.isPositive() || Thread.currentThread().isInterrupted()) {
            return;
        }
        try {
            if (!isEmpty()) {
                terminate();
                boolean _ = awaitEmpty(grace);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ErrnoException e) {
            // the kill fails as well, or succeeds
        }
    }

    /** Sends SIGTERM once: many programs abort their cleanup when they receive a second one. */
    private void terminate() {
        terminating.lock();
        try (Members members = terminated ? Members.adopt(List.of()) : members()) {
            terminated = true;
            members.forEach(ProcessScope::terminate);
        } finally {
            terminating.unlock();
        }
    }

    private static void terminate(PidFd process) {
        try {
            boolean _ = process.signal(Signal.TERM) && process.signal(Signal.CONT);
        } catch (ErrnoException e) {
            // it belongs to another user, and is left
        }
    }

    /** Kills all processes. A kill is not abandoned half-way: the thread stays interrupted. */
    private void killAll() {
        Duration timeout = CoreLimits.SCOPE_TIMEOUT.duration();
        Deadline limit = Deadline.after(timeout);
        if (!Uninterruptible.await(() -> group.kill(starts, limit))) {
            throw new ProcessesLeftException(toString(), timeout.toString(), left());
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
     * was closed, and so ended it} May also be called on a closed scope.
     */
    public boolean isOverdue() {
        return overdue;
    }

    /**
     * Ends the scope, with the {@linkplain ScopeOptions#withGrace grace} that it was opened with,
     * and removes its cgroup with all cgroups below it. Idempotent.
     *
     * @throws ProcessesLeftException as {@link #end}; the cgroup then remains, and everything else
     *     is released
     * @throws ErrnoException EMFILE, ENFILE or ENOMEM: the scope is still open, and its deadline
     *     holds. A thread kills its processes, without grace, and closes it as soon as there are
     *     descriptors and memory; this method may be called again, too. Another errno if the
     *     processes cannot be found or the cgroup cannot be removed; everything else is released
     */
    @Override
    public void close() {
        starts.refuse();
        awaitGrace(options.grace());
        try {
            closeNow();
        } catch (ErrnoException e) {
            if (isShortage(e) && retrying.compareAndSet(false, true)) {
                Thread _ =
                        Thread.ofVirtual()
                                .name("holdfast-scope-close")
                                .start(() -> retry(this::closeNow));
            }
            throw e;
        }
    }

    /**
     * Closes the scope while the JVM shuts down.
     *
     * @param most the longest grace
     */
    void endAtShutdown(Duration most) {
        starts.refuse();
        Duration grace = options.grace();
        awaitGrace(grace.compareTo(most) < 0 ? grace : most);
        try {
            closeNow();
        } catch (RuntimeException e) {
            // another JVM finds what is left
        }
    }

    /** Kills what is left, and releases everything; after a shortage the scope stays open. */
    private void closeNow() {
        ending.lock();
        try {
            if (closed) {
                return;
            }
            RuntimeException failure = null;
            try {
                killAll();
            } catch (RuntimeException e) {
                if (isShortage(e)) {
                    throw e;
                }
                failure = e;
            }
            try {
                group.remove();
            } catch (RuntimeException e) {
                if (failure == null && isShortage(e)) {
                    throw e;
                }
                failure = failure == null ? e : failure; // the processes left are the cause
            }
            closed = true; // before the group is: see query()
            ShutdownScopes.remove(this);
            group.close();
            if (deadline != null) {
                boolean _ = deadline.cancel(false);
            }
            if (failure != null) {
                throw failure;
            }
        } finally {
            ending.unlock();
        }
    }

    /** Returns whether a call may succeed once there are more descriptors or memory. */
    static boolean isShortage(RuntimeException e) {
        return e instanceof ErrnoException failure
                && switch (failure.errno()) {
                    case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM -> true;
                    default -> false;
                };
    }

    /** {@return the name of the scope, and its id} */
    @Override
    public String toString() {
        return name.toString();
    }
}
