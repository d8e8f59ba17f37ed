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
 * A process that a run holds by pidfd: a child of the manager, or a process that was named as the
 * main process or adopted from a killed manager. It is in the index of processes for as long as it
 * is open. Used on the event loop.
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

    /** Holds a child, which is closed with this. */
    static RunProcess of(ManagerContext context, Workload workload, Child child) {
        return new RunProcess(context, workload, child.pidFd(), child, false);
    }

    /** Holds a process that is not a child of the manager, which is closed with this. */
    static RunProcess of(ManagerContext context, Workload workload, PidFd process) {
        return new RunProcess(context, workload, process, null, false);
    }

    /**
     * Holds a child of a killed manager. The keeper has inherited it, and reaps it only on request.
     * It is closed with this.
     */
    static RunProcess ofKeeper(ManagerContext context, Workload workload, PidFd process) {
        return new RunProcess(context, workload, process, null, true);
    }

    /** Calls back once with its exit, unless this is closed before. */
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

    /**
     * Reaps the process after its exit was recorded: the next manager no longer needs to find it.
     */
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
