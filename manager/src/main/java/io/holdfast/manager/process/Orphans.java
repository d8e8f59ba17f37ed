package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The processes that became the manager's children when their parents died: a manager is the
 * subreaper of the processes of its units. Each orphan is held and reaped by its own pidfd; "any
 * child" is never waited for, because that would reap the children of other code in this JVM. A
 * child that {@link Child} does not know is an orphan. On the loop, except for the methods that are
 * said to block.
 *
 * <p>Without cgroups, living orphans are tracked: each is given to its unit, and those that belong
 * to no unit end with the manager. With cgroups, an orphan stays in the cgroup of its unit and is
 * ended there, unless root moves it out of the manager's slice, as into a login session: then it
 * belongs to no unit here and lives on. The children that this process already had before its exec,
 * from an earlier program, belong to no unit either.
 *
 * <p>The tracked processes of a killed manager are children of the keeper, which gets their orphans
 * too. Those that have the mark of a unit are given to it.
 */
public final class Orphans {
    /** Pause before a new scan, if the last one met a child that may be a spawn in progress. */
    private static final Duration START_PAUSE = Duration.ofMillis(10);

    /**
     * Scans in a row that may end at an exited child whose owner is about to reap it: this child
     * hides those behind it.
     */
    private static final int MOST_HIDDEN = 10;

    /** The units that orphans may belong to. */
    public interface Units {
        /**
         * Gives an orphan to a run, which owns it afterwards.
         *
         * @return false if the run does not take it
         */
        boolean adopt(Workload run, PidFd orphan);
    }

    private final EventLoop loop;
    private final Lane lane;
    private final Predicate<PidFd> ours;
    private final boolean tracked;
    private final ProcessIndex index;
    private final Units units;
    private final Consumer<String> warnings;
    private final UntrackedOrphans untracked;
    private List<PidFd> inherited = List.of(); // children that existed before, if tracked
    private List<Runnable> waiting = new ArrayList<>();
    private volatile boolean afterCrash; // the keeper has children
    private boolean scanning;
    private boolean scanAgain;
    private boolean pausing;
    private int hidden; // of the worker that scans, or of the loop while none scans

    /**
     * @param ours whether an exited orphan is to be reaped
     * @param tracked whether living orphans are given to their units and end with the manager,
     *     because no cgroup shows which unit they belong to
     */
    public Orphans(
            EventLoop loop,
            Lane lane,
            Predicate<PidFd> ours,
            boolean tracked,
            ProcessIndex index,
            Units units,
            Consumer<String> warnings) {
        this.loop = loop;
        this.lane = lane;
        this.ours = ours;
        this.tracked = tracked;
        this.index = index;
        this.units = units;
        this.warnings = warnings;
        this.untracked = new UntrackedOrphans(loop, this::look, warnings);
        if (tracked) {
            inherited = scanAll().living().stream().map(Orphan::process).toList();
        }
    }

    /** Scans also the children of the keeper, among which are those of a killed manager. */
    public void includeKeeper() {
        afterCrash = true;
    }

    /** The living orphans that a scan has found; a scan that is not certain is repeated. */
    private record Found(List<Orphan> living, boolean certain) {}

    /** A living orphan, and the run whose mark it has. */
    private record Orphan(PidFd process, Optional<Workload> run) {}

    /** Scans soon. Called at every SIGCHLD, and after every spawn, which hides orphans. */
    public void look() {
        if (scanning) {
            scanAgain = true;
            return;
        }
        if (!tracked && (pausing || !mayFindExited())) {
            return;
        }
        scanning = true;
        List<Runnable> callbacks = waiting;
        waiting = new ArrayList<>();
        Work<Found> _ =
                lane.work("the search for orphans", this::scan)
                        .releasing(found -> found.living().forEach(one -> one.process().close()))
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((found, failure) -> scanned(found, failure, callbacks));
    }

    /**
     * Returns whether the first exited child may be an orphan. Nearly every SIGCHLD is of a process
     * that its run reaps: then the loop looks again after a pause, and no worker is needed.
     */
    private boolean mayFindExited() {
        try (PidFd child = Child.firstExited().orElse(null)) {
            if (child == null) {
                hidden = 0;
                return false;
            }
            if (hidden >= MOST_HIDDEN || !isReapedByOwner(child)) {
                return true;
            }
        } catch (ErrnoException e) {
            // its owner has reaped it meanwhile
        }
        hidden++;
        pause();
        return false;
    }

    private void pause() {
        pausing = true;
        EventLoop.Timer _ =
                loop.after(
                        START_PAUSE,
                        () -> {
                            pausing = false;
                            look();
                        });
    }

    /** Scans, and runs a task once every present orphan has been given to its unit. */
    public void look(Runnable then) {
        if (!tracked) {
            loop.postEnding(then);
            return;
        }
        waiting.add(then);
        look();
    }

    private void scanned(
            @Nullable Found found, @Nullable Exception failure, List<Runnable> callbacks) {
        scanning = false;
        if (found != null) {
            found.living().forEach(this::place);
        }
        if (found != null && !found.certain()) {
            waiting.addAll(callbacks);
            pause();
        } else {
            callbacks.forEach(Runnable::run);
        }
        if (failure != null) {
            warnings.accept("cannot look for orphans: " + failure.getMessage());
        }
        if (scanAgain) {
            scanAgain = false;
            look();
        }
    }

    private void place(Orphan orphan) {
        PidFd process = orphan.process();
        if (index.isHeld(process) || untracked.holds(process)) {
            process.close();
        } else if (orphan.run().filter(run -> units.adopt(run, process)).isEmpty()) {
            untracked.adopt(process);
        }
    }

    /**
     * Ends the orphans of no unit, within a time limit, and then runs a task. Called when all units
     * have stopped.
     */
    public void end(Runnable ended) {
        if (tracked) {
            untracked.end(ended);
        } else {
            ended.run();
        }
    }

    /**
     * Scans for orphans. Blocking. Where cgroups show the owners of the living ones, this looks
     * only for exited ones, by one system call each: a manager has thousands of children, and every
     * exit causes a scan.
     */
    private Found scan() {
        if (tracked) {
            return scanAll();
        }
        for (Optional<PidFd> first = Child.firstExited();
                first.isPresent();
                first = Child.firstExited()) {
            try (PidFd child = first.get()) {
                boolean owned = isReapedByOwner(child);
                if (owned && hidden < MOST_HIDDEN) {
                    hidden++;
                    return new Found(List.of(), false); // its owner is about to reap it
                }
                if (owned
                        || !Child.isOrphan(child)
                        || !ours.test(child)
                        || child.reap().isEmpty()) {
                    return scanAll();
                }
            } catch (ErrnoException e) {
                return new Found(List.of(), false); // its owner has reaped it meanwhile
            }
        }
        hidden = 0;
        return new Found(List.of(), true);
    }

    /** Returns whether a run reaps the child itself, once its exit is recorded. */
    private boolean isReapedByOwner(PidFd child) {
        return Child.isStarted(child) || index.isUnrecorded(child);
    }

    private Found scanAll() {
        hidden = 0;
        List<Orphan> living = new ArrayList<>();
        boolean certain = true;
        String[] threads = new File("/proc/self/task").list();
        for (String thread : threads == null ? new String[0] : threads) {
            for (String number : childrenOf(thread).split(" ")) {
                if (!number.isBlank()) {
                    certain &= look(Integer.parseInt(number), living);
                }
            }
        }
        if (tracked && afterCrash) {
            KeeperChildren.visitLiving(child -> {
                Optional<Workload> run = RunMark.find(child, index);
                return run.isPresent() && living.add(new Orphan(child, run));
            });
        }
        return new Found(living, certain);
    }

    private static String childrenOf(String thread) {
        try {
            return KernelFile.text(null, "/proc/self/task/" + thread + "/children");
        } catch (ErrnoException e) {
            return ""; // the thread has ended: its children are listed under another
        }
    }

    /** Returns false if the process cannot be distinguished from a child that is being spawned. */
    private boolean look(int number, List<Orphan> living) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return true;
        }
        PidFd child = found.get();
        boolean kept = false;
        try {
            if (!isChild(child) || isReapedByOwner(child)) {
                return true;
            }
            boolean certain = Child.isOrphan(child);
            PidFd.State state = child.state();
            if (state == PidFd.State.EXITED && certain && ours.test(child)) {
                var ignored = child.reap();
            } else if (state == PidFd.State.ALIVE
                    && certain
                    && tracked
                    && !inherited.contains(child)) {
                kept = living.add(new Orphan(child, RunMark.find(child, index)));
            }
            return certain || !tracked;
        } catch (ErrnoException e) {
            return true; // its owner has reaped it meanwhile
        } finally {
            if (!kept) {
                child.close();
            }
        }
    }

    private static boolean isChild(PidFd pidFd) {
        ProcessInfo info = pidFd.info();
        return info.ppid().isPresent()
                && info.ppid().getAsInt() == (int) ProcessHandle.current().pid();
    }

    /**
     * Kills the tracked orphans that are left, and reaps those that it can. Called when neither the
     * loop nor the units run any more. Blocking.
     */
    public void close() {
        untracked.close();
        long deadline = System.nanoTime() + ManagerLimits.KILL_TIMEOUT.duration().toNanos();
        try {
            boolean again = true; // the children of killed processes come to us
            while (again) {
                again = kill(scanAll().living(), deadline) && System.nanoTime() < deadline;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        inherited.forEach(PidFd::close);
    }

    /** Returns whether a process has ended by this. */
    private boolean kill(List<Orphan> living, long deadline) throws InterruptedException {
        boolean ended = false;
        try {
            for (Orphan orphan : living) {
                ended |= kill(orphan.process(), deadline);
            }
        } finally {
            living.forEach(orphan -> orphan.process().close());
        }
        return ended;
    }

    private boolean kill(PidFd process, long deadline) throws InterruptedException {
        try {
            boolean _ = process.signal(Signal.KILL);
        } catch (ErrnoException e) {
            warnings.accept(process + " is left over: " + e.getMessage());
            return false;
        }
        warnings.accept(process + " is left over: " + Signal.KILL);
        Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
        return process.await(left).isPresent();
    }
}
