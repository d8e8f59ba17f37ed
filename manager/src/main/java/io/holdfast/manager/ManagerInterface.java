package io.holdfast.manager;

import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.varlink.Call;
import io.holdfast.varlink.Interface;
import io.holdfast.varlink.Json;
import io.holdfast.varlink.JsonObject;
import io.holdfast.varlink.MethodOption;
import io.holdfast.varlink.Service;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.VarlinkServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A manager's face on Varlink: {@code io.holdfast.Manager}.
 *
 * <p>Everybody may read. To change something the peer must be root or the manager's own user, and
 * its process must be held (or, on a kernel without SO_PEERPIDFD, at least be of that user: a user
 * cannot be taken over as a number can).
 */
public final class ManagerInterface implements AutoCloseable {
    /** The name of the socket in the runtime folder. */
    public static final String SOCKET = "io.holdfast.Manager";

    static final String DEFINITION =
            """
            # Units and their processes, known by pidfd.
            interface io.holdfast.Manager

            # A process: its number is for people, its id names it within the boot.
            type ProcessId (pid: int, pidfdId: ?int, bootId: ?string)

            type Process (id: ProcessId, commandLine: string)

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
              invocationId: ?string,
              cgroup: ?string,
              processes: []Process,
              statusText: ?string,
              restarts: int,
              fragment: ?string,
              dropIns: []string,
              diagnostics: []string,
              log: []string
            )

            type JobResult (name: string, result: string)

            # Every unit that is loaded, without its processes.
            method List() -> (units: []Unit)

            # One unit, with its processes; loadState tells if there is none of that name.
            method Status(name: string) -> (unit: Unit)

            # Starts units and what they pull in, and waits until they are started.
            method Start(names: []string) -> (results: []JobResult)

            # Stops units and what cannot be without them, and waits until they are stopped.
            method Stop(names: []string) -> (results: []JobResult)

            method Restart(names: []string) -> (results: []JobResult)

            # Makes running units take up their configuration again; "invalid" of those that cannot.
            method Reload(names: []string) -> (results: []JobResult)

            # Forgets that units have failed, and how often they were started; of all units, if none
            # is named.
            method ResetFailed(names: []string) -> ()

            # Signals the processes of a unit: "main" or "all".
            method Kill(name: string, signal: string, whom: ?string) -> ()

            # Whose process is this? It comes as a descriptor, a pidfd, at that index beside the call.
            method WhoIs(pidfd: int) -> (id: ProcessId, unit: ?string, invocationId: ?string, cgroup: ?string)

            error NoSuchUnit (name: string)
            error NoProcesses (name: string)
            error Failed (reason: string)
            """;

    private final Manager manager;
    private final VarlinkServer server;

    private ManagerInterface(Manager manager) {
        this.manager = manager;
        this.server =
                VarlinkServer.builder()
                        .identity("Holdfast", "holdfast", "0.1.0", "https://holdfast.io")
                        .service(service())
                        .build();
    }

    /**
     * Serves the manager on {@link #SOCKET} in a folder.
     *
     * @throws io.holdfast.core.linux.ErrnoException EADDRINUSE if another manager is there
     */
    public static ManagerInterface serve(Manager manager, Path folder) {
        ManagerInterface face = new ManagerInterface(manager);
        try {
            Path socket = folder.resolve(SOCKET);
            face.server.listen(UnixAddress.path(socket));
            Path _ =
                    Files.setPosixFilePermissions(
                            socket, PosixFilePermissions.fromString("rw-rw-rw-"));
            return face;
        } catch (IOException e) {
            face.close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            face.close();
            throw e;
        }
    }

    private Service service() {
        return Service.of(Interface.parse(DEFINITION))
                .asyncMethod("List", _ -> manager.list().thenApply(ManagerInterface::units))
                .asyncMethod(
                        "Status",
                        call ->
                                manager.status(name(call.parameters().string("name")))
                                        .thenApply(unit -> JsonObject.of("unit", json(unit))))
                .asyncMethod("Start", call -> jobs(manager.start(names(mayChange(call)))))
                .asyncMethod("Stop", call -> jobs(manager.stop(names(mayChange(call)))))
                .asyncMethod("Restart", call -> jobs(manager.restart(names(mayChange(call)))))
                .asyncMethod("Reload", call -> jobs(manager.reload(names(mayChange(call)))))
                .asyncMethod("ResetFailed", call -> resetFailed(mayChange(call)))
                .asyncMethod("Kill", call -> kill(mayChange(call)))
                .asyncMethod("WhoIs", this::whoIs, MethodOption.TAKES_DESCRIPTORS)
                .build();
    }

    private static Call mayChange(Call call) {
        Peer peer = call.peer();
        boolean known =
                switch (peer) {
                    case Peer.Held held -> held.process().state() != PidFd.State.REAPED;
                    case Peer.BestEffort _ -> true;
                    case Peer.Gone _ -> false;
                };
        if (!known || (peer.uid() != 0 && peer.uid() != Unistd.geteuid())) {
            throw VarlinkException.permissionDenied();
        }
        return call;
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
        return manager.resetFailed(anyNames(call))
                .handle((_, failure) -> {
                    if (failure != null) {
                        throw failed(failure);
                    }
                    return JsonObject.EMPTY;
                });
    }

    private static UnitName name(String text) {
        try {
            return UnitName.meant(text);
        } catch (IllegalArgumentException e) {
            throw noSuchUnit(text);
        }
    }

    private static VarlinkException noSuchUnit(String name) {
        return new VarlinkException("io.holdfast.Manager.NoSuchUnit", JsonObject.of("name", name));
    }

    private static CompletableFuture<JsonObject> jobs(
            CompletableFuture<Map<UnitName, JobResult>> results) {
        return results.handle((map, failure) -> {
            if (failure != null) {
                throw failed(failure);
            }
            List<Json> list =
                    map.entrySet().stream()
                            .<Json>map(entry ->
                                    JsonObject.builder()
                                            .put("name", entry.getKey().text())
                                            .put("result", entry.getValue().word())
                                            .build())
                            .toList();
            return JsonObject.builder().put("results", list).build();
        });
    }

    private static VarlinkException failed(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
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
        return manager.kill(name(name), signal, whom.equals("all"))
                .thenApply(killed -> {
                    if (!killed) {
                        throw new VarlinkException(
                                "io.holdfast.Manager.NoProcesses", JsonObject.of("name", name));
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
        try (Fd fd = received.get()) {
            process = PidFd.adopt(fd);
        } catch (io.holdfast.core.linux.ErrnoException e) {
            throw VarlinkException.invalidParameter("pidfd");
        }
        if (process.isThread()) { // a part of a process has no name
            process.close();
            throw VarlinkException.invalidParameter("pidfd");
        }
        return manager.unitOf(process)
                .thenApply(unit ->
                        JsonObject.builder()
                                .put("id", json(process.processId()))
                                .putIfPresent("unit", unit.map(UnitStatus::name))
                                .putIfPresent("invocationId", unit.map(UnitStatus::invocationId))
                                .putIfPresent("cgroup", unit.flatMap(UnitStatus::cgroup))
                                .build())
                .whenComplete((_, _) -> process.close());
    }

    private static JsonObject units(List<UnitStatus> list) {
        return JsonObject.builder()
                .put("units", list.stream().map(ManagerInterface::json).toList())
                .build();
    }

    private static JsonObject json(UnitStatus unit) {
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
                        .putIfPresent("invocationId", nonEmpty(unit.invocationId()))
                        .putIfPresent("cgroup", unit.cgroup())
                        .put(
                                "processes",
                                unit.processes().stream()
                                        .map(process ->
                                                JsonObject.builder()
                                                        .put("id", json(process.id()))
                                                        .put("commandLine", process.commandLine())
                                                        .build())
                                        .toList())
                        .putIfPresent("statusText", nonEmpty(unit.statusText()))
                        .put("restarts", unit.restarts())
                        .putIfPresent("fragment", unit.fragment().map(Path::toString))
                        .putStrings("dropIns", unit.dropIns().stream().map(Path::toString).toList())
                        .putStrings(
                                "diagnostics",
                                unit.diagnostics().stream().map(Object::toString).toList())
                        .putStrings("log", unit.log());
        unit.mainProcess().ifPresent(process -> json.put("mainProcess", json(process)));
        return json.build();
    }

    private static Optional<String> nonEmpty(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    private static JsonObject json(ProcessId id) {
        OptionalLong pidfdId = id.pidfdId();
        return JsonObject.builder()
                .put("pid", id.pid())
                .putIfPresent("pidfdId", pidfdId)
                .putIfPresent("bootId", id.bootId().map(UUID::toString))
                .build();
    }

    @Override
    public void close() {
        server.close();
    }
}
