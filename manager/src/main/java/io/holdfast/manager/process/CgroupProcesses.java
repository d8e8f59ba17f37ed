package io.holdfast.manager.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The processes of a run that has a cgroup: they cannot leave it. */
public final class CgroupProcesses implements RunProcesses {
    private final EventLoop loop;
    private final Lane lane;
    private final Lane stopLane;
    private final Consumer<String> warnings;
    private final Cgroup cgroup;
    private @Nullable Registration watch;

    /**
     * @param stopLane where they are signalled
     * @param warnings receives lines on failures
     * @param cgroup owned from now on
     */
    public CgroupProcesses(
            EventLoop loop, Lane lane, Lane stopLane, Consumer<String> warnings, Cgroup cgroup) {
        this.loop = loop;
        this.lane = lane;
        this.stopLane = stopLane;
        this.warnings = warnings;
        this.cgroup = cgroup;
    }

    @Override
    public Optional<Cgroup> cgroup() {
        return Optional.of(cgroup);
    }

    /** Takes no orphan: the cgroup shows which processes belong to the run. */
    @Override
    public boolean adopt(PidFd orphan) {
        return false;
    }

    @Override
    public void onlyChild(Consumer<Optional<PidFd>> callback) {
        Work<Optional<PidFd>> _ =
                lane.work("the search for its main process", this::onlyChild)
                        .releasing(found -> found.ifPresent(PidFd::close))
                        .begin((found, _) -> {
                            Optional<PidFd> one = found == null ? Optional.empty() : found;
                            callback.accept(one);
                            one.ifPresent(PidFd::close);
                        });
    }

    private Optional<PidFd> onlyChild() {
        try (Members members = cgroup.membersBelow()) {
            PidFd found = null;
            for (PidFd member : members) {
                if (KeeperChildren.isOfManagerOrKeeper(member)) {
                    if (found != null) {
                        return Optional.empty();
                    }
                    found = member;
                }
            }
            return Optional.ofNullable(found).map(PidFd::duplicate);
        }
    }

    @Override
    public void signal(RunSignal signal, List<PidFd> signalled, Runnable done) {
        if (!signal.signal().equals(Signal.KILL) && cgroup.hasNoneBut(signalled)) {
            done.run(); // most services have one process
            return;
        }
        List<PidFd> already = List.copyOf(signalled);
        Work<Integer> _ =
                stopLane.work(
                                "the signal to all its processes",
                                () -> signalMembers(signal, already))
                        .begin((_, failure) -> {
                            if (failure != null) {
                                warnings.accept("cannot signal all: " + failure.getMessage());
                            }
                            done.run();
                        });
    }

    private int signalMembers(RunSignal signal, List<PidFd> already) {
        if (signal.signal().equals(Signal.KILL)) {
            cgroup.kill();
            return 0;
        }
        int count = 0;
        ErrnoException refused = null;
        try (Members members = cgroup.membersBelow()) {
            for (PidFd member : members) {
                if (!already.contains(member)) {
                    try {
                        signal.send(member);
                        count++;
                    } catch (ErrnoException e) { // for a process that has become another user's
                        refused = e;
                    }
                }
            }
        }
        if (refused != null) {
            throw refused;
        }
        return count;
    }

    @Override
    public boolean isEmpty() {
        try {
            return !cgroup.isPopulated();
        } catch (ErrnoException e) {
            return false; // removed by another process: the watch reports that
        }
    }

    @Override
    public void watchEmpty(Runnable whenEmpty) {
        forget();
        try {
            watch =
                    cgroup.onEmpty(
                            loop,
                            () -> {
                                watch = null;
                                whenEmpty.run();
                            });
        } catch (ErrnoException e) { // removed by another process
            loop.postEnding(whenEmpty);
        }
    }

    /** Does nothing: the cgroup reports when it is empty. */
    @Override
    public void exited() {}

    @Override
    public void forget() {
        if (watch != null) {
            watch.cancel();
        }
        watch = null;
    }

    @Override
    public boolean clean(boolean kill) throws InterruptedException {
        boolean left = false;
        try {
            if (kill) {
                kill();
            }
            left = !UnitCgroups.remove(cgroup);
            return !left;
        } finally {
            if (!left) {
                cgroup.close();
            }
        }
    }

    private void kill() throws InterruptedException {
        try {
            if (cgroup.isPopulated()) {
                cgroup.kill();
                boolean ignored = cgroup.awaitEmpty(ManagerLimits.KILL_TIMEOUT.duration());
            }
        } catch (ErrnoException e) { // the manager stops, and has removed it
            if (e.errno() != Errno.ENODEV && e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }

    @Override
    public void release() {
        cgroup.close();
    }
}
