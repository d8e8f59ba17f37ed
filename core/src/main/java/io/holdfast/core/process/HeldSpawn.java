package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.process.SysPidfd;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One spawn whose child waits at a {@link Gate} until it was handled. The caller handles it, while
 * a thread of its own waits for the system call.
 */
final class HeldSpawn {
    private static final long IDLE_SECONDS = 10;

    /**
     * The threads that wait for the system calls, one for each held child of a caller with the user
     * of this process.
     */
    private static final Executor WAITING =
            new ThreadPoolExecutor(
                    0,
                    Integer.MAX_VALUE, // as many as there are callers
                    IDLE_SECONDS,
                    TimeUnit.SECONDS,
                    new SynchronousQueue<>(),
                    Thread.ofPlatform().daemon().name("holdfast-spawn-held").factory());

    private final Spawn spawn;
    private final @Nullable ChildTerminal terminal;
    private final boolean attaches;
    private final Gate gate;
    private final FutureTask<PidFd> task;
    private volatile PosixSpawn.@Nullable Beginning beginning;
    private volatile @Nullable ChildEnvironment environment;
    private boolean arrived;
    private boolean handled;
    private boolean killed;
    private @Nullable Throwable refusal;

    /**
     * Prepares the spawn of a held child.
     *
     * @param attaches whether the child is moved to its cgroup while it is held
     * @param gate the gate, lent
     * @param call spawns the child, whose last file actions are those of the gate
     */
    HeldSpawn(
            Spawn spawn,
            @Nullable ChildTerminal terminal,
            boolean attaches,
            Gate gate,
            Function<HeldSpawn, PidFd> call) {
        this.spawn = spawn;
        this.terminal = terminal;
        this.attaches = attaches;
        this.gate = gate;
        this.task =
                new FutureTask<>(() -> {
                    try {
                        return call.apply(this);
                    } finally {
                        // the child has passed the gate, or will never reach it
                        gate.stopWaiting();
                    }
                });
    }

    /** Returns what the child opens before it executes its program. */
    List<PosixSpawn.Opening> openings() {
        return gate.openings();
    }

    /** Sets which thread spawns the child, just before it does. */
    void beginning(PosixSpawn.Beginning thread) {
        beginning = thread;
    }

    /** Sets the environment, in which the numbers of the child will be written. */
    void environment(ChildEnvironment memory) {
        environment = memory;
    }

    /**
     * Starts the child, and handles it while it is held.
     *
     * @return the child, which executes its program
     */
    PidFd start() {
        if (SpawnThread.haveUserOfCaller()) {
            WAITING.execute(task);
        } else { // a thread inherits the user of the one that starts it
            Thread.ofPlatform().daemon().name("holdfast-spawn-held").start(task);
        }
        handle();
        return finish();
    }

    /** Handles the child while it is held, and then lets it execute its program or refuses that. */
    private void handle() {
        try {
            handled = Uninterruptible.await(this::isHandled);
        } catch (RuntimeException | Error e) {
            refusal = e;
        } finally {
            if (!handled && !killed) {
                gate.refuse();
            }
        }
    }

    private boolean isHandled() throws InterruptedException {
        arrived = gate.awaitArrival();
        PosixSpawn.Beginning thread = beginning;
        if (!arrived || thread == null) {
            return false;
        }
        try (PidFd child = childOf(thread)) {
            if (child == null) {
                return false;
            }
            handle(new HeldChild(child, child.pid()));
        }
        return true;
    }

    /** Returns the child that a thread is spawning; null if the spawn has failed. */
    private static @Nullable PidFd childOf(PosixSpawn.Beginning thread) {
        if (thread.child() < 0) {
            int pid = onlyChildOf(thread.thread());
            return pid == 0 ? null : PidFd.open(pid);
        }
        try {
            int number = SysPidfd.getfd(thread.table(), thread.child());
            return number == -Errno.EBADF
                    ? null
                    : PidFd.ofKernel(SysPidfd.adopt(number, "the child"));
        } catch (ClosedException e) {
            return null; // the spawn has returned
        }
    }

    private void handle(HeldChild child) {
        try {
            if (terminal != null) {
                terminal.requireControlling(child.pidFd());
            }
            if (attaches && spawn.cgroup != null) {
                child.attachTo(spawn.cgroup);
            }
            ChildEnvironment memory = environment;
            if (memory != null) {
                memory.fill(child);
            }
            if (spawn.held != null) {
                spawn.held.accept(child);
            }
            gate.open();
        } catch (RuntimeException | Error e) {
            try {
                killed = child.pidFd().signal(Signal.KILL); // runs nothing so far
            } catch (ErrnoException failure) {
                e.addSuppressed(failure);
            }
            throw e;
        }
    }

    private PidFd finish() {
        PidFd pidFd;
        try {
            pidFd = Uninterruptible.result(task);
        } catch (RuntimeException | Error e) {
            throw handled ? unchecked(e) : reason(e);
        }
        try {
            if (handled || (refusal == null && Proc.diedUnexecuted(pidFd))) {
                return pidFd; // it was held, or runs nothing
            }
        } catch (RuntimeException | Error e) { // it cannot be determined
            refusal = e;
        }
        Starter.discard(pidFd);
        throw unchecked(refusal != null ? refusal : notFound());
    }

    /** Returns why there is no child: our refusal rather than its consequence. */
    private RuntimeException reason(Throwable failure) {
        boolean ours = failure instanceof ErrnoException e && Gate.isRefusal(e);
        if (refusal == null && !(arrived && ours)) {
            return unchecked(failure);
        }
        Throwable reason = refusal != null ? refusal : notFound();
        reason.addSuppressed(failure);
        return unchecked(reason);
    }

    /** The child has arrived but could not be found: it must not run without having been held. */
    private ErrnoException notFound() {
        return new ErrnoException(
                "/proc/self/task/TID/children",
                spawn.toString(),
                Errno.ENOENT,
                "holding a child needs CONFIG_PROC_CHILDREN and a /proc of our PID namespace");
    }

    private static RuntimeException unchecked(Throwable e) {
        return switch (e) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }

    /**
     * Returns the PID of the only child of a thread of this process, or 0; the PID is pinned, for
     * the child is not reaped meanwhile.
     */
    private static int onlyChildOf(int thread) {
        String children;
        try {
            children = KernelFile.text(null, "/proc/self/task/" + thread + "/children").strip();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return 0; // the thread has ended, and so has its spawn
            }
            throw e;
        }
        return children.isEmpty() ? 0 : Integer.parseInt(children);
    }
}
