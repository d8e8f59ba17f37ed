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
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The processes of a run without a cgroup: the group of the main process, and the orphans that came
 * to the manager, their subreaper. Each process of the run has a parent that is held, or has lost
 * it and is held itself; so none is left once none of these is left.
 */
public final class TrackedProcesses implements RunProcesses {
    private final EventLoop loop;
    private final Consumer<Runnable> lookForOrphans;
    private final ProcessIndex index;
    private final Workload run;
    private final BooleanSupplier othersLive;
    private final List<PidFd> orphans = new ArrayList<>();
    private final List<Registration> watches = new ArrayList<>();
    private @Nullable Runnable emptied;
    private @Nullable RunSignal sent; // to all; an orphan that is found later gets it too
    private boolean forgotten;

    /**
     * @param lookForOrphans gives orphans to their units, then runs its argument
     * @param index records which orphans the run has adopted
     * @param othersLive whether a process lives that the run itself holds
     */
    public TrackedProcesses(
            EventLoop loop,
            Consumer<Runnable> lookForOrphans,
            ProcessIndex index,
            Workload run,
            BooleanSupplier othersLive) {
        this.loop = loop;
        this.lookForOrphans = lookForOrphans;
        this.index = index;
        this.run = run;
        this.othersLive = othersLive;
    }

    @Override
    public Optional<Cgroup> cgroup() {
        return Optional.empty();
    }

    @Override
    public boolean adopt(PidFd orphan) {
        if (forgotten || orphans.contains(orphan)) {
            return false;
        }
        orphans.add(orphan);
        index.adopt(orphan, run);
        Registration[] watch = new Registration[1];
        watch[0] =
                orphan.onExit(
                        loop,
                        _ -> {
                            watches.remove(watch[0]);
                            orphans.remove(orphan);
                            index.drop(orphan, run);
                            orphan.close();
                            exited();
                        });
        watches.add(watch[0]);
        if (sent != null) {
            signal(orphan, sent);
        }
        return true;
    }

    @Override
    public void onlyChild(Consumer<Optional<PidFd>> callback) {
        lookForOrphans.accept(() ->
                callback.accept(
                        orphans.size() == 1 ? Optional.of(orphans.getFirst()) : Optional.empty()));
    }

    @Override
    public void signal(RunSignal signal, List<PidFd> signalled, Runnable done) {
        sent = signal;
        for (PidFd process : signalled) {
            signalGroup(process, signal.signal());
        }
        for (PidFd orphan : orphans) {
            if (!signalled.contains(orphan)) {
                signal(orphan, signal);
            }
        }
        done.run();
    }

    private static void signal(PidFd process, RunSignal signal) {
        signal.send(process);
        signalGroup(process, signal.signal());
    }

    /** Signals the process group of a process that leads one. */
    private static void signalGroup(PidFd leader, Signal signal) {
        try {
            boolean ignored = leader.signal(signal, PidFd.Scope.PROCESS_GROUP);
        } catch (ErrnoException | UnsupportedOperationException e) {
            // it leads none, or the kernel is older than 6.9: only the process itself gets the
            // signal
        }
    }

    @Override
    public void watchEmpty(Runnable whenEmpty) {
        emptied = whenEmpty;
        exited();
    }

    @Override
    public void exited() {
        if (emptied != null && !forgotten) { // its children are ours by now
            lookForOrphans.accept(this::notifyIfEmpty);
        }
    }

    private void notifyIfEmpty() {
        Runnable whenEmpty = emptied;
        if (whenEmpty != null && !forgotten && orphans.isEmpty() && !othersLive.getAsBoolean()) {
            emptied = null;
            whenEmpty.run();
        }
    }

    @Override
    public void forget() {
        forgotten = true;
        emptied = null;
        watches.forEach(Registration::cancel);
        watches.clear();
    }

    @Override
    public boolean clean(boolean kill) {
        boolean left = false;
        for (PidFd orphan : orphans) {
            if (kill) {
                boolean ignored = orphan.signal(Signal.KILL);
            }
            left |= !kill && orphan.isAlive();
            index.drop(orphan, run);
            orphan.close();
        }
        orphans.clear();
        return !left;
    }

    /** Does nothing: none is held after the clean-up. */
    @Override
    public void release() {}
}
