package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.Execution;
import io.holdfast.manager.exec.JournalSettingsFiles;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.exec.UserAndGroups;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.CgroupProcesses;
import io.holdfast.manager.process.KeeperChildren;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.process.RunProcesses;
import io.holdfast.manager.process.RunProcesses.RunSignal;
import io.holdfast.manager.process.TrackedProcesses;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.run.KeptRun.Role;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of a unit: its main process and control process, the pipe for its output, and all
 * processes that they started. All methods are called on the event loop; blocking work runs on
 * workers.
 */
public final class UnitRun {
    /** Receives the events of the run. */
    public interface Listener {
        void mainExited(Exit exit);

        void controlExited(Exit exit);

        /** Called when a spawn has failed. */
        void spawnFailed(ExecCommand command, boolean asMain, Exception failure);

        /** Called when a spawn has succeeded. */
        void spawned(ExecCommand command, boolean asMain);

        /** Called when no living process is left. */
        void emptied();

        /** Called when all processes have received the signals that were sent to all. */
        void signalled();

        /**
         * Returns duplicates of the descriptors that a command receives, which the run closes.
         *
         * @throws ErrnoException if they cannot be prepared
         */
        PassedDescriptors passedTo(ExecCommand command);

        /** Called when the kernel's OOM killer has killed processes of the run. */
        default void killedByOom() {}

        /** Called with what the run has used, when it has ended. */
        default void used(ResourceUsage total) {}
    }

    private final ManagerContext context;
    private final UnitName unit;
    private final RunPlan plan;
    private final Listener listener;
    private final RunChannels channels;
    private final Execution execution;
    private final Workload workload;
    private final RunProcesses processes;
    private final KeptRun kept;
    private final RunResources resources;
    private @Nullable RunProcess main;
    private @Nullable RunProcess control;
    private final Lane lane;
    private final Lane stopLane;

    /** The spawns under way, with the roles of their processes. */
    private final Map<Work<Child>, Role> spawns = new LinkedHashMap<>();

    private int pendingSignals;
    private volatile int mainNumber; // the last main PID, or 0
    private boolean controlIsLost; // an earlier manager had it, and it is not found
    private boolean stopping;
    private boolean ended;

    UnitRun(
            RunOwner owner,
            RunPlan plan,
            Listener listener,
            RunChannels channels,
            Execution execution,
            Workload workload,
            Optional<Cgroup> cgroup,
            Optional<Fields> record) {
        this.context = owner.context();
        this.lane = owner.lane();
        this.stopLane = owner.stopLane();
        this.unit = owner.name();
        this.plan = plan;
        this.listener = listener;
        this.channels = channels;
        this.execution = execution;
        this.workload = workload;
        this.kept = new KeptRun(context.survival(), unit);
        this.resources =
                new RunResources(
                        context,
                        workload,
                        lane,
                        plan.cgroup(),
                        cgroup,
                        RunResources.known(record),
                        () -> {
                            if (!ended) {
                                listener.killedByOom();
                            }
                        });
        this.processes =
                cgroup.<RunProcesses>map(group ->
                                new CgroupProcesses(
                                        context.loop(),
                                        lane,
                                        stopLane,
                                        text -> context.warn(unit, text),
                                        group))
                        .orElseGet(() ->
                                new TrackedProcesses(
                                        context.loop(),
                                        context.events()::lookForOrphans,
                                        context.processes(),
                                        workload,
                                        this::holdsLiving));
    }

    private boolean holdsLiving() {
        return mainIsAlive() || control != null || !spawns.isEmpty();
    }

    public Optional<Cgroup> cgroup() {
        return processes.cgroup();
    }

    /** Returns the run as the index of processes knows it. */
    public Workload workload() {
        return workload;
    }

    public Optional<PidFd> main() {
        return Optional.ofNullable(main).map(RunProcess::pidFd);
    }

    /** Returns the control process. */
    public Optional<PidFd> control() {
        return Optional.ofNullable(control).map(RunProcess::pidFd);
    }

    public boolean mainIsAlive() {
        return main != null && main.isAlive();
    }

    public boolean controlIsAlive() {
        return control != null || controlIsLost;
    }

    public boolean isSpawning() {
        return !spawns.isEmpty();
    }

    /**
     * Returns whether a signal to all is under way, which would also reach a process spawned now.
     */
    public boolean isSignalling() {
        return pendingSignals > 0;
    }

    public boolean isMain(PidFd process) {
        return main != null && process.equals(main.pidFd());
    }

    public boolean isControl(PidFd process) {
        return control != null && process.equals(control.pidFd());
    }

    /** Returns whether the process belongs to this run. */
    public boolean contains(PidFd process) {
        return context.processes().ownerOf(process).filter(workload::equals).isPresent();
    }

    /** Adopts an orphan that belongs to this run; otherwise the caller keeps it. */
    public boolean adopt(PidFd orphan) {
        return !ended && processes.adopt(orphan);
    }

    /**
     * Passes the only process of the run that is a child of the manager, if there is exactly one;
     * it is lent for the call.
     */
    public void onlyChild(Consumer<Optional<PidFd>> callback) {
        processes.onlyChild(found -> {
            if (!ended) {
                callback.accept(found);
            }
        });
    }

    /** Spawns a command as the main process or as the control process. */
    public void spawn(ExecCommand command, boolean asMain, Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(variables);
        mainPid().ifPresent(pid -> all.put("MAINPID", Integer.toString(pid)));
        Lane where = stopping ? stopLane : lane;
        String what = "the start of " + command.executable();
        Work<Child> work;
        try {
            PassedDescriptors passed = listener.passedTo(command);
            work =
                    where.work(what, () -> start(command, all, passed))
                            .ifNeverBegun(() -> release(passed));
        } catch (ErrnoException e) {
            work =
                    where.work(
                            what,
                            () -> {
                                throw e;
                            });
        }
        begin(work.releasing(UnitRun::killLate), command, asMain);
    }

    private void begin(Work<Child> work, ExecCommand command, boolean asMain) {
        spawns.put(work, asMain ? Role.MAIN : Role.CONTROL);
        spawnsChanged();
        context.survival().write(unit); // before such a process can exist
        work.begin((child, failure) -> {
            Role _ = spawns.remove(work);
            spawnsChanged();
            if (child == null) {
                context.counters().spawnFailed();
            } else {
                context.counters().spawned();
            }
            if (ended) {
                closeUnheld(child); // stays as KillMode= allows
            } else if (child == null) {
                listener.spawnFailed(command, asMain, orUnknown(failure));
            } else {
                hold(child, asMain);
                listener.spawned(command, asMain);
            }
            context.events().spawned();
        });
    }

    private static void closeUnheld(@Nullable Child child) {
        if (child != null) {
            child.close();
        }
    }

    private void spawnsChanged() {
        context.processes().spawning(workload, !spawns.isEmpty());
    }

    /** Starts a command, on a worker. */
    private Child start(
            ExecCommand command, Map<String, String> variables, PassedDescriptors passed)
            throws SetupException, InterruptedException {
        try (passed) {
            return execution.start(command, variables, passed);
        }
    }

    private void release(PassedDescriptors passed) {
        passed.close(context.closer(), unit.text());
    }

    /** Makes later commands run in the stop lane: they do not wait for commands of the start. */
    public void stopBegun() {
        stopping = true;
    }

    /** Limits how much longer spawns under way are waited for; after that they have failed. */
    public void limitSpawns(Duration limit) {
        spawns.keySet().forEach(work -> work.limit(limit));
    }

    /** Kills a child that was spawned too late. Runs on a worker. */
    private static void killLate(Child child) {
        try (child) {
            boolean _ = child.signal(Signal.KILL);
            Optional<Exit> _ = child.pidFd().await(ManagerLimits.KILL_TIMEOUT.duration());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<Integer> mainPid() {
        int number = main == null || !main.isAlive() ? 0 : numberOf(main.pidFd());
        return number == 0 ? Optional.empty() : Optional.of(number);
    }

    private static int numberOf(PidFd process) {
        try {
            return process.pid();
        } catch (ErrnoException e) {
            return 0; // reaped; its exit is reported soon
        }
    }

    private static Exception orUnknown(@Nullable Exception failure) {
        return failure == null
                ? new IllegalStateException("internal error: no child process")
                : failure;
    }

    private void hold(Child child, boolean asMain) {
        hold(asMain ? Role.MAIN : Role.CONTROL, RunProcess.of(context, workload, child));
    }

    private void hold(Role role, RunProcess process) {
        switch (role) {
            case MAIN -> main(process);
            case CONTROL -> control(process);
        }
    }

    private void main(RunProcess process) {
        release(main);
        main = process;
        kept.keep(Role.MAIN, process.pidFd());
        mainNumber = numberOf(process.pidFd());
        process.onExit(exit -> {
            if (!ended) {
                processes.exited();
                context.counters().exited(exit);
                resources.check();
                listener.mainExited(exit);
            }
        });
    }

    private void control(RunProcess process) {
        release(control);
        control = process;
        kept.keep(Role.CONTROL, process.pidFd());
        process.onExit(exit -> {
            if (!ended) {
                control = null;
                kept.drop(Role.CONTROL);
                release(process);
                processes.exited();
                context.counters().exited(exit);
                resources.check();
                listener.controlExited(exit);
            }
        });
    }

    private static void release(@Nullable RunProcess process) {
        if (process != null) {
            process.close();
        }
    }

    /** Makes another process of the unit the main process, and takes ownership of it. */
    public void replaceMain(PidFd process) {
        main(RunProcess.of(context, workload, process));
    }

    // ---- when the manager is killed

    /** Returns its limits, and what it uses. */
    public RunResources resources() {
        return resources;
    }

    /** Returns what it uses now. */
    public ResourceUsage usage() {
        return resources.usage();
    }

    /**
     * Keeps the output pipe and its temporary folders for the case that the manager is killed, and
     * begins its watches.
     */
    public void keep() {
        resources.begin();
        kept.keep(channels.output());
        kept.keepFolders(execution.temporaryFolderLocks());
    }

    public void record(Fields fields) {
        fields.put("run", true)
                .put("cgroup", cgroup().map(Cgroup::id).orElse(0L))
                .put("main-number", mainNumber)
                .put("spawning", spawns.values().stream().findFirst().map(Role::name).orElse(""));
        if (!execution.temporaryFolders().isEmpty()) {
            fields.put("temporary-folders", execution.temporaryFolders());
        }
        channels.record(fields);
        resources.record(fields);
        kept.record(Role.MAIN, main().filter(_ -> mainIsAlive()), fields);
        kept.record(Role.CONTROL, control(), fields);
        identity()
                .map(UserAndGroups::uid)
                .ifPresent(uid -> uid.ifPresent(n -> fields.put("uid", n)));
    }

    /**
     * Adopts the processes of a run that an earlier manager began. If a process is not found, its
     * exit is unknown, and is not guessed. Blocking.
     */
    void restore(Fields fields) {
        mainNumber = Math.toIntExact(fields.number("main-number"));
        Optional<PidFd> main = kept.restored(Role.MAIN, fields);
        Optional<PidFd> control = kept.restored(Role.CONTROL, fields);
        main.ifPresent(process -> adopt(Role.MAIN, process));
        control.ifPresent(process -> adopt(Role.CONTROL, process));
        if (main.isEmpty() && KeptRun.isRecorded(Role.MAIN, fields)) {
            context.loop()
                    .postEnding(() -> {
                        context.counters().exited(new Exit.Unknown());
                        listener.mainExited(new Exit.Unknown());
                    });
        }
        if (control.isEmpty() && KeptRun.isRecorded(Role.CONTROL, fields)) {
            controlIsLost = true;
            context.loop()
                    .postEnding(() -> {
                        controlIsLost = false;
                        context.counters().exited(new Exit.Unknown());
                        listener.controlExited(new Exit.Unknown());
                    });
        }
        if (fields.find("spawning").isPresent()) {
            Role role = fields.word("spawning", Role.class);
            List<PidFd> known = Stream.of(main, control).flatMap(Optional::stream).toList();
            KeeperChildren.firstOf(workload, cgroup().isPresent(), known)
                    .ifPresent(process -> adopt(role, process));
        }
    }

    /** Returns the main process and the control process, lent, as far as there are any. */
    List<PidFd> processes() {
        return Stream.of(Optional.ofNullable(main), Optional.ofNullable(control))
                .flatMap(Optional::stream)
                .map(RunProcess::pidFd)
                .toList();
    }

    /** Returns the locks of its temporary folders that were kept, for the caller to close. */
    List<Fd> keptFolders() {
        return kept.folders();
    }

    private void adopt(Role role, PidFd process) {
        hold(role, RunProcess.of(context, workload, process));
    }

    // ---- signals

    /** Signals the main process, the control process, and on request all others. */
    public void signal(Signal signal, boolean all, boolean hangup) {
        RunSignal sent = new RunSignal(signal, hangup);
        List<PidFd> held = new ArrayList<>();
        if (main != null) {
            held.add(main.pidFd());
            if (main.isAlive()) {
                sent.send(main.pidFd());
            }
        }
        if (control != null) {
            held.add(control.pidFd());
            sent.send(control.pidFd());
        }
        if (all) {
            signalAll(sent, held);
        }
    }

    private void signalAll(RunSignal signal, List<PidFd> signalled) {
        pendingSignals++;
        processes.signal(
                signal,
                signalled,
                () -> {
                    pendingSignals--;
                    if (!ended && pendingSignals == 0) {
                        listener.signalled();
                    }
                });
    }

    /**
     * Signals processes on request.
     *
     * @param value sent with the signal, as sigqueue(3) does, but only to the main and control
     *     processes
     * @return whether there were such processes
     */
    public boolean signal(Signal signal, KillWhom whom, OptionalInt value) {
        List<PidFd> held = new ArrayList<>();
        if (whom != KillWhom.CONTROL && main != null && main.isAlive()) {
            held.add(main.pidFd());
        }
        if (whom != KillWhom.MAIN && control != null) {
            held.add(control.pidFd());
        }
        for (PidFd process : held) {
            boolean ignored =
                    value.isPresent()
                            ? process.signalWithValue(signal, value.getAsInt())
                            : process.signal(signal);
        }
        if (whom == KillWhom.ALL && value.isEmpty()) {
            signalAll(new RunSignal(signal, false), held);
            return true;
        }
        return !held.isEmpty();
    }

    /** Kills the control process. */
    public void killControl() {
        if (control != null) {
            boolean ignored = control.pidFd().signal(Signal.KILL);
        }
    }

    /** Returns the user that it runs as, once that is known. */
    public Optional<UserAndGroups> identity() {
        return execution.identity();
    }

    /** Returns whether it is known that no process is left. */
    public boolean isEmpty() {
        return processes.isEmpty();
    }

    /** Reports once when no process is left; at once if none is. */
    public void watchEmpty() {
        processes.watchEmpty(listener::emptied);
    }

    /**
     * Closes the run.
     *
     * @param killLeftovers whether living processes are killed
     * @param restarting whether another run follows: then what is preserved across runs is kept
     * @param limit how long to wait for the clean-up; after that it continues unattended
     * @param remaining receives the processes that are left
     * @param closed called with whether the clean-up finished in time
     */
    public void close(
            boolean killLeftovers,
            boolean restarting,
            TimeSpan limit,
            Consumer<RunProcesses> remaining,
            Consumer<Boolean> closed) {
        ended = true;
        processes.forget();
        spawns.keySet().forEach(Work::cancel);
        spawns.clear();
        spawnsChanged();
        channels.close();
        resources.close();
        kept.drop();
        release(control);
        release(main);
        control = null;
        main = null;
        Work<Boolean> _ =
                lane.work("its clean-up", () -> clean(killLeftovers, restarting))
                        .releasing(this::releaseUnless)
                        .evenIfLate()
                        .within(limit)
                        .begin((clean, failure) -> {
                            listener.used(resources.total());
                            if (Boolean.FALSE.equals(clean)) {
                                context.warn(unit, leftOver());
                                remaining.accept(processes);
                            } else {
                                context.processes().leave(workload);
                            }
                            if (failure != null) {
                                context.warn(unit, "cannot clean up: " + failure.getMessage());
                            }
                            closed.accept(!(failure instanceof Work.LateException));
                            kept.dropFolders();
                        });
    }

    private String leftOver() {
        return "processes are left over in its cgroup: KillMode="
                + plan.kill().mode().name().toLowerCase(Locale.ROOT).replace('_', '-')
                + (plan.kill().sendFinal() ? "" : ", SendSIGKILL=no");
    }

    /** Releases the remaining processes if there are any: no other owner takes them. */
    private void releaseUnless(boolean clean) {
        if (!clean) {
            processes.release();
        }
    }

    /**
     * Kills the processes first: removing a folder may take as long as its file system needs. Runs
     * on a worker.
     */
    private boolean clean(boolean killLeftovers, boolean restarting) throws InterruptedException {
        try {
            resources.end();
            return processes.clean(killLeftovers);
        } finally {
            execution.close(restarting);
            removeJournalSettings();
            plan.cleanUp().accept(mainNumber);
        }
    }

    private void removeJournalSettings() {
        try {
            new JournalSettingsFiles(context.journalSettings(), unit, plan.invocationId()).remove();
        } catch (IOException e) {
            context.loop()
                    .postEnding(() ->
                            context.warn(unit, "its log settings are left: " + e.getMessage()));
        }
    }

    /**
     * Undoes a run that was only prepared. Processes that an earlier run left in the cgroup stay.
     * Runs on a worker.
     */
    public void undo() {
        resources.close();
        try {
            releaseUnless(clean(false, false));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Kills all processes, also those being spawned, and releases everything, without further
     * events. Called when the loop no longer runs. Blocking.
     */
    public void abandon() {
        ended = true;
        try {
            signal(Signal.KILL, true, false);
            if (processes.cgroup().isEmpty()) {
                awaitExits();
            }
        } catch (ErrnoException e) {
            context.warn(unit, "cannot be killed: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        context.processes().leave(workload);
        close(true, false, TimeSpan.INFINITY, RunProcesses::release, _ -> {});
    }

    /**
     * Waits for the killed processes to exit: then their children are reparented to the manager,
     * which kills them too.
     */
    private void awaitExits() throws InterruptedException {
        if (main != null && main.isAlive()) {
            Optional<Exit> _ = main.pidFd().await(ManagerLimits.KILL_TIMEOUT.duration());
        }
        if (control != null) {
            Optional<Exit> _ = control.pidFd().await(ManagerLimits.KILL_TIMEOUT.duration());
        }
    }

    /** Removes what was kept for a next run, because that run does not follow. */
    public void discard(Runnable discarded) {
        Work<Boolean> _ =
                lane.work(
                                "the removal of its preserved directories",
                                () -> {
                                    execution.close(false);
                                    return true;
                                })
                        .evenIfLate()
                        .within(ManagerLimits.KILL_TIMEOUT.duration())
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(unit, "cannot clean up: " + failure.getMessage());
                            }
                            discarded.run();
                        });
    }
}
