package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.process.KeeperChildren;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A process that a run holds by pidfd: a child that the manager started, or a process that was
 * named as the main process, found as such, or adopted from a killed manager. It is in the index of
 * processes for as long as it is open. Used on the event loop.
 *
 * <p>When it exits, its exit is first recorded, and then it is reaped at once, since stop commands
 * and other programs wait until its PID is gone ({@code kill -0 $MAINPID}). Who can reap it depends
 * on its parent: a child and an orphan of this manager are reaped here; an orphan of a killed
 * manager by the keeper, on request; a child of another process by that process.
 */
final class RunProcess implements AutoCloseable {
    private final ManagerContext context;
    private final Workload workload;
    private final PidFd pidFd;
    private final @Nullable Child child;
    private @Nullable Registration watch;
    private @Nullable Exit exit;
    private boolean isOfKeeper;
    private boolean closed;

    private RunProcess(
            ManagerContext context, Workload workload, PidFd pidFd, @Nullable Child child) {
        this.context = context;
        this.workload = workload;
        this.pidFd = pidFd;
        this.child = child;
        context.processes().hold(pidFd, workload);
        context.processes().unrecorded(pidFd, true);
    }

    /** Holds a child that the manager started, which is closed with this. */
    static RunProcess of(ManagerContext context, Workload workload, Child child) {
        return new RunProcess(context, workload, child.pidFd(), child);
    }

    /** Holds a process that this manager did not start, which is closed with this. */
    static RunProcess of(ManagerContext context, Workload workload, PidFd process) {
        return new RunProcess(context, workload, process, null);
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
        if (child == null) {
            watch = context.loop().watch(pidFd.fd(), Readiness.IN, _ -> exited(note));
        } else {
            child.onExit(context.loop(), note);
        }
    }

    /**
     * Reads the status of a process that this manager did not start: at once from a zombie of the
     * keeper, which does not reap it unasked.
     */
    private void exited(Consumer<Exit> note) {
        if (watch == null || pidFd.isAlive()) {
            return;
        }
        watch.cancel();
        isOfKeeper = KeeperChildren.contains(pidFd);
        Optional<Exit> how = isOfKeeper ? pidFd.exit() : Optional.empty();
        if (how.isPresent()) {
            note.accept(how.get());
        } else {
            watch = pidFd.onExit(context.loop(), note);
        }
    }

    /**
     * Reaps the process after its exit was recorded: the next manager no longer needs to find it.
     */
    private void reap() {
        context.processes().unrecorded(pidFd, false);
        if (child != null) {
            child.reap();
        } else if (isOfKeeper) {
            context.survival().reap();
        } else {
            reapOrphan();
        }
    }

    private void reapOrphan() {
        if (Child.isStarted(pidFd)) {
            return; // it was named by its unit, and another object holds it as a child
        }
        try {
            Optional<Exit> _ = pidFd.reap();
        } catch (ErrnoException e) {
            // its parent is another process, or it was reaped before
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
        context.survival().whenWritten(this::release);
    }

    private void release() {
        context.processes().unrecorded(pidFd, false);
        if (child != null) {
            child.close();
        } else {
            reapOrphan(); // if its exit was not noticed before
            pidFd.close();
        }
    }
}
