package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The processes of a unit without a cgroup that the manager did not start: those that were passed
 * to it by descriptor, and no others. Their children are not tracked: an orphan among them may go
 * to any subreaper.
 */
public final class HeldProcesses implements RunProcesses {
    private final EventLoop loop;
    private final ProcessIndex index;
    private final Workload run;
    private final List<PidFd> held;
    private final List<Registration> watches = new ArrayList<>();
    private @Nullable Runnable emptied;

    /**
     * @param index records that the run holds the processes
     * @param processes owned from now on
     */
    public HeldProcesses(EventLoop loop, ProcessIndex index, Workload run, List<PidFd> processes) {
        this.loop = loop;
        this.index = index;
        this.run = run;
        this.held = new ArrayList<>(processes);
        processes.forEach(process -> index.hold(process, run));
    }

    @Override
    public Optional<Cgroup> cgroup() {
        return Optional.empty();
    }

    @Override
    public boolean adopt(PidFd orphan) {
        return false;
    }

    @Override
    public void onlyChild(Consumer<Optional<PidFd>> callback) {
        callback.accept(held.size() == 1 ? Optional.of(held.getFirst()) : Optional.empty());
    }

    @Override
    public void signal(RunSignal signal, List<PidFd> signalled, Runnable done) {
        for (PidFd process : held) {
            if (!signalled.contains(process)) {
                try {
                    signal.send(process);
                } catch (ErrnoException e) {
                    // it has become another user's, and is left over after the stop timeout
                }
            }
        }
        done.run();
    }

    @Override
    public void watchEmpty(Runnable whenEmpty) {
        forget();
        emptied = whenEmpty;
        for (PidFd process : held) {
            watches.add(process.onExit(loop, _ -> exited(process)));
        }
        exited();
    }

    private void exited(PidFd process) {
        if (held.remove(process)) {
            index.drop(process, run);
            process.close();
        }
        exited();
    }

    @Override
    public void exited() {
        Runnable whenEmpty = emptied;
        if (whenEmpty != null && held.isEmpty()) {
            emptied = null;
            whenEmpty.run();
        }
    }

    @Override
    public void forget() {
        emptied = null;
        watches.forEach(Registration::cancel);
        watches.clear();
    }

    @Override
    public boolean clean(boolean kill) {
        boolean left = false;
        for (PidFd process : held) {
            if (kill) {
                kill(process);
            }
            left |= !kill && process.isAlive();
            index.drop(process, run);
            process.close();
        }
        held.clear();
        return !left;
    }

    private static void kill(PidFd process) {
        try {
            boolean _ = process.signal(Signal.KILL);
        } catch (ErrnoException e) {
            // it has become another user's
        }
    }

    @Override
    public void release() {}
}
