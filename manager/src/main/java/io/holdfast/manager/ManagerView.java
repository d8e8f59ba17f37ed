package io.holdfast.manager;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.log.LogLevelFilter;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.process.ProcessList;
import io.holdfast.manager.process.UnitProcess;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.reaction.Ending;
import io.holdfast.manager.reaction.StateChanges;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.request.TransientStarts;
import io.holdfast.manager.request.TransientUnit;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.runtime.InactiveUnit;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitFileFacts;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import io.holdfast.manager.view.UnitView;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
import java.util.concurrent.RejectedExecutionException;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A manager as its D-Bus and Varlink interfaces see it, which run on its event loop. Unless a
 * method says otherwise, it is called on the loop, and futures complete there.
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
    private final ReplyWork work;
    private final Reloading reloading;
    private final UnitFiles files;
    private final CgroupMembers cgroups;
    private final UnitJobs unitJobs;
    private final LogLevelFilter logLevel;
    private final Ending ending;
    private final Supplier<CompletableFuture<Void>> reexecute;
    private final Map<UnitName, ResourceUsage> usages = new HashMap<>(); // of this turn
    private final DualTimestamp opened = DualTimestamp.now();
    private DualTimestamp begun = opened;

    ManagerView(
            ManagerContext context,
            ManagerOptions options,
            UnitTable units,
            UnitCatalog catalog,
            Jobs jobs,
            StateChanges changes,
            TransientStarts transients,
            UnitListeners listeners,
            LogLevelFilter logLevel,
            Ending ending,
            Supplier<CompletableFuture<Void>> reexecute) {
        this.context = context;
        this.options = options;
        this.units = units;
        this.catalog = catalog;
        this.jobs = jobs;
        this.transients = transients;
        this.listeners = listeners;
        this.work = new ReplyWork(context);
        this.reloading = new Reloading(context, units, catalog, jobs, changes, logLevel, work);
        this.files = new UnitFiles(context, loadPath(), units, catalog, transients, changes, work);
        this.cgroups = new CgroupMembers(context, units, work);
        this.unitJobs = new UnitJobs(jobs, units);
        this.logLevel = logLevel;
        this.ending = ending;
        this.reexecute = reexecute;
        this.whoIs = new WhoIs(context.processes(), work.workers());
    }

    // ---- the manager; callable from any thread

    /** Returns whether this manager has taken over from a manager that was killed. */
    public boolean isAfterCrash() {
        return context.survival().isAfterCrash();
    }

    /**
     * Returns a listener of an interface. Call it before the loop runs.
     *
     * @param listen makes a listener; not called if the listener of a killed manager was kept
     */
    public UnixListener listener(UnixAddress address, Supplier<UnixListener> listen) {
        return context.survival().listener(address, listen);
    }

    /** Returns the manager's event loop. Callable from any thread. */
    public EventLoop loop() {
        return context.loop();
    }

    /** Returns whether the manager works for the system or for a user. Callable from any thread. */
    public ManagerScope scope() {
        return context.scope();
    }

    /**
     * Returns the folders of unit files, those of the manager's options first. Callable from any
     * thread.
     */
    public LoadPath loadPath() {
        return options.loadPath().withFirst(options.units());
    }

    /** Returns what the configuration sets for all units. Callable from any thread. */
    public ManagerDefaults defaults() {
        return context.configuration().get();
    }

    /** Returns the environment that the units inherit, in a new map. Callable from any thread. */
    public Map<String, String> environment() {
        return defaults().ofUnits(context.scope(), System.getenv());
    }

    /** Notes that the units for which the manager runs have been started. */
    void begun() {
        begun = DualTimestamp.now();
    }

    /** Returns when the units for which the manager runs had been started, as far as is known. */
    public DualTimestamp whenBegun() {
        return begun;
    }

    /**
     * Changes the environment that units inherit, until this manager process ends. Callable from
     * any thread.
     *
     * @return false, after doing nothing, if there were too many changes
     */
    public boolean changeEnvironment(Collection<String> minus, Map<String, String> plus) {
        return context.configuration().change(minus, plus, ManagerLimits.VARIABLES.intValue());
    }

    /**
     * Returns when the first manager was opened: this one, or, if it has adopted the units of an
     * earlier one, when the first of these units was started.
     */
    public DualTimestamp opened() {
        return units.all().stream()
                .map(unit -> unit.times().inactiveExit())
                .filter(time -> !time.equals(DualTimestamp.NEVER))
                .reduce(opened, (a, b) -> a.monotonic() <= b.monotonic() ? a : b);
    }

    /** Returns the lowest level that is logged. Callable from any thread. */
    public ManagerListener.Level logLevel() {
        return logLevel.minimum();
    }

    /**
     * Sets the lowest level that is logged from now on. Callable from any thread.
     *
     * @param minimum INFO at first. The output of units is passed on at any level
     */
    public void logLevel(ManagerListener.Level minimum) {
        logLevel.minimum(minimum);
    }

    /** Logs a warning about the manager, in one line. Called on the loop. */
    public void warn(String text) {
        context.warn(text);
    }

    /**
     * Returns a consumer of lines about requests that were refused to a user. Because any user can
     * cause them without limit, at most {@link ManagerLimits#REFUSAL_LINES} lines per user are
     * logged in each {@link ManagerLimits#LINE_INTERVAL}, and then the number of suppressed lines.
     * Callable from any thread.
     */
    public ObjLongConsumer<String> refusals() {
        Throttle lines =
                Complaints.on(
                        context.loop(), ManagerLimits.REFUSAL_LINES.intValue(), context::warn);
        return (text, uid) -> {
            try {
                context.loop().execute(() -> lines.log(uid, text));
            } catch (RejectedExecutionException e) {
                // the manager has ended; the line is dropped
            }
        };
    }

    /**
     * Runs work that may block on a worker thread. Callable from any thread; the future completes
     * on the loop. When the manager ends, open futures fail on the thread that ends it; later calls
     * fail at once.
     */
    public <T> CompletableFuture<T> work(Callable<T> work) {
        return this.work.run(work);
    }

    /**
     * Runs work for a user, as {@link #work(Callable)} does: users take turns, so that one with
     * many questions delays those of others by a single one.
     */
    public <T> CompletableFuture<T> workFor(long user, Callable<T> work) {
        return this.work.runFor(user, work);
    }

    /**
     * Runs work that could hang in the kernel: work about the same thing runs sequentially, on one
     * thread.
     *
     * @param about names the work in messages, such as {@code the processes of web.service}
     */
    public <T> CompletableFuture<T> work(String about, Callable<T> work) {
        return this.work.run(about, work);
    }

    /**
     * Returns the processes in a unit's cgroup. Queries about the same unit run sequentially:
     * reading a command line can take as long as its process likes. Callable from any thread.
     *
     * @param cgroup the path of the cgroup
     */
    public CompletableFuture<List<UnitProcess>> processes(String unit, String cgroup) {
        return work("the processes of " + unit, () -> ProcessList.of(cgroup));
    }

    /** Lets running work finish, and removes what generators have made. */
    void close() {
        work.close();
        reloading.close();
    }

    // ---- parts

    public UnitFiles files() {
        return files;
    }

    /** Returns the cgroups of the units. */
    public CgroupMembers cgroups() {
        return cgroups;
    }

    /** Returns the jobs. */
    public UnitJobs jobs() {
        return unitJobs;
    }

    /** Reads the configuration and the unit files again, on request. */
    Reloading reloading() {
        return reloading;
    }

    /**
     * Reads the configuration and the files of all loaded units again. A running unit uses its new
     * files from its next start.
     *
     * @return how many of the units have files
     */
    public CompletableFuture<Integer> reload() {
        listeners.reloading(true);
        return reloading.reload().whenComplete((_, _) -> listeners.reloading(false));
    }

    // ---- units

    /** Adds a listener, called from now on. */
    public Registration listen(UnitListener listener) {
        return listeners.add(listener);
    }

    /**
     * Registers a holder: held units stay loaded.
     *
     * @param holder returns whether a unit is held; call {@link #letGo} when it no longer is
     */
    public Registration hold(Predicate<UnitName> holder) {
        return jobs.unused().heldBy(holder);
    }

    /** Reports that units may no longer be held. */
    public void letGo(Collection<UnitName> names) {
        jobs.unused().look(names);
    }

    /** Returns whether all units are being stopped: from then on only stop jobs are granted. */
    public boolean isStopping() {
        return jobs.isStopping();
    }

    /** Returns all loaded units, without their processes. */
    public List<UnitView> units() {
        return units.all().stream().map(this::view).toList();
    }

    /** Returns the names of all loaded units. */
    public List<UnitName> names() {
        return units.all().stream().map(unit -> unit.unit().name()).toList();
    }

    /** Returns a loaded unit, by any of its names. */
    public Optional<UnitView> unit(UnitName name) {
        return Optional.ofNullable(units.find(name)).map(this::view);
    }

    /** Returns a loaded unit; empty also for one that was not found, which may exist by now. */
    private Optional<UnitView> found(UnitName name) {
        return Optional.ofNullable(units.node(name))
                .filter(LoadedUnit::isFound)
                .map(node -> view(node.unit()));
    }

    private CompletableFuture<UnitView> foundOr(
            UnitName name, Supplier<CompletableFuture<UnitView>> otherwise) {
        return found(name).map(CompletableFuture::completedFuture).orElseGet(otherwise);
    }

    /**
     * Returns a loaded unit, or a unit as it would be loaded; the load state shows if there is no
     * such unit.
     */
    public CompletableFuture<UnitView> read(UnitName name) {
        return foundOr(
                name, () -> work(() -> catalog.read(name)).thenApply(read -> seen(name, read)));
    }

    /** Returns a unit as {@link #read(UnitName)} does, in a turn of the user who asks. */
    public CompletableFuture<UnitView> read(UnitName name, long user) {
        return foundOr(
                name,
                () -> workFor(user, () -> catalog.read(name)).thenApply(read -> seen(name, read)));
    }

    /** Returns a unit that was read; one of the table that was not found before is updated. */
    private UnitView seen(UnitName name, Unit read) {
        return found(read.name())
                .orElseGet(() -> units.node(name) == null ? unloaded(read) : taken(read));
    }

    /**
     * Loads a unit, which then stays loaded for as long as something holds it; the load state shows
     * if there is no such unit.
     *
     * @return fails with {@link JobRefusedException} if there are too many units
     */
    public CompletableFuture<UnitView> load(UnitName name) {
        return foundOr(name, () -> work(() -> catalog.read(name)).thenApply(this::taken));
    }

    private UnitView taken(Unit read) {
        units.take(read);
        return view(units.get(read.name()));
    }

    /**
     * Returns several units as {@link #read} does, in the given order; all files are read in one
     * go.
     */
    public CompletableFuture<List<UnitView>> readAll(List<UnitName> names) {
        Map<UnitName, UnitView> views = new HashMap<>();
        Set<UnitName> others = new LinkedHashSet<>();
        for (UnitName name : names) {
            found(name).ifPresentOrElse(view -> views.put(name, view), () -> others.add(name));
        }
        List<UnitName> unknown = List.copyOf(others);
        return work(() -> catalog.readAll(unknown))
                .thenApply(read -> {
                    for (int i = 0; i < unknown.size(); i++) {
                        views.put(unknown.get(i), seen(unknown.get(i), read.get(i)));
                    }
                    return names.stream().map(views::get).map(Objects::requireNonNull).toList();
                });
    }

    private UnitView unloaded(Unit unit) {
        Optional<String> why = units.reasonOf(unit.name()).or(() -> units.unsupported(unit.name()));
        UnitStatus status = context.withLog(unit.name(), new InactiveUnit(unit, why).status());
        return new UnitView(
                unit,
                unit,
                unit,
                status,
                UnitTimes.NEVER,
                UnitChecks.NEVER,
                Optional.empty(),
                false,
                Optional.empty());
    }

    private UnitView view(ManagedUnit unit) {
        return new UnitView(
                unit.lastDefinition(),
                unit.unit(),
                unit.newest(),
                unit.status(),
                unit.times(),
                unit.checks(),
                job(unit),
                unit.isPerpetual(),
                unit.details());
    }

    private Optional<UnitJob> job(ManagedUnit unit) {
        LoadedUnit node = units.node(unit.unit().name());
        return node == null ? Optional.empty() : jobs.engine().of(node);
    }

    /** Returns whether the files of a unit have changed since they were read. Blocking. */
    public boolean isOutdated(UnitView view) {
        return catalog.differs(view.newest().source());
    }

    /**
     * Returns how a unit's files and those of the units that it requires differ from what is
     * loaded.
     *
     * @param user who asks
     */
    CompletableFuture<UnitFileFacts> fileFacts(UnitName name, long user) {
        ManagedUnit unit = units.find(name);
        Set<UnitName> up = units.up();
        if (unit == null) {
            return workFor(user, () -> new UnitFileFacts(false, missing(catalog.read(name), up)));
        }
        UnitSource source = unit.newest().source();
        Unit definition = unit.lastDefinition();
        return workFor(
                user, () -> new UnitFileFacts(catalog.differs(source), missing(definition, up)));
    }

    private List<String> missing(Unit unit, Set<UnitName> up) {
        return catalog.missing(unit, up).stream().map(UnitCatalog.Missing::text).toList();
    }

    /** Returns those of the units that are up and whose files have changed on disk. */
    CompletableFuture<Set<UnitName>> outdated(Collection<UnitName> names) {
        Map<UnitName, UnitSource> loaded = new LinkedHashMap<>();
        for (UnitName name : names) {
            ManagedUnit unit = units.find(name);
            if (unit != null && unit.activeState().isUp()) {
                loaded.put(name, unit.newest().source());
            }
        }
        if (loaded.isEmpty()) {
            return CompletableFuture.completedFuture(Set.of());
        }
        return work(() ->
                loaded.entrySet().stream()
                        .filter(each -> catalog.differs(each.getValue()))
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toSet()));
    }

    /** Returns what a unit uses, as read once in a turn of the loop. */
    public ResourceUsage usage(UnitName name) {
        if (usages.isEmpty()) {
            loop().postEnding(usages::clear);
        }
        return usages.computeIfAbsent(
                name,
                _ -> {
                    ManagedUnit unit = units.find(name);
                    return unit == null ? ResourceUsage.UNKNOWN : unit.usage();
                });
    }

    /** Returns the loaded units that have such a dependency on a unit. */
    public List<UnitName> dependants(Dependency kind, UnitName on) {
        LoadedUnit unit = units.node(on);
        return unit == null
                ? List.of()
                : units.dependants(kind, unit).stream().map(LoadedUnit::name).toList();
    }

    /**
     * Returns the units that start this one, or the socket whose connection this instance serves.
     */
    public List<UnitName> triggeredBy(Unit unit) {
        LoadedUnit node = units.node(unit.name());
        Stream<UnitName> triggering =
                node == null
                        ? units.all().stream()
                                .filter(other -> other.lastDefinition().triggers(unit))
                                .map(other -> other.unit().name())
                        : node.triggeredBy().stream().map(LoadedUnit::name);
        Stream<UnitName> served = context.events().activation().socketServedBy(unit).stream();
        return Stream.concat(triggering, served).distinct().toList();
    }

    /** Returns the variables that describe what triggered a unit; empty if nothing did. */
    public Map<String, String> triggerVariables(Unit unit) {
        return context.events().activation().triggerVariables(unit);
    }

    /** Returns the unit whose latest invocation has this id of 32 hexadecimal digits. */
    public Optional<UnitName> ofInvocation(String id) {
        return units.all().stream()
                .filter(unit -> unit.status().invocationId().equals(id))
                .map(unit -> unit.unit().name())
                .findFirst();
    }

    /** Returns the markers of a unit; none if it is not loaded. */
    public Set<UnitMarker> markers(UnitName name) {
        LoadedUnit unit = units.node(name);
        return unit == null ? Set.of() : unit.markers();
    }

    /**
     * Changes the markers of a unit; a unit that is not loaded has none.
     *
     * @return fails with {@link JobRefusedException}, if there is no such unit or it cannot be used
     */
    public CompletableFuture<Void> mark(UnitName name, List<UnitMarker.Change> changes) {
        return read(name)
                .thenAccept(view -> {
                    LoadedUnit.requireUsable(name, view.newest());
                    LoadedUnit unit = units.node(name);
                    if (unit != null) {
                        changes.forEach(unit::mark);
                        context.survival().changed(unit.name());
                    }
                });
    }

    /**
     * Lets the next manager take over everything ({@link Manager#reexecute}). Clients of the
     * interfaces are disconnected, and wait for that instead of a reply.
     *
     * @return fails if it is refused, and otherwise never completes
     */
    public <T> CompletableFuture<T> reexecute() {
        return reexecute.get().thenCompose(_ -> new CompletableFuture<>());
    }

    /** Returns whether the manager can end a container. */
    public boolean isContainerInit() {
        return ending.isOfContainer();
    }

    /** Returns the exit status chosen for the manager; 0 if none was chosen. */
    public int exitStatus() {
        return ending.end().status().orElse(0);
    }

    /** Sets the exit status of the manager for when it ends. */
    public void setExitStatus(int status) {
        ending.setStatus(status);
    }

    /** Ends the manager at once: units are killed, not stopped. */
    public void end(ManagerEnd.What what) {
        ending.begin(what, OptionalInt.empty(), true);
    }

    /** Returns how often the folders of unit files were scanned. Callable from any thread. */
    long folderScans() {
        return catalog.scans();
    }

    /** Resets the failed state of a unit. Returns false, and does nothing, if it is not loaded. */
    public boolean resetFailed(UnitName name) {
        ManagedUnit unit = units.find(name);
        if (unit != null) {
            unit.resetFailed();
            jobs.unused().look(List.of(name));
        }
        return unit != null;
    }

    /**
     * Closes the descriptors that a unit stores for its next run.
     *
     * @return false, after doing nothing, if the unit is up or has a job
     */
    public boolean releaseDescriptors(UnitName name) {
        ManagedUnit unit = units.find(name);
        if (unit == null || unit.activeState().isUp() || jobs.jobOf(name).isPresent()) {
            return false;
        }
        unit.releaseDescriptors();
        return true;
    }

    /**
     * Sends a signal to processes of a unit.
     *
     * @param value sent with the signal, as sigqueue(3) does
     * @return whether there were such processes
     */
    public boolean kill(UnitName name, Signal signal, KillWhom whom, OptionalInt value) {
        ManagedUnit unit = units.find(name);
        return unit != null && unit.kill(signal, whom, value);
    }

    // ---- units made at run time

    /**
     * Makes units at run time, all or none, and requests the start of the first.
     *
     * @param request at least one unit; the manager closes their resources
     * @param answer completed as by {@link UnitJobs#enqueue}
     */
    public void startTransient(
            List<TransientUnit> request, JobMode mode, CompletableFuture<UnitJob> answer) {
        transients.start(request, mode, answer);
    }

    /**
     * Stops managing the processes of a scope, which run on. Returns false if the scope does not
     * run.
     */
    public boolean releaseScope(UnitName name) {
        ManagedUnit unit = units.find(name);
        return unit != null && unit.release();
    }

    // ---- processes; callable from any thread

    /**
     * Returns the process that a descriptor refers to: the process of a pidfd, or the peer of a
     * connected AF_UNIX socket. The caller closes the result.
     *
     * @param received closed by this method
     * @throws io.holdfast.core.ErrnoException EBADF if it is another kind of descriptor, ESRCH if
     *     the peer has no pidfd (it was reaped before, or the kernel is older than 6.5)
     */
    public static PidFd processOf(Fd received) {
        return WhoIs.processOf(received);
    }

    /**
     * Returns the unit, slice and session of a process; the caller closes the process, after the
     * stage has completed. The stage is complete at once if the process is in a unit's own cgroup.
     * It fails with ErrnoException ESRCH if the process is reaped. Callable from any thread.
     */
    public CompletionStage<WorkloadIdentity> whoIs(PidFd process) {
        return whoIs.query(process);
    }

    /**
     * Returns only the run of a unit that a process belongs to; otherwise as {@link #whoIs}. Empty
     * if it belongs to none. Callable from any thread.
     */
    public CompletionStage<Optional<Workload>> workloadOf(PidFd process) {
        return whoIs.workloadOf(process);
    }

    /** Returns the run as {@link #workloadOf(PidFd)} does, in a turn of the user who asks. */
    public CompletionStage<Optional<Workload>> workloadOf(PidFd process, long user) {
        return whoIs.workloadOf(process, user);
    }
}
