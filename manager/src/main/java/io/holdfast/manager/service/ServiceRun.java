package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.ExecStreams;
import io.holdfast.manager.exec.Execution;
import io.holdfast.manager.exec.Identity;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.exec.SetupException;
import io.holdfast.manager.log.OutputPipe;
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
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.service.KeptRun.Role;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
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
 * What one run of a service holds: its main process and the one that runs a command beside it, the
 * pipe for its output, and all that they started. All methods on the loop; what may block is done
 * by the workers.
 */
final class ServiceRun {
    /** What {@link Service} is told. */
    interface Listener {
        void mainExited(Exit exit);

        void controlExited(Exit exit);

        /** A spawn that was asked for did not work. */
        void spawnFailed(ExecCommand command, boolean asMain, Exception failure);

        /** A spawn that was asked for has worked. */
        void spawned(ExecCommand command, boolean asMain);

        /** No living process is left. */
        void emptied();

        /** All have got the signals that were sent to all. */
        void signalled();

        /** What the service keeps with the manager, to be passed to it and closed then. */
        PassedDescriptors stored();
    }

    private final ManagerContext context;
    private final ServiceUnit unit;
    private final Listener listener;
    private final OutputPipe output;
    private final Execution execution;
    private final Workload workload;
    private final RunProcesses processes;
    private final KeptRun kept;
    private @Nullable RunProcess main;
    private @Nullable RunProcess control;
    private final Lane lane;
    private final Lane stopLane;

    /** Under way, and what they are to be. */
    private final Map<Work<Child>, Role> spawns = new LinkedHashMap<>();

    private int pendingSignals;
    private volatile int mainNumber; // of the last main process, 0 before
    private boolean controlIsLost; // it was there for an earlier manager, and is not found
    private boolean stopping;
    private boolean ended;

    ServiceRun(
            ServiceLife life,
            ServiceUnit unit,
            Listener listener,
            OutputPipe output,
            Execution execution,
            Workload workload,
            Optional<Cgroup> cgroup) {
        this.context = life.context;
        this.lane = life.lane;
        this.stopLane = life.stopLane;
        this.unit = unit;
        this.listener = listener;
        this.output = output;
        this.execution = execution;
        this.workload = workload;
        this.kept = new KeptRun(context.survival(), unit.name());
        this.processes =
                cgroup.<RunProcesses>map(group ->
                                new CgroupProcesses(
                                        context.loop(),
                                        lane,
                                        stopLane,
                                        text -> context.warn(unit.name(), text),
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

    Optional<Cgroup> cgroup() {
        return processes.cgroup();
    }

    /** The run as the index of processes knows it. */
    Workload workload() {
        return workload;
    }

    Optional<PidFd> main() {
        return Optional.ofNullable(main).map(RunProcess::pidFd);
    }

    /** The process that runs a command beside the main one. */
    Optional<PidFd> control() {
        return Optional.ofNullable(control).map(RunProcess::pidFd);
    }

    boolean mainIsAlive() {
        return main != null && main.isAlive();
    }

    boolean controlIsAlive() {
        return control != null || controlIsLost;
    }

    boolean isSpawning() {
        return !spawns.isEmpty();
    }

    /** Whether a signal to all is on its way, which would reach what is spawned now. */
    boolean isSignalling() {
        return pendingSignals > 0;
    }

    /** Whether the process is the main one. */
    boolean isMain(PidFd process) {
        return main != null && process.equals(main.pidFd());
    }

    /** Whether the process runs a command beside the main one. */
    boolean isControl(PidFd process) {
        return control != null && process.equals(control.pidFd());
    }

    /** Whether the process belongs to this run. */
    boolean contains(PidFd process) {
        return context.processes().ownerOf(process).filter(workload::equals).isPresent();
    }

    /** Takes an orphan over if it is of this run; else it stays the giver's. */
    boolean adopt(PidFd orphan) {
        return !ended && processes.adopt(orphan);
    }

    /** Tells of the only process that there is; lent for the call. */
    void only(Consumer<Optional<PidFd>> told) {
        processes.only(found -> {
            if (!ended) {
                told.accept(found);
            }
        });
    }

    /** Spawns a command as the main process, or beside it. */
    void spawn(ExecCommand command, boolean asMain, Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(variables);
        mainPid().ifPresent(pid -> all.put("MAINPID", Integer.toString(pid)));
        Lane where = stopping ? stopLane : lane;
        String what = "to start " + command.executable();
        Work<Child> work;
        try {
            PassedDescriptors passed = passedTo(command);
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
        begin(work.releasing(ServiceRun::killLate), command, asMain);
    }

    private void begin(Work<Child> work, ExecCommand command, boolean asMain) {
        spawns.put(work, asMain ? Role.MAIN : Role.CONTROL);
        spawnsChanged();
        context.survival().write(unit.name()); // before there can be such a process
        work.begin((child, failure) -> {
            Role _ = spawns.remove(work);
            spawnsChanged();
            if (child == null) {
                context.counters().spawnFailed();
            } else {
                context.counters().spawned();
            }
            if (ended) {
                closeUnheld(child); // left over, as KillMode= wants it
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

    /** On a worker. */
    private Child start(
            ExecCommand command, Map<String, String> variables, PassedDescriptors passed)
            throws SetupException, InterruptedException {
        try (passed) {
            return execution.start(command, variables, passed);
        }
    }

    private void release(PassedDescriptors passed) {
        passed.close(context.closer(), unit.name().text());
    }

    /** Its stop has begun: commands that are spawned now do not wait for those of the start. */
    void stopBegun() {
        stopping = true;
    }

    /** How much longer spawns that are under way are waited for: then they have failed. */
    void limitSpawns(Duration limit) {
        spawns.keySet().forEach(work -> work.limit(limit));
    }

    /** Nobody waits for a child any more. On a worker. */
    private static void killLate(Child child) {
        try (child) {
            boolean _ = child.signal(Signal.KILL);
            Optional<Exit> _ = child.pidFd().await(ManagerLimits.KILL_PATIENCE.duration());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private PassedDescriptors passedTo(ExecCommand command) {
        boolean starts = unit.service().commands().start().contains(command);
        if (!starts && !ExecStreams.useSocket(unit.exec())) {
            return PassedDescriptors.NONE;
        }
        PassedDescriptors sockets = context.events().activation().descriptorsFor(unit);
        try {
            sockets.blocking(!unit.service().nonBlocking());
            return starts ? sockets.and(listener.stored()) : sockets;
        } catch (ErrnoException e) {
            release(sockets);
            throw e;
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
            return 0; // reaped, which is reported in a moment
        }
    }

    private static Exception orUnknown(@Nullable Exception failure) {
        return failure == null ? new IllegalStateException("no child, and no reason") : failure;
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
                listener.controlExited(exit);
            }
        });
    }

    private static void release(@Nullable RunProcess process) {
        if (process != null) {
            process.close();
        }
    }

    /** Takes over another process of the unit as its main one. It is owned from now on. */
    void replaceMain(PidFd process) {
        main(RunProcess.of(context, workload, process));
    }

    // ---- when the manager is killed

    /** From now on it outlives the manager. */
    void keep() {
        kept.keep(output);
    }

    void record(Fields fields) {
        fields.put("run", true)
                .put("cgroup", cgroup().map(Cgroup::id).orElse(0L))
                .put("main-number", mainNumber)
                .put("spawning", spawns.values().stream().findFirst().map(Role::name).orElse(""));
        kept.record(Role.MAIN, main().filter(_ -> mainIsAlive()), fields);
        kept.record(Role.CONTROL, control(), fields);
        identity().map(Identity::uid).ifPresent(uid -> uid.ifPresent(n -> fields.put("uid", n)));
    }

    /**
     * Adopts the processes of a run that an earlier manager has begun. How one ended that is not
     * found is not known, and not guessed. Blocking.
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

    private void adopt(Role role, PidFd process) {
        hold(role, RunProcess.ofKeeper(context, workload, process));
    }

    // ---- signals

    /** Signals the main process, the one beside it, and if wanted all others. */
    void signal(Signal signal, boolean all, boolean hangup) {
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
     * Signals processes because somebody asked for it.
     *
     * @param value sent with it, as sigqueue(3) does: to those alone that are held by themselves
     * @return whether there were such
     */
    boolean signal(Signal signal, KillWhom whom, OptionalInt value) {
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

    /** Kills the process that runs a command beside the main one. */
    void killControl() {
        if (control != null) {
            boolean ignored = control.pidFd().signal(Signal.KILL);
        }
    }

    /** As whom it runs, once that is known. */
    Optional<Identity> identity() {
        return execution.identity();
    }

    /** Tells once when no process is left; at once if none is. */
    void watchEmpty() {
        processes.watchEmpty(listener::emptied);
    }

    /**
     * Lets go of everything.
     *
     * @param killLeftovers whether what lives still is killed
     * @param restarting whether another run follows: what is preserved over it is kept
     * @param limit how long that is waited for; then it goes on without anybody
     * @param remaining gets the processes that are left
     * @param closed told whether it is done
     */
    void close(
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
        output.close();
        kept.dropAll();
        release(control);
        release(main);
        control = null;
        main = null;
        Work<Boolean> _ =
                lane.work("to clean up", () -> clean(killLeftovers, restarting))
                        .releasing(this::releaseUnless)
                        .evenIfLate()
                        .within(limit)
                        .begin((clean, failure) -> {
                            if (Boolean.FALSE.equals(clean)) {
                                context.warn(unit.name(), leftOver());
                                remaining.accept(processes);
                            } else {
                                context.processes().leave(workload);
                            }
                            if (failure != null) {
                                context.warn(
                                        unit.name(), "cannot clean up: " + failure.getMessage());
                            }
                            closed.accept(!(failure instanceof Work.LateException));
                        });
    }

    private String leftOver() {
        return "processes are left over in its cgroup: KillMode="
                + unit.kill().mode().name().toLowerCase(Locale.ROOT).replace('_', '-')
                + (unit.kill().sendFinal() ? "" : ", SendSIGKILL=no");
    }

    /** Nobody learns that processes are left. */
    private void releaseUnless(boolean clean) {
        if (!clean) {
            processes.release();
        }
    }

    /** Its processes first: a folder may take as long as its file system does. On a worker. */
    private boolean clean(boolean killLeftovers, boolean restarting) throws InterruptedException {
        try {
            return processes.clean(killLeftovers);
        } finally {
            execution.close(restarting);
            removePidFile();
        }
    }

    private void removePidFile() {
        int gone = mainNumber;
        unit.service()
                .pidFile()
                .filter(_ -> gone > 0)
                .flatMap(path -> PidFile.remove(path, gone))
                .ifPresent(
                        text -> context.loop().postEnding(() -> context.warn(unit.name(), text)));
    }

    /**
     * Nobody wants a run that was only prepared. What an earlier one has left in the cgroup stays.
     * On a worker.
     */
    void undo() {
        try {
            releaseUnless(clean(false, false));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * When nobody runs the loop any more: kills all, also what is being spawned, lets go of
     * everything, and tells nobody of it. Blocking.
     */
    void abandon() {
        ended = true;
        try {
            signal(Signal.KILL, true, false);
            if (processes.cgroup().isEmpty()) {
                awaitExits();
            }
        } catch (ErrnoException e) {
            context.warn(unit.name(), "cannot be killed: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        context.processes().leave(workload);
        close(true, false, TimeSpan.INFINITY, RunProcesses::release, _ -> {});
    }

    /** Of the killed ones: their children come to the manager then, who ends them, too. */
    private void awaitExits() throws InterruptedException {
        if (main != null && main.isAlive()) {
            Optional<Exit> _ = main.pidFd().await(ManagerLimits.KILL_PATIENCE.duration());
        }
        if (control != null) {
            Optional<Exit> _ = control.pidFd().await(ManagerLimits.KILL_PATIENCE.duration());
        }
    }

    /** Removes what was kept for another run, which does not follow after all. */
    void discard(Runnable discarded) {
        Work<Boolean> _ =
                lane.work(
                                "to remove what was kept of it",
                                () -> {
                                    execution.close(false);
                                    return true;
                                })
                        .evenIfLate()
                        .within(ManagerLimits.KILL_PATIENCE.duration())
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        unit.name(), "cannot clean up: " + failure.getMessage());
                            }
                            discarded.run();
                        });
    }
}
