package io.holdfast.manager.service;

import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A process that a run holds by itself: a child of ours, or one that was named as the main process
 * or taken over from a manager that was killed. The index of processes has it meanwhile. On the
 * loop.
 */
final class RunProcess implements AutoCloseable {
    private final ManagerContext context;
    private final Workload workload;
    private final PidFd pidFd;
    private final @Nullable Child child;
    private final boolean ofKeeper;
    private @Nullable Registration watch;
    private @Nullable Exit exit;
    private boolean closed;

    private RunProcess(
            ManagerContext context,
            Workload workload,
            PidFd pidFd,
            @Nullable Child child,
            boolean ofKeeper) {
        this.context = context;
        this.workload = workload;
        this.pidFd = pidFd;
        this.child = child;
        this.ofKeeper = ofKeeper;
        context.processes().hold(pidFd, workload);
    }

    /** A child, which is owned from now on. */
    static RunProcess of(ManagerContext context, Workload workload, Child child) {
        return new RunProcess(context, workload, child.pidFd(), child, false);
    }

    /** Somebody else's child, which is owned from now on. */
    static RunProcess of(ManagerContext context, Workload workload, PidFd process) {
        return new RunProcess(context, workload, process, null, false);
    }

    /**
     * The child of a manager that was killed, which the keeper has inherited, and does not reap
     * before it is told. It is owned from now on.
     */
    static RunProcess ofKeeper(ManagerContext context, Workload workload, PidFd process) {
        return new RunProcess(context, workload, process, null, true);
    }

    /** Told of its exit, once, as long as this is open. */
    void onExit(Consumer<Exit> exited) {
        Consumer<Exit> note =
                how -> {
                    watch = null;
                    exit = how;
                    context.survival().changed(workload.unit());
                    context.survival().whenWritten(this::reap);
                    if (!closed) {
                        exited.accept(how);
                    }
                };
        if (ofKeeper) {
            watch =
                    context.loop()
                            .watch(
                                    pidFd.fd(),
                                    Readiness.IN,
                                    _ -> {
                                        Optional<Exit> how = pidFd.exit();
                                        if (how.isPresent() && watch != null) {
                                            watch.cancel();
                                            note.accept(how.get());
                                        }
                                    });
        } else if (child == null) {
            watch = pidFd.onExit(context.loop(), note);
        } else {
            var _ =
                    child.onExit()
                            .thenAccept(how -> context.loop().postEnding(() -> note.accept(how)));
        }
    }

    /** What came of its exit is written down: the next manager need not find it. */
    private void reap() {
        if (ofKeeper) {
            context.survival().reap();
        } else if (child != null) {
            child.reap();
        }
    }

    PidFd pidFd() {
        return pidFd;
    }

    boolean isAlive() {
        return exit == null;
    }

    @Override
    public void close() {
        closed = true;
        if (watch != null) {
            watch.cancel();
        }
        watch = null;
        context.processes().drop(pidFd, workload);
        context.survival().whenWritten(child == null ? pidFd::close : child::close);
    }
}
