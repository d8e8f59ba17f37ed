package io.holdfast.manager;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.generator.GeneratorFolders;
import io.holdfast.manager.job.JobOutcome;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.reaction.Ending;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.resource.PacketCounts;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.SocketStatus;
import io.holdfast.manager.view.TimerStatus;
import io.holdfast.manager.view.UnitFileFacts;
import io.holdfast.manager.view.UnitStatus;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A service manager: loads units, starts and stops them in order, and tracks their processes by
 * pidfd and cgroup.
 *
 * <p>All state belongs to the thread that runs {@link #run}. Every other method may be called by
 * any thread and returns a future. Several managers may run in one JVM and on one machine, each
 * with its own runtime folder and slice.
 *
 * <p>As root, every service starts in its own cgroup, and its orphans are reparented to the
 * manager, which is their subreaper. Without cgroups (as a plain user without a delegated cgroup),
 * a manager that {@linkplain ManagerOptions#ownsProcess owns its process} tracks the main process,
 * the control process, their process groups, and all orphans that still have the environment
 * variables of their unit; it kills the other orphans when it ends. A manager that does not own its
 * process tracks no orphans. {@link #lostWithoutCgroups} describes what is lost.
 */
public final class Manager implements AutoCloseable {
    /** The call of the EBUSY if another manager uses the same runtime folder. */
    public static final String LOCK_CALL = "lock";

    private final ManagerOptions options;
    private final Optional<String> cgroupRefusal;
    private final Wiring parts;
    private final EventLoop loop;
    private final UnitTable units;
    private final Jobs jobs;
    private final ManagerView view;
    private final Survival survival;
    private final CompletableFuture<Map<UnitName, JobResult>> shutDown = new CompletableFuture<>();
    private boolean handingOver; // used on the loop
    private boolean closed;

    private Manager(ManagerOptions options, ManagerListener listener, ManagerResources resources) {
        this.options = options;
        this.cgroupRefusal = resources.cgroupRefusal();
        this.parts = new Wiring(options, listener, resources, new Stops(), this::reexecute);
        this.loop = parts.loop;
        this.units = parts.units;
        this.jobs = parts.jobs;
        this.view = parts.view;
        this.survival = parts.survival;
    }

    /**
     * Opens a manager that does not run yet. Makes its runtime folder, its slice and the folder of
     * its notify sockets.
     *
     * @throws IllegalArgumentException if the path of the runtime folder is too long
     * @throws ErrnoException EBUSY if another manager uses the same runtime folder or slice; EPERM
     *     or ELOOP if other users could change the contents of the runtime folder ({@link
     *     TrustedFolder}); other errors if it cannot be made
     */
    public static Manager open(ManagerOptions options, ManagerListener listener) {
        return open(options, listener, Optional.empty());
    }

    /**
     * Opens a manager in a process that a keeper started, and adopts what the previous manager
     * left.
     *
     * @param keeper not closed by the manager
     */
    public static Manager open(
            ManagerOptions options, ManagerListener listener, Optional<Keeper> keeper) {
        ManagerResources resources = ManagerResources.open(options, listener, keeper);
        try {
            return new Manager(options, listener, resources);
        } catch (RuntimeException e) {
            resources.close();
            throw e;
        }
    }

    /** Returns the limits of managers, which system properties of the JVM set. */
    public static List<Limit> limits() {
        return ManagerLimits.all();
    }

    /**
     * Returns why the units have no cgroups, and what is lost by that; empty if they have cgroups.
     */
    public Optional<String> lostWithoutCgroups() {
        String lost =
                options.ownsProcess()
                        ? "): processes that change RLIMIT_LOCKS, drop INVOCATION_ID from their"
                                + " environment and lose their parent are not tracked, and end only"
                                + " with the manager"
                        : "): processes that leave their process group are not tracked";
        return cgroupRefusal.map(reason -> "no cgroups for services (" + reason + lost);
    }

    /** Returns the cgroup above all units; empty if units have no cgroups. */
    public Optional<CgroupPath> slice() {
        return parts.cgroups.map(UnitCgroups::path);
    }

    /** Returns whether this manager has taken over from a manager that was killed. */
    public boolean isAfterCrash() {
        return survival.isAfterCrash();
    }

    /**
     * Returns what is known of the previous managers, and of what was adopted from the last one.
     * Callable from any thread.
     */
    public Predecessor predecessor() {
        return survival.predecessor();
    }

    /**
     * Returns whether a previous manager, which was killed, has already done what this one is
     * started for.
     */
    public boolean hasBegun() {
        return survival.predecessor().begun();
    }

    /**
     * Records that the task of this manager is done, so that the next manager does not repeat it.
     * On the loop that is recorded when this returns.
     */
    public void begun() {
        if (!loop.isOwner()) {
            loop.post(this::begun);
            return;
        }
        view.begun();
        survival.begun();
    }

    /**
     * Runs until {@link #shutdown} has stopped everything, or {@link #reexecute} has to be carried
     * out.
     *
     * @return false if this process must exit now without closing anything, so that the keeper
     *     starts the next manager
     */
    public boolean run() {
        survival.forgetRest(
                fd -> parts.closer.close("an earlier manager", fd)); // not claimed until now
        parts.notify.forgetRest();
        if (survival.predecessor().stopping().isPresent()) {
            var _ = shutdown();
        }
        loop.run();
        if (handingOver) {
            survival.handOver();
        }
        return !handingOver;
    }

    /**
     * Hands everything over to a next manager, which runs the build that is newest by then. The
     * keeper starts it, and meanwhile is the parent of this manager's children, so that no exit is
     * lost.
     *
     * @return fails with an UnsupportedOperationException if there is no keeper, and with {@link
     *     JobRefusedException} if the manager is stopping
     */
    public CompletableFuture<Void> reexecute() {
        return onLoop(answer -> {
            if (!survival.isOn()) {
                throw new UnsupportedOperationException(
                        "no keeper: re-execution needs one to start the next manager");
            }
            if (jobs.isStopping()) {
                throw new JobRefusedException(
                        JobRefusedException.Reason.SHUTTING_DOWN, "the manager is stopping");
            }
            handingOver = true;
            answer.complete(null);
            loop.postEnding(loop::stop); // after the answer was sent
        });
    }

    /** Returns the manager as its D-Bus and Varlink interfaces see it. */
    public ManagerView view() {
        return view;
    }

    /** Returns the event loop, for sockets, timers and signals that belong to its thread. */
    public EventLoop loop() {
        return loop;
    }

    /**
     * Starts units with everything that they pull in, after the units that conflict with them have
     * stopped.
     *
     * @return how the job of each named unit ended
     */
    public CompletableFuture<Map<UnitName, JobResult>> start(Collection<UnitName> names) {
        return Jobs.results(request(JobType.START, names));
    }

    /** Stops units, and the units that require them. */
    public CompletableFuture<Map<UnitName, JobResult>> stop(Collection<UnitName> names) {
        return Jobs.results(request(JobType.STOP, names));
    }

    /** Restarts those of the units that run, and starts the others. */
    public CompletableFuture<Map<UnitName, JobResult>> restart(Collection<UnitName> names) {
        return Jobs.results(request(JobType.RESTART, names));
    }

    /**
     * Makes running units reload their configuration. The result is INVALID for units that cannot.
     */
    public CompletableFuture<Map<UnitName, JobResult>> reload(Collection<UnitName> names) {
        return Jobs.results(request(JobType.RELOAD, names));
    }

    /**
     * Requests a job for each of the units.
     *
     * @param type START, STOP, RESTART or RELOAD
     * @return how the jobs ended and why, when all of them have ended
     */
    public CompletableFuture<Map<UnitName, JobOutcome>> request(
            JobType type, Collection<UnitName> names) {
        return onLoop(answer -> jobs.each(names, type, answer));
    }

    /**
     * Returns those of the units that are up and whose files have changed on disk since they were
     * loaded.
     */
    public CompletableFuture<Set<UnitName>> outdated(Collection<UnitName> names) {
        return onLoop(answer -> forward(view.outdated(names), answer));
    }

    /**
     * Returns what the files on disk say about a unit now, beside its {@link #status}.
     *
     * @param user who asks
     */
    public CompletableFuture<UnitFileFacts> fileFacts(UnitName name, long user) {
        return onLoop(answer -> forward(view.fileFacts(name, user), answer));
    }

    /** Returns the IP packets of a unit's run, or of its last one. */
    public CompletableFuture<PacketCounts> packets(UnitName name) {
        return onLoop(answer -> answer.complete(view.usage(name).packets()));
    }

    private static <T> void forward(CompletableFuture<T> result, CompletableFuture<T> answer) {
        var _ =
                result.whenComplete((value, failure) -> {
                    if (failure == null) {
                        answer.complete(value);
                    } else {
                        answer.completeExceptionally(failure);
                    }
                });
    }

    /**
     * Reads the files of all loaded units again. A running unit uses its new files from its next
     * start.
     *
     * @return how many of the units have files
     */
    public CompletableFuture<Integer> reloadFiles() {
        return onLoop(answer -> {
            forward(view.reload(), answer);
        });
    }

    /**
     * Runs generators now, and again before each reload of the unit files. What fails is logged.
     * After a crash only those of environment variables run now: the units are there.
     *
     * @return completes when they have ended
     */
    public CompletableFuture<Void> generate(GeneratorFolders folders) {
        return onLoop(answer -> {
            view.reloading().use(folders);
            forward(view.reloading().generate(!survival.isAfterCrash()), answer);
        });
    }

    /**
     * Resets the failed state and the start counter of units.
     *
     * @param names the units; none for all units
     */
    public CompletableFuture<Void> resetFailed(Collection<UnitName> names) {
        return onLoop(answer -> {
            Collection<ManagedUnit> chosen =
                    names.isEmpty() ? units.all() : names.stream().map(units::get).toList();
            chosen.forEach(ManagedUnit::resetFailed);
            jobs.unused().look(chosen.stream().map(unit -> unit.unit().name()).toList());
            answer.complete(null);
        });
    }

    /**
     * Sends a signal to processes of a unit.
     *
     * @return false if the unit has no such processes
     */
    public CompletableFuture<Boolean> kill(UnitName name, Signal signal, KillWhom whom) {
        return onLoop(
                answer -> answer.complete(view.kill(name, signal, whom, OptionalInt.empty())));
    }

    /**
     * Returns the state of a unit, and reads its files if it is not loaded. The load state shows if
     * there is no such unit.
     */
    public CompletableFuture<UnitStatus> status(UnitName name) {
        return onLoop(answer -> {
            LoadedUnit node = units.node(name);
            if (node == null || !node.isFound()) {
                var _ =
                        view.read(name)
                                .whenComplete((read, failure) -> {
                                    if (read == null) {
                                        answer.completeExceptionally(failure);
                                    } else {
                                        answer.complete(read.status());
                                    }
                                });
            } else {
                withProcesses(node.unit(), answer);
            }
        });
    }

    /**
     * Returns the unit that a process belongs to, by cgroup or because a unit holds its pidfd. The
     * process is not closed.
     */
    public CompletableFuture<Optional<UnitStatus>> unitOf(PidFd process) {
        return onLoop(answer ->
                answer.complete(
                        parts.processes
                                .ownerOf(process)
                                .map(Workload::unit)
                                .map(units::find)
                                .map(ManagedUnit::status)));
    }

    /** Returns the state of every unit that was found, without its processes. */
    public CompletableFuture<List<UnitStatus>> list() {
        return onLoop(answer ->
                answer.complete(
                        units.nodes().stream()
                                .filter(LoadedUnit::isFound)
                                .map(node -> node.unit().status())
                                .toList()));
    }

    /** Returns what the manager has done, and what it holds now. */
    public CompletableFuture<ManagerMetrics> metrics() {
        return onLoop(answer ->
                answer.complete(
                        ManagerMetricsSnapshot.of(units, jobs, parts.counters, survival, loop)));
    }

    /** Returns the socket-specific state of every loaded socket. */
    public CompletableFuture<List<SocketStatus>> sockets() {
        return onLoop(answer -> answer.complete(units.details(SocketStatus.class)));
    }

    /** Returns the timer-specific state of every loaded timer. */
    public CompletableFuture<List<TimerStatus>> timers() {
        return onLoop(answer -> answer.complete(units.details(TimerStatus.class)));
    }

    /**
     * Sets the bus on which services of {@code Type=dbus} wait for their names; before that none of
     * them can be started.
     */
    public void busNames(BusNameWatcher names) {
        loop.post(() -> parts.events.busNames(names));
    }

    /**
     * Stops all units in order, kills the tracked processes that belong to no unit, and then stops
     * the event loop. Further starts are refused. A second call returns the result of the first.
     */
    public CompletableFuture<Map<UnitName, JobResult>> shutdown() {
        loop.postEnding(() -> parts.ending.begin(ManagerEnd.What.EXIT, OptionalInt.empty(), false));
        return shutDown.copy();
    }

    /**
     * Stops like {@link #shutdown}, and then restarts the container that this manager is the init
     * of. If another end was chosen before, this does not change it.
     */
    public void reboot() {
        loop.postEnding(
                () -> parts.ending.begin(ManagerEnd.What.REBOOT, OptionalInt.empty(), false));
    }

    private final class Stops implements Ending.Stops {
        @Override
        public void stopInOrder() {
            if (!jobs.isStopping()) {
                survival.stopping(parts.ending.end());
                jobs.shutdown(results ->
                        parts.orphans.end(() -> {
                            shutDown.complete(results);
                            jobs.end();
                            loop.stop();
                        }));
            }
        }

        @Override
        public void stopAtOnce() {
            survival.stopping(parts.ending.end());
            loop.stop(); // close() kills the remaining processes
        }
    }

    /**
     * Returns how the manager ends, if a unit or a client has chosen that ({@code
     * FailureAction=exit}). Valid after {@link #run} has returned.
     */
    public ManagerEnd end() {
        return parts.ending.end();
    }

    /** A task on the event loop that completes a future. */
    private interface Task<T extends @Nullable Object> {
        void run(CompletableFuture<T> answer);
    }

    private <T extends @Nullable Object> CompletableFuture<T> onLoop(Task<T> task) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.post(() -> {
            try {
                task.run(answer);
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    // ---- processes

    private void withProcesses(ManagedUnit unit, CompletableFuture<UnitStatus> answer) {
        UnitStatus status = unit.status();
        Optional<String> path = status.cgroup();
        if (path.isEmpty()) {
            answer.complete(status);
            return;
        }
        var _ =
                view.processes(status.name(), path.get())
                        .whenComplete((processes, _) ->
                                answer.complete(
                                        processes == null
                                                ? status
                                                : status.withProcesses(processes)));
    }

    /**
     * Kills the remaining processes, and removes the files of the manager. Call it after {@link
     * #run} has returned.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        parts.close();
        boolean ignored =
                shutDown.completeExceptionally(new IllegalStateException("the manager is closed"));
    }
}
