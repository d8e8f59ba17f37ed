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
 * The processes that became our children when their parents died: a manager is the subreaper of
 * what its units start. Each is held and waited for by its own pidfd, one by one; never is "any
 * child" asked for, which would take the children of others in this JVM. What {@link Child} does
 * not know is an orphan. On the loop but for what is said to block.
 *
 * <p>Where no cgroups tell, the living ones are tracked: each is given to its unit, and what is of
 * none ends with the manager. With cgroups an orphan is in that of its unit, whatever it did, and
 * is ended there; one that root has moved out of the manager's slice, as a login session is, is
 * nobody's here and lives on. What this process had for children before, from what it was before
 * its exec, is nobody's either.
 */
public final class Orphans {
    /** Until what is being started, and may not be known yet, is looked at again. */
    private static final Duration START_PAUSE = Duration.ofMillis(10);

    /** How often an exited child that is about to be reaped may hide what is behind it. */
    private static final int MOST_HIDDEN = 10;

    /** Bytes of an orphan's environment that are looked at: it is as long as its user likes. */
    private static final int ENVIRONMENT = 128 << 10;

    /** The units that orphans may belong to. */
    public interface Units {
        /**
         * Gives an orphan to a run, which owns it then.
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
    private final Strays strays;
    private List<PidFd> inherited = List.of(); // children from before, if tracked
    private List<Runnable> waiting = new ArrayList<>();
    private boolean scanning;
    private boolean scanAgain;
    private int hidden; // of the worker that scans

    /**
     * @param ours whether an exited orphan is to be reaped
     * @param tracked whether living ones are given to their units and end with the manager, since
     *     no cgroup tells whose they are
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
        this.strays = new Strays(loop, this::look, warnings);
        if (tracked) {
            inherited = scanAll().living().stream().map(Orphan::process).toList();
        }
    }

    /** What a scan has found alive; what it was not sure of is looked at again. */
    private record Found(List<Orphan> living, boolean certain) {}

    private record Orphan(PidFd process, Optional<String> invocation) {}

    /** Looks soon. At every SIGCHLD, and after every spawn, which hides orphans. */
    public void look() {
        if (scanning) {
            scanAgain = true;
            return;
        }
        scanning = true;
        List<Runnable> told = waiting;
        waiting = new ArrayList<>();
        Work<Found> _ =
                lane.work("to look for orphans", this::scan)
                        .releasing(found -> found.living().forEach(one -> one.process().close()))
                        .within(ManagerLimits.QUESTION_PATIENCE.duration())
                        .begin((found, failure) -> scanned(found, failure, told));
    }

    /** Tells when every orphan of this moment is its unit's. */
    public void look(Runnable then) {
        if (!tracked) {
            loop.postEnding(then);
            return;
        }
        waiting.add(then);
        look();
    }

    private void scanned(@Nullable Found found, @Nullable Exception failure, List<Runnable> told) {
        scanning = false;
        if (found != null) {
            found.living().forEach(this::place);
        }
        if (found != null && !found.certain()) {
            waiting.addAll(told);
            var ignored = loop.after(START_PAUSE, this::look);
        } else {
            told.forEach(Runnable::run);
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
        if (index.isHeld(process) || strays.hold(process)) {
            process.close();
        } else if (orphan.invocation()
                .flatMap(index::ofInvocation)
                .filter(run -> units.adopt(run, process))
                .isEmpty()) {
            strays.adopt(process);
        }
    }

    /**
     * Ends what is of no unit, with bounded patience, and tells then. When all units have stopped.
     */
    public void end(Runnable ended) {
        if (tracked) {
            strays.end(ended);
        } else {
            ended.run();
        }
    }

    /**
     * Blocking. Where cgroups tell whose the living ones are, only the exited ones are looked for,
     * one call of the kernel each: a manager has thousands of children, and this is asked at every
     * exit.
     */
    private Found scan() {
        if (tracked) {
            return scanAll();
        }
        for (Optional<PidFd> first = Child.firstExited();
                first.isPresent();
                first = Child.firstExited()) {
            try (PidFd child = first.get()) {
                if (Child.isStarted(child) && hidden < MOST_HIDDEN) {
                    hidden++;
                    return new Found(List.of(), false); // its owner is about to reap it
                }
                if (!Child.isOrphan(child) || !ours.test(child) || child.reap().isEmpty()) {
                    return scanAll();
                }
            } catch (ErrnoException e) {
                return new Found(List.of(), false); // reaped meanwhile by its owner
            }
        }
        hidden = 0;
        return new Found(List.of(), true);
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
        return new Found(living, certain);
    }

    private static String childrenOf(String thread) {
        try {
            return KernelFile.text(null, "/proc/self/task/" + thread + "/children");
        } catch (ErrnoException e) {
            return ""; // the thread has ended: its children are listed under another
        }
    }

    /** False if it cannot be told from a child that is being started. */
    private boolean look(int number, List<Orphan> living) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return true;
        }
        PidFd child = found.get();
        boolean kept = false;
        try {
            if (!isChild(child) || Child.isStarted(child)) {
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
                kept = living.add(new Orphan(child, invocationOf(child)));
            }
            return certain || !tracked;
        } catch (ErrnoException e) {
            return true; // reaped by its owner meanwhile
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

    /** What it found in its environment when it was executed. */
    static Optional<String> invocationOf(PidFd process) {
        try {
            return Optional.ofNullable(
                    process.proc().environment(ENVIRONMENT).get("INVOCATION_ID"));
        } catch (ErrnoException e) {
            return Optional.empty(); // not ours to read, or it has gone
        }
    }

    /**
     * When neither the loop nor the units run any more: kills the tracked ones that are left, and
     * reaps what can be reaped. Blocking.
     */
    public void close() {
        strays.close();
        long deadline = System.nanoTime() + ManagerLimits.KILL_PATIENCE.duration().toNanos();
        try {
            boolean again = true; // what is killed leaves its children to us
            while (again) {
                again = kill(scanAll().living(), deadline) && System.nanoTime() < deadline;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        inherited.forEach(PidFd::close);
    }

    /** Whether some have ended by this. */
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
