package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.RunProcesses.RunSignal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Orphans of no unit: held until they end, and ended with the manager. On the loop. */
final class UntrackedOrphans {
    private final EventLoop loop;
    private final Consumer<Runnable> look;
    private final Consumer<String> warnings;
    private final Throttle losses;
    private final List<PidFd> held = new ArrayList<>();
    private final List<PidFd> untouchable = new ArrayList<>(); // held ones that we may not signal
    private @Nullable Signal ending; // sent to each, also to those that are found later
    private @Nullable Runnable ended;
    private int looksWithout; // looks in a row that have found none, while it ends

    /**
     * @param look scans for orphans; runs its argument once each is given to its unit, or adopted
     *     here
     */
    UntrackedOrphans(EventLoop loop, Consumer<Runnable> look, Consumer<String> warnings) {
        this.loop = loop;
        this.look = look;
        this.warnings = warnings;
        this.losses = Complaints.on(loop, ManagerLimits.ORPHAN_LINES.intValue(), warnings);
    }

    boolean holds(PidFd process) {
        return held.contains(process);
    }

    void adopt(PidFd process) {
        losses.log("orphan", process + ": orphan belongs to no unit");
        if (held.size() >= ManagerLimits.UNTRACKED_ORPHANS.intValue()) {
            process.close();
            return;
        }
        held.add(process);
        AutoCloseable _ = process.onExit(loop, _ -> exited(process));
        if (ending != null) {
            send(process, ending);
        }
    }

    private void exited(PidFd process) {
        held.remove(process);
        untouchable.remove(process);
        process.close();
        if (ended != null) {
            look.accept(this::finishIfNone); // its children are ours by now
        }
    }

    /**
     * Ends all, and the orphans that they leave: with SIGTERM, and with SIGKILL after {@link
     * ManagerLimits#ORPHAN_TIMEOUT}. Runs a task when none is left that we may signal, or when the
     * killed ones are not gone after {@link ManagerLimits#KILL_TIMEOUT}.
     */
    void end(Runnable whenEnded) {
        ended = whenEnded;
        sendAll(Signal.TERM);
        EventLoop.Timer _ = loop.after(ManagerLimits.ORPHAN_TIMEOUT.duration(), this::kill);
        look.accept(this::finishIfNone);
    }

    private void kill() {
        if (ended != null) {
            sendAll(Signal.KILL);
            EventLoop.Timer _ = loop.after(ManagerLimits.KILL_TIMEOUT.duration(), this::finish);
        }
    }

    private void sendAll(Signal signal) {
        ending = signal;
        held.forEach(process -> send(process, signal));
    }

    private void send(PidFd process, Signal signal) {
        if (untouchable.contains(process)) {
            return;
        }
        try {
            new RunSignal(signal, false).send(process);
            warnings.accept(
                    process + ": belongs to no unit; the manager is stopping: sent " + signal);
        } catch (ErrnoException e) {
            untouchable.add(process);
            warnings.accept(
                    process + ": belongs to no unit; cannot be signalled: " + e.getMessage());
        }
    }

    /**
     * Finishes when two looks in a row have found none: the kernel's list of our children leaves
     * out some while others exit (proc_pid_children(5)).
     */
    private void finishIfNone() {
        if (held.size() != untouchable.size()) {
            looksWithout = 0;
        } else if (++looksWithout > 1) {
            finish();
        } else {
            look.accept(this::finishIfNone);
        }
    }

    private void finish() {
        Runnable whenEnded = ended;
        if (whenEnded != null) {
            ended = null;
            whenEnded.run();
        }
    }

    /** Closes the pidfds; the processes live on. */
    void close() {
        held.forEach(PidFd::close);
        held.clear();
        untouchable.clear();
    }
}
