package io.holdfast.manager;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.log.Loudness;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.process.ProcessList;
import io.holdfast.manager.process.UnitProcess;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.InactiveUnit;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitCatalog;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import io.holdfast.manager.view.UnitView;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A manager as its faces see it, which live on its loop. Unless a method says otherwise it is
 * called on the loop, and futures complete there.
 */
public final class ManagerView {
    private final ManagerContext context;
    private final ManagerOptions options;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final Jobs jobs;
    private final TransientStarts transients;
    private final UnitListeners listeners;
    private final WhoIs whoIs;
    private final Workers readers;
    private final Set<Runnable> open = ConcurrentHashMap.newKeySet(); // each refuses its answer
    private final Loudness loudness;
    private final Ending ending;
    private final Supplier<CompletableFuture<Void>> reexecute;
    private final DualTimestamp opened = DualTimestamp.now();

    ManagerView(
            ManagerContext context,
            ManagerOptions options,
            UnitTable units,
            UnitCatalog catalog,
            Jobs jobs,
            TransientStarts transients,
            UnitListeners listeners,
            Loudness loudness,
            Ending ending,
            Supplier<CompletableFuture<Void>> reexecute) {
        this.context = context;
        this.options = options;
        this.units = units;
        this.catalog = catalog;
        this.jobs = jobs;
        this.transients = transients;
        this.listeners = listeners;
        this.readers = Workers.forReaders(context.loop(), context::warn);
        this.loudness = loudness;
        this.ending = ending;
        this.reexecute = reexecute;
        this.whoIs = new WhoIs(context.processes(), readers);
    }

    // ---- the manager; by any thread

    /** Whether it goes on with what a manager had that was killed. */
    public boolean isAfterCrash() {
        return context.survival().isAfterCrash();
    }

    /**
     * A listener of a face. Before the loop runs.
     *
     * @param listen makes one; not called if that of a manager that was killed is there
     */
    public UnixListener listener(UnixAddress address, Supplier<UnixListener> listen) {
        return context.survival().listener(address, listen);
    }

    /** The manager's loop. By any thread. */
    public EventLoop loop() {
        return context.loop();
    }

    /** For whom the manager works. By any thread. */
    public ManagerScope scope() {
        return context.scope();
    }

    /**
     * Where the files of units are, those that were given with the manager's options first. By any
     * thread.
     */
    public LoadPath loadPath() {
        return options.loadPath().withFirst(options.units());
    }

    /**
     * The path of the manager's own cgroup, in which its units' are; empty if there are none. By
     * any thread.
     */
    public Optional<String> cgroup() {
        return context.cgroups().map(cgroups -> cgroups.path().path());
    }

    /** When it was opened. By any thread. */
    public DualTimestamp opened() {
        return opened;
    }

    /** The least level of what is said. By any thread. */
    public ManagerListener.Level loudness() {
        return loudness.least();
    }

    /**
     * Says only what matters so much, from now on. By any thread.
     *
     * @param least INFO at first. What units write is passed on at any level
     */
    public void loudness(ManagerListener.Level least) {
        loudness.least(least);
    }

    /** Something to be said about the manager, in one line. On the loop. */
    public void warn(String text) {
        context.warn(text);
    }

    /**
     * Takes lines that say what was refused to a user. Anybody can cause them as often as he likes:
     * {@link ManagerLimits#REFUSAL_LINES} about a user are logged in each {@link
     * ManagerLimits#LINE_INTERVAL}, and how many more there were. By any thread.
     */
    public ObjLongConsumer<String> refusals() {
        Throttle lines =
                Complaints.on(
                        context.loop(), ManagerLimits.REFUSAL_LINES.intValue(), context::warn);
        return (text, uid) -> {
            try {
                context.loop().execute(() -> lines.log(uid, text));
            } catch (RejectedExecutionException e) {
                // not one line more
            }
        };
    }

    /**
     * Does what may block elsewhere. By any thread; the future completes on the loop. When the
     * manager ends, what is still open fails, on the thread that ends it; what comes later fails at
     * once.
     */
    public <T> CompletableFuture<T> work(Callable<T> work) {
        return work(readers.ownLane("a question"), work);
    }

    /**
     * The same of something that could hang in the kernel: questions about the same thing are
     * answered one after the other, by one thread.
     *
     * @param about for messages, such as {@code the processes of web.service}
     */
    public <T> CompletableFuture<T> work(String about, Callable<T> work) {
        return work(readers.lane(about), work);
    }

    /**
     * The processes of a unit's cgroup. Questions about the same unit are answered one after the
     * other: to read a command line can take as long as its process likes. By any thread.
     *
     * @param cgroup its path
     */
    public CompletableFuture<List<UnitProcess>> processes(String unit, String cgroup) {
        return work("the processes of " + unit, () -> ProcessList.of(cgroup));
    }

    private <T> CompletableFuture<T> work(Lane lane, Callable<T> work) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Runnable refusal = () -> answer.completeExceptionally(stopped());
        open.add(refusal);
        var _ = answer.whenComplete((_, _) -> open.remove(refusal));
        try {
            Work<T> _ =
                    lane.work("to find the answer", work)
                            .within(ManagerLimits.QUESTION_PATIENCE.duration())
                            .begin((value, failure) -> {
                                if (failure == null && value != null) {
                                    answer.complete(value);
                                } else {
                                    answer.completeExceptionally(Jobs.orUnknown(failure));
                                }
                            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    private static IllegalStateException stopped() {
        return new IllegalStateException("the manager has stopped");
    }

    /** Lets what was begun come to its end. No loop tells of it any more. */
    void close() {
        readers.close();
        open.forEach(Runnable::run);
    }

    // ---- units

    /** Told from now on. */
    public AutoCloseable listen(UnitListener listener) {
        return listeners.add(listener);
    }

    /**
     * Units that are held stay loaded.
     *
     * @param holder tells whether somebody holds a unit; who does not any more says so ({@link
     *     #letGo})
     */
    public AutoCloseable hold(Predicate<UnitName> holder) {
        return jobs.unused().heldBy(holder);
    }

    /** These are not held any more. */
    public void letGo(Collection<UnitName> names) {
        jobs.unused().look(names);
    }

    /** Whether all units are being stopped: no job but a stop is granted any more. */
    public boolean isStopping() {
        return jobs.isStopping();
    }

    /** All that are loaded, without their processes. */
    public List<UnitView> units() {
        return units.all().stream().map(this::view).toList();
    }

    /** Their names alone. */
    public List<UnitName> names() {
        return units.all().stream().map(unit -> unit.unit().name()).toList();
    }

    /** One that is loaded, by any of its names. */
    public Optional<UnitView> unit(UnitName name) {
        return Optional.ofNullable(units.find(name)).map(this::view);
    }

    /** One that is loaded, or as it would be; its load state tells if there is none. */
    public CompletableFuture<UnitView> read(UnitName name) {
        Optional<UnitView> known = unit(name);
        return known.isPresent()
                ? CompletableFuture.completedFuture(known.get())
                : work(() -> catalog.read(name)).thenApply(this::unloaded);
    }

    /**
     * The same, and from then on it is loaded, for as long as somebody holds it.
     *
     * @return fails with {@link JobRefusedException} if there is none
     */
    public CompletableFuture<UnitView> load(UnitName name) {
        Optional<UnitView> known = unit(name);
        return known.isPresent()
                ? CompletableFuture.completedFuture(known.get())
                : work(() -> catalog.read(name)).thenApply(this::taken);
    }

    private UnitView taken(Unit read) {
        units.take(read);
        return unit(read.name())
                .orElseThrow(() -> LoadedUnit.notFound(read.name(), Optional.of(read)));
    }

    /** The same of several, in their order; the files of all are read at once. */
    public CompletableFuture<List<UnitView>> readAll(List<UnitName> names) {
        Map<UnitName, UnitView> views = new HashMap<>();
        Set<UnitName> others = new LinkedHashSet<>();
        for (UnitName name : names) {
            unit(name).ifPresentOrElse(view -> views.put(name, view), () -> others.add(name));
        }
        List<UnitName> unknown = List.copyOf(others);
        return work(() -> catalog.readAll(unknown))
                .thenApply(read -> {
                    for (int i = 0; i < unknown.size(); i++) {
                        views.put(unknown.get(i), unloaded(read.get(i)));
                    }
                    return names.stream().map(views::get).map(Objects::requireNonNull).toList();
                });
    }

    private UnitView unloaded(Unit unit) {
        UnitStatus rest = new InactiveUnit(unit).status().withFailure(units.reasonOf(unit.name()));
        UnitStatus status =
                context.logs()
                        .ofUnloaded(unit.name())
                        .map(log ->
                                rest.withLog(
                                        log.last(ManagerLimits.LOG_LINES.intValue()),
                                        log.onlyWriter()))
                        .orElse(rest);
        return new UnitView(
                unit,
                unit,
                unit,
                status,
                UnitTimes.NEVER,
                UnitChecks.NEVER,
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty());
    }

    private UnitView view(ManagedUnit unit) {
        return new UnitView(
                unit.meant(),
                unit.unit(),
                unit.newest(),
                unit.status(),
                unit.times(),
                unit.checks(),
                job(unit),
                unit.isPerpetual(),
                unit.service(),
                unit.socket());
    }

    private Optional<UnitJob> job(ManagedUnit unit) {
        LoadedUnit node = units.node(unit.unit().name());
        return node == null ? Optional.empty() : jobs.engine().of(node);
    }

    /** Whether the files of a unit are others than those that were read. Blocking. */
    public boolean isOutdated(UnitView view) {
        return catalog.differs(view.newest().source());
    }

    /** Those that are loaded and have such a dependency on a unit. */
    public List<UnitName> dependants(Dependency kind, UnitName on) {
        LoadedUnit unit = units.node(on);
        return unit == null
                ? List.of()
                : units.dependants(kind, unit).stream().map(LoadedUnit::name).toList();
    }

    /** Those that start it, or as an instance serve a connection of theirs with it. */
    public List<UnitName> triggeredBy(Unit unit) {
        LoadedUnit node = units.node(unit.name());
        Stream<UnitName> triggering =
                node == null ? Stream.empty() : node.triggeredBy().stream().map(LoadedUnit::name);
        Stream<UnitName> served = context.events().activation().socketServedBy(unit).stream();
        return Stream.concat(triggering, served).distinct().toList();
    }

    /** The unit that has a cgroup, or else the nearest one around it. */
    public Optional<UnitName> ofCgroup(CgroupPath cgroup) {
        CgroupPath place = cgroup;
        while (true) {
            Optional<UnitName> unit = unitAt(place);
            if (unit.isPresent() || place.isRoot()) {
                return unit;
            }
            place = place.parent();
        }
    }

    private Optional<UnitName> unitAt(CgroupPath place) {
        Optional<UnitName> run = context.processes().named(place).map(Workload::unit);
        return run.isPresent() ? run : sliceAt(place);
    }

    private Optional<UnitName> sliceAt(CgroupPath place) {
        if (cgroup().equals(Optional.of(place.path()))) {
            return Optional.of(CgroupSettings.ROOT_SLICE);
        }
        return place.isRoot()
                ? Optional.empty()
                : slice(CgroupPath.unescape(place.components().getLast()), place);
    }

    private Optional<UnitName> slice(String text, CgroupPath place) {
        return UnitName.parse(text)
                .filter(name -> name.type() == UnitType.SLICE)
                .flatMap(this::unit)
                .filter(slice -> slice.status().cgroup().equals(Optional.of(place.path())))
                .map(slice -> slice.unit().name());
    }

    /** The one that had this invocation last, 32 hexadecimal digits. */
    public Optional<UnitName> ofInvocation(String id) {
        return units.all().stream()
                .filter(unit -> unit.status().invocationId().equals(id))
                .map(unit -> unit.unit().name())
                .findFirst();
    }

    /**
     * Reads all units that have files or are an alias, by any thread.
     *
     * @param summary run by a worker; what it returns is all that stays in memory
     */
    public <T> CompletableFuture<T> installed(Function<Map<UnitName, Unit>, T> summary) {
        return work(() -> summary.apply(catalog.installed()));
    }

    /**
     * Lets the next manager take over everything ({@link Manager#reexecute}): faces lose their
     * clients by it.
     */
    public CompletableFuture<Void> reexecute() {
        return reexecute.get();
    }

    /** Whether a container can be ended with the manager. */
    public boolean isContainerInit() {
        return ending.isOfContainer();
    }

    /** The exit status that was chosen for the manager; 0 if none was. */
    public int exitStatus() {
        return ending.end().status().orElse(0);
    }

    /** Chooses the exit status of the manager, for when it ends. */
    public void setExitStatus(int status) {
        ending.setStatus(status);
    }

    /** Ends the manager at once: units are killed, not stopped. */
    public void end(ManagerEnd.What what) {
        ending.begin(what, OptionalInt.empty(), true);
    }

    /**
     * Reads the files of all that are loaded again. What runs takes it up at its next start.
     *
     * @return how many of them have files
     */
    public CompletableFuture<Integer> reload() {
        List<UnitName> names = names();
        catalog.forget();
        return work(() -> catalog.readAll(names))
                .thenApply(read -> {
                    read.forEach(units::take);
                    jobs.unused().look(names);
                    return (int)
                            read.stream().filter(unit -> !unit.source().files().isEmpty()).count();
                });
    }

    /** How often the folders of unit files were looked through; by any thread. */
    long folderScans() {
        return catalog.scans();
    }

    /** Forgets that it has failed; nothing happens to one that is not loaded. */
    public boolean resetFailed(UnitName name) {
        ManagedUnit unit = units.find(name);
        if (unit != null) {
            unit.resetFailed();
            jobs.unused().look(List.of(name));
        }
        return unit != null;
    }

    /**
     * Signals its processes.
     *
     * @param value sent with it, as sigqueue(3) does
     * @return whether there were such processes
     */
    public boolean kill(UnitName name, Signal signal, KillWhom whom, OptionalInt value) {
        ManagedUnit unit = units.find(name);
        return unit != null && unit.kill(signal, whom, value);
    }

    // ---- jobs

    /** How many there have been. */
    public long jobsEver() {
        return jobs.granted();
    }

    /** A copy of those that wait or run now, in the order of their ids. */
    public Collection<UnitJob> jobs() {
        return jobs.engine().all();
    }

    /** The job of this id; empty if there was none, or it has ended. */
    public Optional<UnitJob> job(long id) {
        return jobs.engine().find(id);
    }

    /** The jobs that wait for this one. */
    public List<UnitJob> jobsAfter(long id) {
        return jobs.engine().waitingFor(id);
    }

    /** The jobs that this one waits for. */
    public List<UnitJob> jobsBefore(long id) {
        return jobs.engine().awaitedBy(id);
    }

    /** Ends a job; what it has begun goes on in its unit. False if there is no such job. */
    public boolean cancelJob(long id) {
        return jobs.cancel(id);
    }

    /** Ends all jobs. */
    public void cancelJobs() {
        jobs.cancelAll();
    }

    /**
     * Asks for a job.
     *
     * @param answer completed when the job is there and before it begins, or failed with {@link
     *     JobRefusedException}
     */
    public void enqueue(
            UnitName name, JobType type, JobMode mode, CompletableFuture<UnitJob> answer) {
        try {
            jobs.enqueue(name, type, mode, answer);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /**
     * Makes a scope, and asks for its start.
     *
     * @param text of its unit file
     * @param processes that it adopts; owned from now on
     * @param answer as of {@link #enqueue}
     */
    public void startScope(
            UnitName name,
            String text,
            List<PidFd> processes,
            JobMode mode,
            CompletableFuture<UnitJob> answer) {
        transients.scope(name, text, processes, mode, answer);
    }

    /** Leaves the processes of a scope to themselves; false if it does not run. */
    public boolean releaseScope(UnitName name) {
        ManagedUnit unit = units.find(name);
        return unit != null && unit.release();
    }

    // ---- processes; by any thread

    /**
     * The process that a descriptor means: a pidfd, or a connected AF_UNIX socket, whose peer is
     * meant. The caller closes it.
     *
     * @param received owned from now on
     * @throws io.holdfast.core.ErrnoException EBADF if it is something else, ESRCH if the peer is
     *     not held (it was reaped before, or the kernel is older than 6.5)
     */
    public static PidFd processOf(Fd received) {
        return WhoIs.processOf(received);
    }

    /**
     * Whose the process is, which is lent until the answer is there: at once if it is in a unit's
     * own cgroup. Fails with ErrnoException ESRCH if it is reaped. By any thread.
     */
    public CompletionStage<WorkloadIdentity> whoIs(PidFd process) {
        return whoIs.ask(process);
    }

    /**
     * The run of a unit that a process is of, and no more: else as {@link #whoIs} tells it. Empty
     * if it is of none. By any thread.
     */
    public CompletionStage<Optional<Workload>> workloadOf(PidFd process) {
        return whoIs.workloadOf(process);
    }
}
