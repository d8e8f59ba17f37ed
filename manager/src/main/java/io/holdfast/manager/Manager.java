package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.linux.SysPrctl;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Host;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.TargetUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitReader;
import io.holdfast.manager.unit.UnitSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A service manager: loads units, starts and stops them in order, and knows their processes by
 * pidfd and cgroup.
 *
 * <p>All state belongs to the thread that runs {@link #run}; every other method may be called by
 * any thread and answers with a future. Several managers may live in one JVM and on one machine,
 * each with a runtime folder and a slice of its own; only one in a JVM becomes the subreaper's
 * reaper of orphans for its units.
 *
 * <p>As root every service is born in a cgroup of its own. Where that is not possible (a plain user
 * without a delegated cgroup) only the main process, its process group and the command beside it
 * are tracked, and {@link #lostWithoutCgroups} says so.
 */
public final class Manager implements AutoCloseable {
    private static final List<Dependency> FOLLOWS_STOP =
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF);

    private final ManagerListener listener;
    private final EventLoop loop = EventLoop.open();
    private final Workers workers = new Workers(loop);
    private final Map<UnitName, ManagedUnit> units = new LinkedHashMap<>();
    private final UnitCatalog catalog;
    private final Optional<UnitCgroups> cgroups;
    private final Optional<String> cgroupRefusal;
    private final NotifySocket notify;
    private final ManagerContext context;
    private final Orphans orphans;
    private final AutoCloseable childSignal;
    private final Claim claim;
    private final Deque<EarlyMessage> early = new ArrayDeque<>();
    private final CompletableFuture<Map<UnitName, JobResult>> shutDown = new CompletableFuture<>();
    private boolean stopping;
    private boolean closed;

    /**
     * What a process has said that is being spawned and not known yet: it waits until the spawn is
     * over. What it owns is closed then.
     */
    private record EarlyMessage(PidFd sender, NotifyMessage message, List<Fd> descriptors)
            implements AutoCloseable {
        @Override
        public void close() {
            sender.close();
            descriptors.forEach(Fd::close);
        }
    }

    private Manager(
            ManagerOptions options,
            ManagerListener listener,
            Claim claim,
            Optional<UnitCgroups> cgroups,
            Optional<String> cgroupRefusal) {
        this.listener = listener;
        this.claim = claim;
        this.cgroups = cgroups;
        this.cgroupRefusal = cgroupRefusal;
        Host host = Host.read();
        catalog =
                new UnitCatalog(
                        options.loadPath(),
                        options.units(),
                        new UnitReader(host, options.scope(), UnitCatalog.notActedOn()));
        notify =
                new NotifySocket(
                        options.runtimeDirectory().resolve("notify"),
                        loop,
                        this::message,
                        text -> listener.event(ManagerListener.Level.WARNING, text));
        context =
                new ManagerContext(
                        loop,
                        workers,
                        options.scope(),
                        host,
                        cgroups,
                        notify.path(),
                        listener,
                        new ManagerContext.StateChange() {
                            @Override
                            public void settled(UnitName unit, ActiveState state) {
                                Manager.this.settled(unit, state);
                            }

                            @Override
                            public void spawned() {
                                reapOrphans();
                                hearEarly();
                            }
                        });
        if (cgroups.isPresent()) { // else nobody could tell an orphan of ours from other children
            ErrnoException.check(
                    SysPrctl.setChildSubreaper(true), "prctl(PR_SET_CHILD_SUBREAPER)", "");
        }
        orphans = new Orphans(this::isOurs);
        childSignal = loop.onSignal(Signal.CHLD, this::reapOrphans);
    }

    /**
     * A manager that nobody runs yet. Makes its runtime folder, its slice and its notify socket.
     *
     * @throws ErrnoException EBUSY if another manager lives in the same runtime folder or slice
     * @throws UncheckedIOException if the runtime folder cannot be made
     */
    public static Manager open(ManagerOptions options, ManagerListener listener) {
        Path folder = options.runtimeDirectory();
        makeFolder(folder);
        Claim claim =
                Claim.of(
                        folder.resolve("lock"),
                        "runtime folder " + folder,
                        "another manager runs there; choose another folder");
        UnitCgroups cgroups = null;
        String refusal = null;
        try {
            try {
                cgroups = UnitCgroups.open(options.slice());
            } catch (ErrnoException e) {
                if (e.errno() == Errno.EBUSY) {
                    throw e;
                }
                refusal = e.getMessage();
            }
            return new Manager(
                    options,
                    listener,
                    claim,
                    Optional.ofNullable(cgroups),
                    Optional.ofNullable(refusal));
        } catch (RuntimeException e) {
            if (cgroups != null) {
                cgroups.close();
            }
            claim.close();
            throw e;
        }
    }

    private static void makeFolder(Path folder) {
        try {
            Path ignored = Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folder " + folder, e);
        }
    }

    /** Why there are no cgroups for the units, and so what is lost; empty if there are. */
    public Optional<String> lostWithoutCgroups() {
        return cgroupRefusal.map(reason ->
                "no cgroups for services ("
                        + reason
                        + "): processes that leave their process group are not tracked,"
                        + " and NotifyAccess=all sees the main process only");
    }

    /** Runs until {@link #shutdown} has stopped everything. */
    public void run() {
        loop.run();
    }

    /** The loop, for other things that belong to its thread: sockets, timers, signals. */
    public EventLoop loop() {
        return loop;
    }

    /**
     * Starts units with all that they pull in.
     *
     * @return how the job of each named unit ended
     */
    public CompletableFuture<Map<UnitName, JobResult>> start(Collection<UnitName> names) {
        return onLoop(answer -> load(names, answer, closure -> start(names, closure, answer)));
    }

    /** Stops units, and those that cannot be without them. */
    public CompletableFuture<Map<UnitName, JobResult>> stop(Collection<UnitName> names) {
        return onLoop(answer -> stop(withDependants(names), answer));
    }

    /** Stops what runs of these, and starts all of them. */
    public CompletableFuture<Map<UnitName, JobResult>> restart(Collection<UnitName> names) {
        return onLoop(answer ->
                load(
                        names,
                        answer,
                        closure -> {
                            Set<ManagedUnit> running = withDependants(names);
                            running.removeIf(unit -> !isUp(unit));
                            Set<UnitName> again = new LinkedHashSet<>(names);
                            running.forEach(unit -> again.add(unit.unit().name()));
                            new Transaction(
                                            running,
                                            false,
                                            _ -> startAgain(names, again, closure, answer),
                                            this::warn)
                                    .run();
                        }));
    }

    private void startAgain(
            Collection<UnitName> names,
            Collection<UnitName> again,
            UnitCatalog.Closure closure,
            CompletableFuture<Map<UnitName, JobResult>> answer) {
        CompletableFuture<Map<UnitName, JobResult>> all = new CompletableFuture<>();
        var ignored =
                all.whenComplete((results, _) -> {
                    if (results != null) {
                        results.keySet().retainAll(names);
                        answer.complete(results);
                    }
                });
        try {
            start(again, closure, all);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    /**
     * Signals the processes of a unit.
     *
     * @param all its whole cgroup, or the main process and what runs beside it
     * @return false if it has none
     */
    public CompletableFuture<Boolean> kill(UnitName name, Signal signal, boolean all) {
        return onLoop(answer -> {
            ManagedUnit unit = find(name);
            boolean killed = unit instanceof Service service && service.kill(signal, all);
            answer.complete(killed);
        });
    }

    /** The state of a unit, loaded if need be; its load state tells if there is no such unit. */
    public CompletableFuture<UnitStatus> status(UnitName name) {
        return onLoop(answer -> {
            ManagedUnit unit = find(name);
            if (unit == null) {
                workers.<Unit>run(
                        () -> catalog.read(name),
                        (read, failure) -> {
                            if (read == null) {
                                answer.completeExceptionally(orUnknown(failure));
                            } else {
                                answer.complete(new ManagedTarget(read).status());
                            }
                        });
            } else {
                withProcesses(unit, answer);
            }
        });
    }

    /** The unit that a process belongs to, by its cgroup or by being held; the process is lent. */
    public CompletableFuture<Optional<UnitStatus>> unitOf(PidFd process) {
        return onLoop(answer -> {
            answer.complete(Optional.ofNullable(ownerOf(process)).map(Service::status));
        });
    }

    /** The state of every unit that is loaded, without its processes. */
    public CompletableFuture<List<UnitStatus>> list() {
        return onLoop(answer ->
                answer.complete(units.values().stream().map(ManagedUnit::status).toList()));
    }

    /**
     * Stops all units in order, and then the loop. Further starts are refused. A second call gets
     * the answer of the first.
     */
    public CompletableFuture<Map<UnitName, JobResult>> shutdown() {
        loop.post(() -> {
            if (stopping) {
                return;
            }
            stopping = true;
            Transaction all =
                    new Transaction(
                            List.copyOf(units.values()),
                            false,
                            results -> {
                                shutDown.complete(results);
                                loop.stop();
                            },
                            this::warn);
            all.run();
        });
        return shutDown.copy();
    }

    /** What is done on the loop, and answers. */
    private interface Task<T> {
        void run(CompletableFuture<T> answer);
    }

    private <T> CompletableFuture<T> onLoop(Task<T> task) {
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

    private static Exception orUnknown(@Nullable Exception failure) {
        return failure == null ? new IllegalStateException("no answer, and no reason") : failure;
    }

    // ---- units

    private void load(
            Collection<UnitName> names,
            CompletableFuture<?> answer,
            java.util.function.Consumer<UnitCatalog.Closure> loaded) {
        workers.<UnitCatalog.Closure>run(
                () -> catalog.closure(names),
                (closure, failure) -> {
                    if (closure == null) {
                        answer.completeExceptionally(orUnknown(failure));
                        return;
                    }
                    try {
                        closure.units().values().stream()
                                .filter(unit -> unit.source().state() != UnitSource.State.NOT_FOUND)
                                .forEach(this::take);
                        closure.notices().forEach(this::notice);
                        loaded.accept(closure);
                    } catch (RuntimeException e) {
                        answer.completeExceptionally(e);
                    }
                });
    }

    /** Takes in a unit as it was read, and tells once what is to be said about its files. */
    private void take(Unit unit) {
        ManagedUnit known = find(unit.name());
        if (known != null) {
            if (!known.unit().equals(unit)) {
                tell(unit);
                known.reloaded(unit);
            }
            return;
        }
        if (units.size() >= Limits.UNITS) {
            throw new IllegalStateException(
                    "at most " + Limits.UNITS + " units can be loaded (io.holdfast.manager.units)");
        }
        tell(unit);
        units.put(
                unit.name(),
                unit instanceof ServiceUnit service
                        ? new Service(context, service)
                        : new ManagedTarget(unit));
    }

    private void tell(Unit unit) {
        for (Diagnostic diagnostic : unit.diagnostics()) {
            listener.event(
                    unit.name(),
                    switch (diagnostic.severity()) {
                        case ERROR -> ManagerListener.Level.ERROR;
                        case WARNING -> ManagerListener.Level.WARNING;
                        case NOTICE -> ManagerListener.Level.NOTICE;
                    },
                    diagnostic.toString());
        }
    }

    private @Nullable ManagedUnit find(UnitName name) {
        ManagedUnit unit = units.get(name);
        if (unit != null) {
            return unit;
        }
        for (ManagedUnit other : units.values()) { // by another of its names
            if (other.unit().source().names().contains(name)) {
                return other;
            }
        }
        return null;
    }

    // ---- jobs

    private void start(
            Collection<UnitName> names,
            UnitCatalog.Closure closure,
            CompletableFuture<Map<UnitName, JobResult>> answer) {
        if (stopping) {
            throw new IllegalStateException("the manager is stopping");
        }
        Map<UnitName, JobResult> refused = new LinkedHashMap<>();
        for (UnitCatalog.Missing missing : closure.missing()) {
            context.error(
                    missing.unit(),
                    missing.kind().directive()
                            + "="
                            + missing.required()
                            + ": there is no such unit");
            refused.put(missing.unit(), JobResult.DEPENDENCY);
        }
        List<ManagedUnit> jobs = new ArrayList<>();
        Set<UnitName> wanted = new LinkedHashSet<>(names);
        wanted.addAll(closure.units().keySet());
        for (UnitName name : wanted) {
            ManagedUnit unit = find(name);
            if (unit == null) {
                context.error(name, "there is no such unit");
                continue;
            }
            if (refused.containsKey(unit.unit().name()) || jobs.contains(unit)) {
                continue;
            }
            String problem = problem(unit.unit());
            if (problem == null) {
                jobs.add(unit);
            } else {
                context.error(unit.unit().name(), problem);
                refused.put(unit.unit().name(), JobResult.INVALID);
            }
        }
        refuseDependants(jobs, refused);
        new Transaction(
                        jobs,
                        true,
                        results -> {
                            results.putAll(refused);
                            answer.complete(named(names, results));
                        },
                        this::warn)
                .run();
    }

    /** Units that require one that is refused, or one that should run already, are refused too. */
    private void refuseDependants(List<ManagedUnit> jobs, Map<UnitName, JobResult> refused) {
        boolean grown = true;
        while (grown) {
            grown =
                    jobs.removeIf(unit -> {
                        Optional<String> reason = unmet(unit, jobs, refused);
                        reason.ifPresent(text -> {
                            context.error(unit.unit().name(), text);
                            refused.put(unit.unit().name(), JobResult.DEPENDENCY);
                        });
                        return reason.isPresent();
                    });
        }
    }

    private Optional<String> unmet(
            ManagedUnit unit, List<ManagedUnit> jobs, Map<UnitName, JobResult> refused) {
        for (Dependency kind : List.of(Dependency.REQUIRES, Dependency.BINDS_TO)) {
            for (UnitName name : unit.unit().unit().dependencies().of(kind)) {
                ManagedUnit other = find(name);
                if (other != null && refused.containsKey(other.unit().name())) {
                    return Optional.of(kind.directive() + "=" + name + " cannot be started");
                }
            }
        }
        for (UnitName name : unit.unit().unit().dependencies().of(Dependency.REQUISITE)) {
            ManagedUnit other = find(name);
            if (other == null || (!isUp(other) && !jobs.contains(other))) {
                return Optional.of("Requisite=" + name + " is not active");
            }
        }
        return Optional.empty();
    }

    private static boolean isUp(ManagedUnit unit) {
        return unit.activeState() == ActiveState.ACTIVE
                || unit.activeState() == ActiveState.ACTIVATING;
    }

    /** Why a unit cannot be started at all, or null. */
    private static @Nullable String problem(Unit unit) {
        if (unit.source().state() == UnitSource.State.MASKED) {
            return "it is masked by "
                    + unit.source().fragment().map(Path::toString).orElse("a file");
        }
        if (!(unit instanceof ServiceUnit) && !(unit instanceof TargetUnit)) {
            return "units of this kind are not supported yet";
        }
        if (unit.isRefused()) {
            return unit.diagnostics().stream()
                    .filter(diagnostic -> diagnostic.severity() == Diagnostic.Severity.ERROR)
                    .map(Diagnostic::toString)
                    .findFirst()
                    .orElse("its files make no unit");
        }
        return null;
    }

    /** The results of the units that were asked for, under the names that were used. */
    private Map<UnitName, JobResult> named(
            Collection<UnitName> names, Map<UnitName, JobResult> results) {
        Map<UnitName, JobResult> named = new LinkedHashMap<>();
        for (UnitName name : names) {
            ManagedUnit unit = find(name);
            JobResult result = unit == null ? null : results.get(unit.unit().name());
            named.put(name, result == null ? JobResult.INVALID : result);
        }
        return named;
    }

    private Set<ManagedUnit> withDependants(Collection<UnitName> names) {
        Set<ManagedUnit> all = new LinkedHashSet<>();
        for (UnitName name : names) {
            ManagedUnit unit = find(name);
            if (unit == null) {
                throw new IllegalArgumentException(name + " is not loaded");
            }
            all.add(unit);
        }
        boolean grown = true;
        while (grown) {
            grown = false;
            for (ManagedUnit unit : units.values()) {
                if (isUp(unit)
                        && all.stream().anyMatch(gone -> needs(unit, gone.unit(), FOLLOWS_STOP))) {
                    grown |= all.add(unit);
                }
            }
        }
        return all;
    }

    private static boolean needs(ManagedUnit unit, Unit other, List<Dependency> kinds) {
        return kinds.stream()
                .anyMatch(kind ->
                        other.source().names().stream()
                                .anyMatch(
                                        name -> unit.unit().unit().dependencies().has(kind, name)));
    }

    private void stop(Set<ManagedUnit> all, CompletableFuture<Map<UnitName, JobResult>> answer) {
        new Transaction(all, false, answer::complete, this::warn).run();
    }

    /** A unit has come to rest by itself or by a job: others may depend on that. */
    private void settled(UnitName name, ActiveState state) {
        ManagedUnit unit = find(name);
        if (unit == null || stopping) {
            return;
        }
        Set<ManagedUnit> bound = new LinkedHashSet<>();
        for (ManagedUnit other : units.values()) {
            if (isUp(other) && needs(other, unit.unit(), List.of(Dependency.BINDS_TO))) {
                bound.add(other);
            }
        }
        if (!bound.isEmpty()) {
            new Transaction(bound, false, _ -> {}, this::warn).run();
        }
        Set<UnitName> onFailure = unit.unit().unit().dependencies().of(Dependency.ON_FAILURE);
        if (state == ActiveState.FAILED && !onFailure.isEmpty()) {
            var ignored =
                    start(onFailure)
                            .exceptionally(e -> {
                                warn("OnFailure= of " + name + ": " + cause(e).getMessage());
                                return Map.of();
                            });
        }
    }

    private static Throwable cause(Throwable e) {
        return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    }

    private void warn(String text) {
        listener.event(ManagerListener.Level.WARNING, text);
    }

    private void notice(String text) {
        listener.event(ManagerListener.Level.NOTICE, text);
    }

    // ---- processes

    private void withProcesses(ManagedUnit unit, CompletableFuture<UnitStatus> answer) {
        UnitStatus status = unit.status();
        Optional<String> path = status.cgroup();
        if (path.isEmpty()) {
            answer.complete(status);
            return;
        }
        workers.<List<UnitStatus.UnitProcess>>run(
                () -> processes(path.get()),
                (processes, failure) ->
                        answer.complete(
                                processes == null ? status : status.withProcesses(processes)));
    }

    private static List<UnitStatus.UnitProcess> processes(String path) {
        List<UnitStatus.UnitProcess> list = new ArrayList<>();
        try (Cgroup cgroup = Cgroup.open(path);
                Members members = cgroup.membersBelow()) {
            for (PidFd member : members) {
                try {
                    String words = String.join(" ", member.proc().commandLine());
                    list.add(
                            new UnitStatus.UnitProcess(
                                    member.processId(),
                                    words.isBlank() ? "[" + member.proc().name() + "]" : words));
                } catch (ErrnoException e) {
                    // it has gone meanwhile
                }
            }
        }
        return list;
    }

    private void message(PidFd sender, NotifyMessage message, List<Fd> descriptors) {
        Service owner;
        try {
            owner = ownerOf(sender);
        } catch (ErrnoException e) {
            warn("a notify message was ignored: " + e.getMessage());
            return;
        }
        boolean early =
                owner == null
                        ? services().anyMatch(Service::isSpawning)
                        : owner.isSpawning() && !owner.knows(sender);
        if (early && early(sender, message, descriptors)) {
            return;
        }
        if (owner != null) {
            owner.message(sender, message, descriptors);
            return;
        }
        warn("a notify message of " + sender + ", which belongs to no unit, was ignored");
    }

    private Stream<Service> services() {
        return units.values().stream()
                .flatMap(unit ->
                        unit instanceof Service service ? Stream.of(service) : Stream.empty());
    }

    private @Nullable Service ownerOf(PidFd process) {
        ProcessInfo info = process.info();
        return services().filter(service -> service.owns(process, info)).findFirst().orElse(null);
    }

    /** Keeps a message until a spawn is over; false if too many wait. */
    private boolean early(PidFd sender, NotifyMessage message, List<Fd> descriptors) {
        if (early.size() >= Limits.EARLY_MESSAGES) {
            return false;
        }
        early.add(
                new EarlyMessage(
                        sender.duplicate(),
                        message,
                        descriptors.stream().filter(Fd::isOpen).map(Fd::move).toList()));
        return true;
    }

    private void hearEarly() {
        List<EarlyMessage> waiting = List.copyOf(early);
        early.clear();
        for (EarlyMessage one : waiting) {
            try (one) {
                message(one.sender(), one.message(), one.descriptors());
            }
        }
    }

    private void reapOrphans() {
        workers.<Integer>run(
                orphans::reap,
                (_, failure) -> {
                    if (failure != null) {
                        warn("cannot reap orphans: " + failure.getMessage());
                    }
                });
    }

    /** Whether it is in one of our cgroups. */
    private boolean isOurs(PidFd process) {
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
        try {
            childSignal.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        services().forEach(Service::abandon);
        notify.close();
        early.forEach(EarlyMessage::close);
        early.clear();
        workers.close();
        cgroups.ifPresent(UnitCgroups::close);
        int ignored = orphans.reap();
        loop.close();
        claim.close();
    }
}
