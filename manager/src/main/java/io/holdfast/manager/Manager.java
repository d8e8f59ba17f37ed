package io.holdfast.manager;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.FdCloser;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.file.LockFile;
import io.holdfast.core.file.TrustedFolder;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.state.StateFolder;
import io.holdfast.core.sys.process.SysPrctl;
import io.holdfast.manager.exec.DynamicUids;
import io.holdfast.manager.exec.Inaccessible;
import io.holdfast.manager.exec.Leftovers;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.Loudness;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.log.UnitLogs;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.notify.NotifySocket;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.process.KeeperOrphans;
import io.holdfast.manager.process.Orphans;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.BusNames;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TransientFiles;
import io.holdfast.manager.runtime.UnitCatalog;
import io.holdfast.manager.runtime.UnitKinds;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.scope.ScopeKind;
import io.holdfast.manager.service.Service;
import io.holdfast.manager.service.ServiceKind;
import io.holdfast.manager.slice.SliceKind;
import io.holdfast.manager.socket.ManagedSocket;
import io.holdfast.manager.socket.SocketKind;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.target.TargetKind;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.Host;
import io.holdfast.manager.view.SocketStatus;
import io.holdfast.manager.view.UnitStatus;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A service manager: loads units, starts and stops them in order, and knows their processes by
 * pidfd and cgroup.
 *
 * <p>All state belongs to the thread that runs {@link #run}; every other method may be called by
 * any thread and answers with a future. Several managers may live in one JVM and on one machine,
 * each with a runtime folder and a slice of its own.
 *
 * <p>As root every service is born in a cgroup of its own, and what loses its parent there comes to
 * the manager, its subreaper. Where there can be no cgroups (a plain user without a delegated one)
 * a manager that {@linkplain ManagerOptions#ownsProcess owns its process} tracks the main process,
 * the one beside it, their groups and all orphans that still have the variables of their unit, and
 * ends the others when it ends itself; one that does not tracks no orphans. {@link
 * #lostWithoutCgroups} says what is lost.
 */
public final class Manager implements AutoCloseable {
    private static final String LOCK = "lock";

    private final EventLoop loop = EventLoop.open();
    private final Workers workers;
    private final FdCloser<String> closer = new FdCloser<>("holdfast-close");
    private final ManagerOptions options;
    private final UnitCatalog catalog;
    private final Optional<UnitCgroups> cgroups;
    private final Optional<String> cgroupRefusal;
    private final UnitTable units;
    private final ProcessIndex processes = new ProcessIndex();
    private final Ending ending;
    private final Jobs jobs;
    private final TransientFiles made;
    private final TransientStarts transients;
    private final SocketActivation activation;
    private final ManagerView view;
    private final NotifyRouter messages;
    private final NotifySocket notify;
    private final Orphans orphans;
    private final DynamicUids uids;
    private final Survival survival;
    private final UnitLogs logs;
    private final ManagerCounters counters = new ManagerCounters();
    private final boolean isAfterCrash;
    private final Registration childSignal;
    private final TrustedFolder folder;
    private final LockFile lock;
    private final CompletableFuture<Map<UnitName, JobResult>> shutDown = new CompletableFuture<>();
    private Optional<BusNames> busNames = Optional.empty(); // of the loop
    private final List<Consumer<BusNames>> awaitingBus = new ArrayList<>(); // of the loop
    private boolean handingOver; // of the loop
    private boolean closed;

    private Manager(
            ManagerOptions options,
            ManagerListener listener,
            TrustedFolder folder,
            LockFile lock,
            Optional<UnitCgroups> cgroups,
            Optional<String> cgroupRefusal,
            Survival survival) {
        this.options = options;
        this.folder = folder;
        this.lock = lock;
        this.cgroups = cgroups;
        this.cgroupRefusal = cgroupRefusal;
        this.survival = survival;
        Host host = Host.read();
        Loudness loudness = new Loudness(listener);
        workers = new Workers(loop, text -> loudness.event(ManagerListener.Level.WARNING, text));
        made = new TransientFiles(options.runtimeDirectory());
        if (!survival.isAfterCrash()) {
            made.clear();
        }
        catalog =
                new UnitCatalog(
                        options.loadPath(),
                        options.units(),
                        new UnitReader(host, options.scope()),
                        made);
        uids = new DynamicUids(Path.of(options.scope().runtimeDirectory()));
        logs = new UnitLogs(loudness, survival, counters);
        UnitListeners listeners = new UnitListeners();
        ManagerContext context =
                new ManagerContext(
                        loop,
                        workers,
                        closer,
                        options.scope(),
                        host,
                        cgroups,
                        processes,
                        Path.of(notifySocket(options)),
                        uids,
                        loudness,
                        logs,
                        survival,
                        counters,
                        new UnitEvents(new Parts(), listeners));
        units =
                new UnitTable(
                        context,
                        new UnitKinds(
                                List.of(
                                        new ServiceKind(),
                                        new SocketKind(),
                                        new TargetKind(),
                                        new SliceKind(),
                                        new ScopeKind())));
        ending =
                new Ending(
                        options.isContainerInit(), survival.predecessor().stopping(), new Stops());
        jobs = new Jobs(context, units, catalog, listeners, ending);
        transients = new TransientStarts(context, units, catalog, made, jobs);
        activation = new SocketActivation(context, units, catalog, jobs);
        view =
                new ManagerView(
                        context,
                        options,
                        units,
                        catalog,
                        jobs,
                        transients,
                        listeners,
                        loudness,
                        ending,
                        this::reexecute);
        messages =
                new NotifyRouter(
                        loop,
                        closer,
                        context::warn,
                        cgroups.isPresent(),
                        processes,
                        counters,
                        this::service);
        notify =
                new NotifySocket(
                        context.notifySocket(),
                        loop,
                        closer,
                        messages,
                        survival,
                        counters,
                        context::warn);
        boolean tracked = cgroups.isEmpty() && options.ownsProcess();
        if (cgroups.isPresent() || tracked) { // else nobody could tell orphans from children
            ErrnoException.check(
                    SysPrctl.setChildSubreaper(true), "prctl(PR_SET_CHILD_SUBREAPER)", "");
        }
        orphans =
                new Orphans(
                        loop,
                        workers.ownLane("orphans"),
                        this::isOurs,
                        tracked,
                        processes,
                        this::adopt,
                        context::warn);
        childSignal = loop.onSignal(Signal.CHLD, orphans::look);
        Recovery recovery = new Recovery(context, units, catalog, made, jobs);
        survival.begin(loop, recovery::record);
        isAfterCrash = survival.isAfterCrash();
        if (isAfterCrash) {
            survival.adopted(recovery.run());
            context.notice(told(survival.predecessor()));
            new KeeperOrphans(
                            loop,
                            workers.ownLane("orphans of the keeper"),
                            processes,
                            () -> survival.whenWritten(survival::reap))
                    .begin();
        }
        removeLeftovers(context);
    }

    private static String told(Predecessor before) {
        String ended = before.handedOver() ? "has handed over" : "ended";
        return "the manager before this one "
                + before.how().map(Manager::told).orElse(ended)
                + ": adopted "
                + (before.adopted() == 1 ? "one unit" : before.adopted() + " units");
    }

    private static String told(Exit how) {
        String text = ExitText.of(how);
        return how instanceof Exit.Killed ? "was " + text : text;
    }

    private Optional<Service> service(UnitName name) {
        return units.find(name) instanceof Service service
                ? Optional.of(service)
                : Optional.empty();
    }

    private boolean adopt(Workload run, PidFd orphan) {
        return service(run.unit())
                .map(service -> service.adopt(orphan, run.invocationId()))
                .orElse(false);
    }

    private static void removeLeftovers(ManagerContext context) {
        Consumer<String> warnings = text -> context.loop().postEnding(() -> context.warn(text));
        Work<Integer> _ =
                context.workers()
                        .ownLane("leftovers")
                        .work("to remove leftovers", () -> Leftovers.remove(warnings))
                        .begin((count, failure) -> {
                            if (count == null) {
                                context.warn("cannot look for leftovers: " + failure);
                            } else if (count > 0) {
                                context.notice(
                                        "removed %d temporary folders that a killed manager left"
                                                .formatted(count));
                            }
                        });
    }

    private static String notifySocket(ManagerOptions options) {
        return options.runtimeDirectory().resolve("notify").toString();
    }

    private final class Parts implements UnitEvents.Parts {
        @Override
        public Jobs jobs() {
            return jobs;
        }

        @Override
        public TransientStarts transients() {
            return transients;
        }

        @Override
        public SocketActivation activation() {
            return activation;
        }

        @Override
        public Orphans orphans() {
            return orphans;
        }

        @Override
        public NotifyRouter messages() {
            return messages;
        }

        @Override
        public Optional<BusNames> busNames() {
            return busNames;
        }

        @Override
        public void whenBusIsKnown(Consumer<BusNames> told) {
            if (busNames.isPresent()) {
                told.accept(busNames.get());
            } else {
                awaitingBus.add(told);
            }
        }

        @Override
        public Survival survival() {
            return survival;
        }
    }

    /**
     * A manager that nobody runs yet. Makes its runtime folder, its slice and its notify socket.
     *
     * @throws IllegalArgumentException if the path of the runtime folder is too long
     * @throws ErrnoException EBUSY if another manager lives in the same runtime folder or slice;
     *     EPERM or ELOOP if other users could change what is in the runtime folder ({@link
     *     TrustedFolder}); others if it cannot be made
     */
    public static Manager open(ManagerOptions options, ManagerListener listener) {
        return open(options, listener, Optional.empty());
    }

    /**
     * The same for a process that a keeper has started: what a manager before this one has left is
     * adopted.
     *
     * @param keeper lent
     */
    public static Manager open(
            ManagerOptions options, ManagerListener listener, Optional<Keeper> keeper) {
        options.checkRuntimeDirectory();
        TrustedFolder folder = TrustedFolder.make(options.runtimeDirectory());
        LockFile lock = null;
        UnitCgroups cgroups = null;
        String refusal = null;
        StateFolder states = null;
        Survival survival = Survival.none();
        try {
            lock = lock(folder);
            if (keeper.isPresent()) {
                states = StateFolder.open(folder);
                survival =
                        new Survival(
                                keeper.get(),
                                states,
                                text -> listener.event(ManagerListener.Level.WARNING, text));
                LockSupport.parkNanos(survival.predecessor().pause().toNanos());
            }
            try {
                cgroups = UnitCgroups.open(options.slice(), survival.isAfterCrash());
            } catch (ErrnoException e) {
                if (e.errno() == Errno.EBUSY) {
                    throw e;
                }
                refusal = e.getMessage();
            }
            return new Manager(
                    options,
                    listener,
                    folder,
                    lock,
                    Optional.ofNullable(cgroups),
                    Optional.ofNullable(refusal),
                    survival);
        } catch (RuntimeException e) {
            if (cgroups != null) {
                cgroups.close();
            }
            if (lock != null) {
                lock.close();
            }
            folder.close();
            throw e;
        }
    }

    private static LockFile lock(TrustedFolder folder) {
        return LockFile.tryTake(folder.fd(), LOCK)
                .orElseThrow(() ->
                        new ErrnoException(
                                "lock",
                                "runtime folder " + folder,
                                Errno.EBUSY,
                                "another manager runs there; choose another folder"));
    }

    /** The limits of managers, which properties of the JVM set. */
    public static List<Limit> limits() {
        return ManagerLimits.all();
    }

    /** Why there are no cgroups for the units, and so what is lost; empty if there are. */
    public Optional<String> lostWithoutCgroups() {
        String lost =
                options.ownsProcess()
                        ? "): processes that drop INVOCATION_ID from their environment and then"
                                + " lose their parent are not tracked, and end only with the manager"
                        : "): processes that leave their process group are not tracked";
        return cgroupRefusal.map(reason -> "no cgroups for services (" + reason + lost);
    }

    /** The cgroup that the units are below; empty where there are no cgroups for them. */
    public Optional<CgroupPath> slice() {
        return cgroups.map(UnitCgroups::path);
    }

    /** Whether it goes on with what a manager had that was killed. */
    public boolean isAfterCrash() {
        return isAfterCrash;
    }

    /** The managers before this one, and what was adopted from the last. By any thread. */
    public Predecessor predecessor() {
        return survival.predecessor();
    }

    /** Whether a manager that was killed has done already what this one is started for. */
    public boolean hasBegun() {
        return survival.predecessor().begun();
    }

    /** What it was started for is done: a manager after it is not to do it again. */
    public void begun() {
        loop.post(survival::begun);
    }

    /**
     * Runs until {@link #shutdown} has stopped everything, or {@link #reexecute} is to be carried
     * out.
     *
     * @return false if this process is to end now, without anything being closed, so that the
     *     keeper starts the next manager
     */
    public boolean run() {
        survival.forgetRest(fd -> closer.close("an earlier manager", fd)); // all faces are there
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
     * Lets the next manager, of whatever build is the newest by then, go on with everything. Its
     * keeper starts it, and has the children of this one meanwhile, whose exits are not lost.
     *
     * @return fails with an IllegalStateException if there is no keeper, or all is being stopped
     */
    public CompletableFuture<Void> reexecute() {
        return onLoop(answer -> {
            if (!survival.isOn()) {
                throw new IllegalStateException(
                        "the manager runs without a keeper, and so nobody would start the next one");
            }
            if (jobs.isStopping()) {
                throw new IllegalStateException("the manager is stopping");
            }
            handingOver = true;
            answer.complete(null);
            loop.postEnding(loop::stop); // behind the answer
        });
    }

    /** What faces see of it. */
    public ManagerView view() {
        return view;
    }

    /** The loop, for other things that belong to its thread: sockets, timers, signals. */
    public EventLoop loop() {
        return loop;
    }

    /**
     * Starts units with all that they pull in, when what conflicts with them has stopped.
     *
     * @return how the job of each named unit ended
     */
    public CompletableFuture<Map<UnitName, JobResult>> start(Collection<UnitName> names) {
        return onLoop(answer -> jobs.start(names, answer));
    }

    /** Stops units, and those that cannot be without them. */
    public CompletableFuture<Map<UnitName, JobResult>> stop(Collection<UnitName> names) {
        return onLoop(answer -> jobs.stop(names, answer));
    }

    /** Stops what runs of these, and starts all of them. */
    public CompletableFuture<Map<UnitName, JobResult>> restart(Collection<UnitName> names) {
        return onLoop(answer -> jobs.restart(names, answer));
    }

    /** Makes running units take up their configuration again: INVALID of those that cannot. */
    public CompletableFuture<Map<UnitName, JobResult>> reload(Collection<UnitName> names) {
        return onLoop(answer -> jobs.reload(names, answer));
    }

    /**
     * Reads the files of all units that are loaded again. What runs takes it up at its next start.
     *
     * @return how many of them have files
     */
    public CompletableFuture<Integer> reloadFiles() {
        return onLoop(answer -> {
            var _ =
                    view.reload()
                            .whenComplete((count, failure) -> {
                                if (count == null) {
                                    answer.completeExceptionally(failure);
                                } else {
                                    answer.complete(count);
                                }
                            });
        });
    }

    /**
     * Forgets of units that they have failed, and how often they were started.
     *
     * @param names none for all units
     */
    public CompletableFuture<Void> resetFailed(Collection<UnitName> names) {
        return onLoop(answer -> {
            Collection<ManagedUnit> meant =
                    names.isEmpty() ? units.all() : names.stream().map(units::get).toList();
            meant.forEach(ManagedUnit::resetFailed);
            jobs.unused().look(meant.stream().map(unit -> unit.unit().name()).toList());
            answer.complete(null);
        });
    }

    /**
     * Signals the processes of a unit.
     *
     * @param all its whole cgroup, or the main process and what runs beside it
     * @return false if it has none
     */
    public CompletableFuture<Boolean> kill(UnitName name, Signal signal, boolean all) {
        return onLoop(answer -> {
            ManagedUnit unit = units.find(name);
            answer.complete(unit != null && unit.kill(signal, all));
        });
    }

    /** The state of a unit, loaded if need be; its load state tells if there is no such unit. */
    public CompletableFuture<UnitStatus> status(UnitName name) {
        return onLoop(answer -> {
            ManagedUnit unit = units.find(name);
            if (unit == null) {
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
                withProcesses(unit, answer);
            }
        });
    }

    /** The unit that a process belongs to, by its cgroup or by being held; the process is lent. */
    public CompletableFuture<Optional<UnitStatus>> unitOf(PidFd process) {
        return onLoop(answer ->
                answer.complete(
                        processes
                                .ownerOf(process)
                                .map(Workload::unit)
                                .map(units::find)
                                .map(ManagedUnit::status)));
    }

    /** The state of every unit that is loaded, without its processes. */
    public CompletableFuture<List<UnitStatus>> list() {
        return onLoop(
                answer -> answer.complete(units.all().stream().map(ManagedUnit::status).toList()));
    }

    /** What the manager has done, and what it holds at this moment. */
    public CompletableFuture<ManagerMetrics> metrics() {
        return onLoop(answer ->
                answer.complete(MetricsSnapshot.of(units, jobs, counters, survival, loop)));
    }

    /** What every socket that is loaded has besides its status. */
    public CompletableFuture<List<SocketStatus>> sockets() {
        return onLoop(answer ->
                answer.complete(
                        units.of(ManagedSocket.class).map(ManagedSocket::socketStatus).toList()));
    }

    /**
     * Says where services of {@code Type=dbus} find out that their name is owned; before that none
     * can be started.
     */
    public void busNames(BusNames names) {
        loop.post(() -> {
            busNames = Optional.of(names);
            List<Consumer<BusNames>> waiting = List.copyOf(awaitingBus);
            awaitingBus.clear();
            waiting.forEach(told -> told.accept(names));
        });
    }

    /**
     * Stops all units in order, ends what is tracked and of none, and then stops the loop. Further
     * starts are refused. A second call gets the answer of the first.
     */
    public CompletableFuture<Map<UnitName, JobResult>> shutdown() {
        loop.postEnding(() -> ending.begin(ManagerEnd.What.EXIT, OptionalInt.empty(), false));
        return shutDown.copy();
    }

    /**
     * The same, and then restarts the container that this manager is the init of. Without effect on
     * how it ends if that is decided already.
     */
    public void reboot() {
        loop.postEnding(() -> ending.begin(ManagerEnd.What.REBOOT, OptionalInt.empty(), false));
    }

    private final class Stops implements Ending.Stops {
        @Override
        public void stopInOrder() {
            if (!jobs.isStopping()) {
                survival.stopping(ending.end());
                jobs.shutdown(results ->
                        orphans.end(() -> {
                            shutDown.complete(results);
                            jobs.end();
                            loop.stop();
                        }));
            }
        }

        @Override
        public void stopAtOnce() {
            survival.stopping(ending.end());
            loop.stop(); // close kills what is left
        }
    }

    /**
     * How it ends, where a unit or a client has chosen that ({@code FailureAction=exit}). After
     * {@link #run} has returned.
     */
    public ManagerEnd end() {
        return ending.end();
    }

    /** What is done on the loop, and answers. */
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

    /** Whether an exited orphan is of our units, so far as can be told. */
    private boolean isOurs(PidFd process) {
        if (options.ownsProcess()) {
            return true;
        }
        if (cgroups.isEmpty()) {
            return false;
        }
        try {
            String path = process.proc().cgroup();
            return path.startsWith(cgroups.get().path().path() + "/");
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** After {@link #run} has returned: kills what is left, and removes what was made. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        childSignal.cancel();
        units.all().forEach(ManagedUnit::abandon);
        activation.abandon();
        survival.end();
        logs.close();
        notify.close();
        messages.close();
        view.close();
        workers.close();
        closer.close();
        cgroups.ifPresent(UnitCgroups::close);
        orphans.close();
        loop.close();
        boolean ignored =
                shutDown.completeExceptionally(new IllegalStateException("the manager is closed"));
        Inaccessible.beside(notifySocket(options), options.scope()).remove();
        uids.removeFolder();
        made.clear();
        lock.close();
        folder.close();
    }
}
