package io.holdfast.manager.varlink;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.manager.access.DeniedException;
import io.holdfast.manager.access.Guard;
import io.holdfast.manager.access.LogReaders;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobOutcome;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.resource.PacketCounts;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.TimerStatus;
import io.holdfast.manager.view.UnitFileFacts;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.MethodOption;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/**
 * The manager's Varlink interfaces: {@code io.holdfast.Manager}, and systemd's {@code
 * io.systemd.Manager}, {@code io.systemd.Unit} and {@code io.systemd.Job}, for varlinkctl(1). All
 * sockets serve all of them.
 *
 * <p>Every user may read, except for the log lines of units ({@link LogReaders}). To change
 * something the peer must be root or the manager's own user ({@link Permission#isOwner}), or be
 * authorized by the {@link Permission} that the interface is served with.
 */
public final class ManagerInterface implements AutoCloseable {
    /** The name of the socket in the runtime folder. */
    public static final String SOCKET = "io.holdfast.Manager";

    /** The name of the socket in a folder that systemd's clients know, such as {@code /run}. */
    public static final String SYSTEMD_SOCKET = "systemd/io.systemd.Manager";

    static final String DEFINITION =
            """
            # Units and their processes, known by pidfd.
            interface io.holdfast.Manager

            # A process: pid is for display; pidfdId and bootId identify it within the boot.
            type ProcessId (pid: int, pidfdId: ?int, bootId: ?string)

            type Process (id: ProcessId, commandLine: string)

            # One line about a unit's files.
            type Diagnostic (
              # file:line
              place: string,
              # error (it prevents a start), warning or notice
              severity: string,
              message: string,
              # what the unit lacks because a directive has no effect
              cost: ?string,
              # whether the unit therefore runs with less protection than its files require
              security: bool
            )

            type Unit (
              name: string,
              description: string,
              loadState: string,
              activeState: string,
              subState: string,
              # microseconds since 1970
              since: int,
              result: string,
              mainProcess: ?ProcessId,
              mainExit: ?string,
              # why a command of this run could not be executed
              failure: ?string,
              invocationId: ?string,
              cgroup: ?string,
              processes: []Process,
              statusText: ?string,
              restarts: int,
              fragment: ?string,
              dropIns: []string,
              diagnostics: []Diagnostic,
              # the last lines of its output: for root, the manager's user, the user of User=, and
              # the groups adm and systemd-journal
              log: []string,
              # whether there are lines that the caller may not read
              logDenied: ?bool,
              # Status only: whether its files have changed on disk since they were loaded
              outdated: ?bool,
              # Status only: a line for each unit that it requires and that does not exist
              missing: ?[]string,
              # Status only: bytes of IP packets of this run, or the last one, if they are counted
              bytesReceived: ?int,
              bytesSent: ?int
            )

            # unit: what it starts. next: when it elapses, at the earliest. last: when it last did. Both in
            # microseconds since 1970.
            type Timer (name: string, unit: string, next: ?int, last: ?int)

            # reason: why the job was refused or did not succeed. warnings: one line each, also of
            # a job that succeeded: an outdated unit file, a unit that can start a stopped one again,
            # units that were pulled in and cannot be started.
            type JobResult (name: string, result: string, reason: ?string, warnings: []string)

            # Returns every loaded unit, without its processes and its log.
            method List() -> (units: []Unit)

            # Returns every loaded timer.
            method Timers() -> (timers: []Timer)

            # Returns a unit with its processes and its log; loadState is "not-found" if there is
            # no unit of that name.
            method Status(name: string) -> (unit: Unit)

            # Returns how many earlier managers were killed and replaced by their keeper.
            # lastCrash: when the last of them was found dead, in microseconds since 1970.
            # how: how that one ended. adopted: how many of its units keep running.
            method Predecessors() -> (crashes: int, lastCrash: int, how: ?string, adopted: int)

            # Starts units and the units that they pull in, and waits until they are started. Callers
            # other than root and the manager's user need polkit authorization for each unit; polkit
            # authenticates a user only if interactive authentication is allowed: here and below.
            method Start(names: []string, allowInteractiveAuthentication: ?bool) -> (results: []JobResult)

            # Stops units and the units that require them, and waits until they are stopped.
            method Stop(names: []string, allowInteractiveAuthentication: ?bool) -> (results: []JobResult)

            method Restart(names: []string, allowInteractiveAuthentication: ?bool) -> (results: []JobResult)

            # Reloads the configuration of running services; the result is "invalid" for units that
            # cannot be reloaded.
            method Reload(names: []string, allowInteractiveAuthentication: ?bool) -> (results: []JobResult)

            # Resets the failed state and the start counters of units: of all units if none is named.
            method ResetFailed(names: []string, allowInteractiveAuthentication: ?bool) -> ()

            # Reloads the unit files of all loaded units, and returns how many units that were.
            method ReloadDaemon(allowInteractiveAuthentication: ?bool) -> (units: int)

            # Replaces this manager by the newest build; units keep running. A reply comes only
            # if the request is refused: otherwise the connection ends, and the new manager answers
            # calls on a new connection.
            method Reexecute(allowInteractiveAuthentication: ?bool) -> ()

            # Signals the processes of a unit: "main" or "all".
            method Kill(
              name: string,
              signal: string,
              whom: ?string,
              allowInteractiveAuthentication: ?bool
            ) -> ()

            # Returns what the manager knows about a process. pidfd: the index of a descriptor sent with
            # the call: a pidfd of the process, or a connected AF_UNIX socket whose peer is the process.
            # unit, invocationId: of this manager; a missing unit proves nothing.
            # slice, session: from the cgroup's path, if only root could have chosen these names.
            # cgroup: the path; the owners of the cgroups choose the names in it.
            # uid, gid: the current effective ones, for display only: to decide about a peer, use the
            # peer credentials of its connection.
            method WhoIs(pidfd: int) -> (
              id: ProcessId,
              uid: ?int,
              gid: ?int,
              unit: ?string,
              invocationId: ?string,
              slice: ?string,
              session: ?string,
              cgroup: ?string
            )

            error NoSuchUnit (name: string)
            error NoProcesses (name: string)

            # The process has exited, or the socket's peer has no pidfd.
            error NoSuchProcess ()
            error Failed (reason: string)
            """;

    /** Every user may connect; {@link Permission} decides who may change something. */
    private static final int FOR_ALL = 0666;

    /** The warning about a unit whose files have changed. */
    private static final String OUTDATED =
            "its unit files have changed on disk; to load them run: holdfast daemon-reload";

    /** The details of a request about the manager, or about all of its units. */
    private static final List<Map<String, String>> ALL = List.of(Map.of());

    private final Manager manager;
    private final Guard guard;
    private final LogReaders logReaders;

    /** Connections that the kernel queues until they are accepted. */
    private static final int BACKLOG = 128;

    private final VarlinkServer server;

    private ManagerInterface(Manager manager, Permission permission) {
        this.manager = manager;
        this.guard = new Guard(permission);
        this.logReaders = new LogReaders(manager.view(), Accounts.SYSTEM);
        SystemdCalls systemd = new SystemdCalls(manager.view(), guard);
        this.server =
                VarlinkServer.builder()
                        .limits(ServerLimits.small())
                        .identity("Holdfast", "holdfast", "0.1.0", "")
                        .service(service())
                        .service(new ManagerService(systemd).service())
                        .service(new UnitService(systemd).service())
                        .service(new JobService(systemd).service())
                        .build();
    }

    /**
     * Serves the manager on {@link #SOCKET} in a folder.
     *
     * @throws io.holdfast.core.ErrnoException EADDRINUSE if another manager is there
     */
    public static ManagerInterface serve(Manager manager, Path folder) {
        return serve(manager, folder, Permission.ofOwners());
    }

    /**
     * Serves the manager on {@link #SOCKET} in a folder, also to peers that the permission
     * authorizes.
     *
     * @throws io.holdfast.core.ErrnoException EADDRINUSE if another manager is there
     */
    public static ManagerInterface serve(Manager manager, Path folder, Permission permission) {
        ManagerInterface face = new ManagerInterface(manager, permission);
        try {
            face.listen(folder.resolve(SOCKET));
            return face;
        } catch (RuntimeException e) {
            face.close();
            throw e;
        }
    }

    /**
     * Serves on {@link #SYSTEMD_SOCKET} in a folder as well, whose folder {@code systemd} exists.
     *
     * @throws io.holdfast.core.ErrnoException EADDRINUSE if another manager is there
     */
    public void serveAlso(Path folder) {
        listen(folder.resolve(SYSTEMD_SOCKET));
    }

    private void listen(Path socket) {
        UnixAddress address = UnixAddress.path(socket);
        server.serve(
                manager.view()
                        .listener(
                                address,
                                () ->
                                        UnixListener.listen(
                                                address, SocketType.STREAM, BACKLOG, FOR_ALL)));
    }

    private JsonObject predecessors() {
        Predecessor before = manager.predecessor();
        JsonObject.Builder reply =
                JsonObject.builder()
                        .put("crashes", before.crashes())
                        .put("lastCrash", before.last().realtime())
                        .put("adopted", before.adopted());
        before.how().ifPresent(how -> reply.put("how", ExitText.ofManager(how)));
        return reply.build();
    }

    private Service service() {
        return Service.of(Interface.parse(DEFINITION))
                .asyncMethod("List", _ -> manager.list().thenApply(ManagerInterface::units))
                .asyncMethod("Timers", _ -> manager.timers().thenApply(ManagerInterface::timers))
                .asyncMethod("Status", this::status)
                .method("Predecessors", _ -> predecessors())
                .asyncMethod("Start", call -> jobs(call, Verb.START, JobType.START))
                .asyncMethod("Stop", call -> jobs(call, Verb.STOP, JobType.STOP))
                .asyncMethod("Restart", call -> jobs(call, Verb.RESTART, JobType.RESTART))
                .asyncMethod("Reload", call -> jobs(call, Verb.RELOAD, JobType.RELOAD))
                .asyncMethod(
                        "ResetFailed",
                        call ->
                                permitted(
                                        call, Verb.RESET_FAILED, anyNames(call), this::resetFailed))
                .asyncMethod(
                        "ReloadDaemon",
                        call -> permitted(call, Permission.RELOAD_DAEMON, ALL, this::reloadDaemon))
                .asyncMethod(
                        "Reexecute",
                        call ->
                                permitted(
                                        call,
                                        Permission.RELOAD_DAEMON,
                                        ALL,
                                        _ -> orFailed(manager.view().reexecute())))
                .asyncMethod(
                        "Kill",
                        call ->
                                permitted(
                                        call,
                                        Verb.KILL,
                                        List.of(name(call.parameters().string("name"))),
                                        this::kill))
                .asyncMethod("WhoIs", this::whoIs, MethodOption.TAKES_DESCRIPTORS)
                .build();
    }

    private CompletableFuture<JsonObject> status(Call call) {
        UnitName name = name(call.parameters().string("name"));
        CompletableFuture<UnitFileFacts> files = manager.fileFacts(name, call.peer().uid());
        return manager.status(name)
                .thenCompose(unit -> status(unit, call.peer()))
                .thenCombine(files, ManagerInterface::withFiles)
                .thenCombine(manager.packets(name), ManagerInterface::withPackets);
    }

    private static JsonObject.Builder withFiles(JsonObject.Builder unit, UnitFileFacts files) {
        return unit.put("outdated", files.changed()).putStrings("missing", files.missing());
    }

    private static JsonObject withPackets(JsonObject.Builder unit, PacketCounts packets) {
        if (packets.receivedBytes() >= 0) {
            unit.put("bytesReceived", packets.receivedBytes())
                    .put("bytesSent", packets.sentBytes());
        }
        return JsonObject.of("unit", unit.build());
    }

    private CompletableFuture<JsonObject.Builder> status(UnitStatus unit, Peer peer) {
        CompletableFuture<Boolean> mayRead =
                unit.log().isEmpty()
                        ? CompletableFuture.completedFuture(true)
                        : logReaders.mayRead(peer, unit.logUser());
        return mayRead.thenApply(may -> json(unit, true, may));
    }

    /**
     * Calls {@code then} if the peer is authorized for each of the units.
     *
     * @param units empty for all units
     */
    private CompletableFuture<JsonObject> permitted(
            Call call,
            Verb verb,
            List<UnitName> units,
            Function<Call, CompletableFuture<JsonObject>> then) {
        return permitted(
                call,
                Permission.MANAGE_UNITS,
                units.isEmpty() ? ALL : units.stream().distinct().map(verb::details).toList(),
                then);
    }

    private CompletableFuture<JsonObject> reloadDaemon(Call call) {
        return orFailed(manager.reloadFiles().thenApply(count -> JsonObject.of("units", count)));
    }

    /** Makes a failure the error that the caller gets. */
    private static CompletableFuture<JsonObject> orFailed(CompletableFuture<JsonObject> request) {
        return request.exceptionally(failure -> {
            throw failed(failure);
        });
    }

    private CompletableFuture<JsonObject> permitted(
            Call call,
            String action,
            List<Map<String, String>> each,
            Function<Call, CompletableFuture<JsonObject>> then) {
        boolean interactive = call.parameters().bool("allowInteractiveAuthentication", false);
        List<Permission.Question> questions =
                each.stream()
                        .map(details -> new Permission.Question(action, details, interactive))
                        .toList();
        return guard.permit(call.peer(), questions)
                .handle((_, failure) -> {
                    if (failure != null) {
                        throw denied(failure);
                    }
                    return call;
                })
                .thenCompose(then);
    }

    private static RuntimeException denied(Throwable failure) {
        Throwable cause = cause(failure);
        return cause instanceof DeniedException denied
                        && denied.reason() == DeniedException.Reason.NOT_PERMITTED
                ? VarlinkException.permissionDenied()
                : failed(cause);
    }

    private static List<UnitName> names(Call call) {
        List<UnitName> names = anyNames(call);
        if (names.isEmpty()) {
            throw VarlinkException.invalidParameter("names");
        }
        return names;
    }

    private static List<UnitName> anyNames(Call call) {
        return call.parameters().strings("names").stream().map(ManagerInterface::name).toList();
    }

    private CompletableFuture<JsonObject> resetFailed(Call call) {
        return orFailed(manager.resetFailed(anyNames(call)).thenApply(_ -> JsonObject.EMPTY));
    }

    private static UnitName name(String text) {
        try {
            return UnitName.ofUserInput(text);
        } catch (IllegalArgumentException e) {
            throw noSuchUnit(text);
        }
    }

    private static VarlinkException noSuchUnit(String name) {
        return new VarlinkException("io.holdfast.Manager.NoSuchUnit", JsonObject.of("name", name));
    }

    private CompletableFuture<JsonObject> jobs(Call call, Verb verb, JobType type) {
        List<UnitName> names = names(call);
        return permitted(
                call,
                verb,
                names,
                _ ->
                        orFailed(
                                manager.outdated(names)
                                        .thenCompose(outdated ->
                                                manager.request(type, names)
                                                        .thenApply(outcomes ->
                                                                json(outcomes, outdated)))));
    }

    private static JsonObject json(Map<UnitName, JobOutcome> outcomes, Set<UnitName> outdated) {
        List<Json> list = new ArrayList<>();
        outcomes.forEach((name, outcome) -> {
            List<String> warnings = new ArrayList<>(outcome.warnings());
            if (outdated.contains(name)) {
                warnings.addFirst(OUTDATED);
            }
            list.add(
                    JsonObject.builder()
                            .put("name", name.text())
                            .put("result", outcome.result().word())
                            .putIfPresent("reason", outcome.reason())
                            .putStrings("warnings", warnings)
                            .build());
        });
        return JsonObject.builder().put("results", list).build();
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }

    private static VarlinkException failed(Throwable failure) {
        Throwable cause = cause(failure);
        String reason = cause.getMessage();
        return new VarlinkException(
                "io.holdfast.Manager.Failed",
                JsonObject.of("reason", reason == null ? cause.toString() : reason));
    }

    private CompletableFuture<JsonObject> kill(Call call) {
        String name = call.parameters().string("name");
        Signal signal;
        try {
            signal = Signal.of(call.parameters().string("signal"));
        } catch (IllegalArgumentException e) {
            throw VarlinkException.invalidParameter("signal");
        }
        String whom = call.parameters().optionalString("whom").orElse("all");
        if (!whom.equals("all") && !whom.equals("main")) {
            throw VarlinkException.invalidParameter("whom");
        }
        UnitName unit = name(name);
        return manager.kill(unit, signal, whom.equals("all") ? KillWhom.ALL : KillWhom.MAIN)
                .thenApply(killed -> {
                    if (!killed) {
                        throw new VarlinkException(
                                "io.holdfast.Manager.NoProcesses",
                                JsonObject.of("name", unit.text()));
                    }
                    return JsonObject.EMPTY;
                });
    }

    private CompletableFuture<JsonObject> whoIs(Call call) {
        int index = Math.toIntExact(call.parameters().integer("pidfd"));
        Optional<Fd> received = call.takeDescriptor(index);
        if (received.isEmpty()) {
            throw VarlinkException.invalidParameter("pidfd");
        }
        PidFd process;
        try {
            process = ManagerView.processOf(received.get());
        } catch (ErrnoException e) {
            throw refused(e);
        }
        CompletableFuture<JsonObject> answer = new CompletableFuture<>();
        var _ =
                manager.view()
                        .whoIs(process)
                        .whenComplete((identity, failure) -> {
                            process.close();
                            if (identity != null) {
                                answer.complete(json(identity));
                            } else {
                                answer.completeExceptionally(
                                        failure instanceof ErrnoException e ? refused(e) : failure);
                            }
                        });
        return answer;
    }

    private static VarlinkException refused(ErrnoException e) {
        return e.errno() == Errno.ESRCH
                ? new VarlinkException("io.holdfast.Manager.NoSuchProcess", JsonObject.EMPTY)
                : VarlinkException.invalidParameter("pidfd");
    }

    private static JsonObject json(WorkloadIdentity identity) {
        return JsonObject.builder()
                .put("id", PropertyStructs.json(identity.process()))
                .putIfPresent("uid", identity.uid())
                .putIfPresent("gid", identity.gid())
                .putIfPresent("unit", identity.unit().map(UnitName::text))
                .putIfPresent("invocationId", identity.invocationId())
                .putIfPresent("slice", identity.slice())
                .putIfPresent("session", identity.session())
                .putIfPresent("cgroup", identity.cgroup())
                .build();
    }

    private static JsonObject units(List<UnitStatus> list) {
        return JsonObject.builder()
                .put("units", list.stream().map(unit -> json(unit, false, true).build()).toList())
                .build();
    }

    private static JsonObject timers(List<TimerStatus> list) {
        DualTimestamp now = DualTimestamp.now();
        List<Json> timers = new ArrayList<>();
        for (TimerStatus timer : list) {
            JsonObject.Builder json =
                    JsonObject.builder()
                            .put("name", timer.unit().text())
                            .put("unit", timer.triggers().text())
                            .putIfPresent("next", timer.next(now));
            if (timer.last().realtime() != 0) {
                json.put("last", timer.last().realtime());
            }
            timers.add(json.build());
        }
        return JsonObject.builder().put("timers", timers).build();
    }

    /**
     * @param withLog whether the log is a part of the answer
     * @param mayRead whether the caller may read its lines
     */
    private static JsonObject.Builder json(UnitStatus unit, boolean withLog, boolean mayRead) {
        JsonObject.Builder json =
                JsonObject.builder()
                        .put("name", unit.name())
                        .put("description", unit.description())
                        .put("loadState", unit.loadState())
                        .put("activeState", unit.activeState().word())
                        .put("subState", unit.subState())
                        .put("since", unit.since().toEpochMilli() * 1000)
                        .put("result", unit.result())
                        .putIfPresent("mainExit", unit.mainExit().map(ExitText::of))
                        .putIfPresent("failure", unit.failure())
                        .putIfPresent("invocationId", nonEmpty(unit.invocationId()))
                        .putIfPresent("cgroup", unit.cgroup())
                        .put(
                                "processes",
                                unit.processes().stream()
                                        .map(process ->
                                                JsonObject.builder()
                                                        .put(
                                                                "id",
                                                                PropertyStructs.json(process.id()))
                                                        .put("commandLine", process.commandLine())
                                                        .build())
                                        .toList())
                        .putIfPresent("statusText", nonEmpty(unit.statusText()))
                        .put("restarts", unit.restarts())
                        .putIfPresent("fragment", unit.fragment().map(Path::toString))
                        .putStrings("dropIns", unit.dropIns().stream().map(Path::toString).toList())
                        .put(
                                "diagnostics",
                                unit.diagnostics().stream().map(ManagerInterface::json).toList())
                        .putStrings("log", withLog && mayRead ? unit.log() : List.of());
        if (!mayRead) {
            json.put("logDenied", true);
        }
        unit.mainProcess()
                .ifPresent(process -> json.put("mainProcess", PropertyStructs.json(process)));
        return json;
    }

    private static JsonObject json(Diagnostic diagnostic) {
        return JsonObject.builder()
                .put("place", diagnostic.place().toString())
                .put("severity", diagnostic.severity().name().toLowerCase(Locale.ROOT))
                .put("message", diagnostic.message())
                .putIfPresent("cost", diagnostic.cost().map(DirectiveCost::text))
                .put("security", diagnostic.isSecurity())
                .build();
    }

    private static Optional<String> nonEmpty(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    @Override
    public void close() {
        server.close();
    }
}
