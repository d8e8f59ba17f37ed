package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.manager.process.UnitProcess;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.unit.UnitName;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * The queries for the unit of a process. A PID in a call is resolved to a pidfd at once, and the
 * answer is about the process that the pidfd holds.
 */
public final class ProcessQuestions {
    /** Holdfast's own interface of the same object. */
    static final String HOLDFAST = "io.holdfast.Manager1";

    private final ManagerView manager;

    public ProcessQuestions(ManagerView manager) {
        this.manager = manager;
    }

    public void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "GetUnitByPIDFD",
                        "h",
                        "osay",
                        this::byPidFd,
                        "pidfd",
                        "unit",
                        "unit_id",
                        "invocation_id")
                .asyncMethod("GetUnitByPID", "u", "o", this::byPid, "pid", "unit")
                .asyncMethod(
                        "GetUnitProcesses",
                        "s",
                        "a(sus)",
                        (call, reply) -> processes(call.string(0), reply),
                        "name",
                        "processes");
    }

    /**
     * {@code WhoIs(h descriptor) → a{sv}}: all that the manager knows of a process, in one reply.
     * The descriptor is a pidfd, or a connected AF_UNIX socket to ask about its peer. Keys, each
     * present only if the value is known: {@code pid u}, {@code pidfd-id t}, {@code boot-id s},
     * {@code uid u}, {@code gid u}, {@code unit s}, {@code invocation-id ay}, {@code slice s},
     * {@code session s}, {@code cgroup s}. How far each can be trusted: {@link WorkloadIdentity}.
     */
    public BusInterface describe() {
        return BusInterface.named(HOLDFAST)
                .asyncMethod("WhoIs", "h", "a{sv}", this::whoIs, "descriptor", "identity")
                .build();
    }

    // ---- by descriptor; on the reader thread

    private void byPidFd(MethodCall call, CompletableFuture<List<?>> reply) {
        PidFd process = pidfd(call.descriptor(call.argument(0, Handle.class)));
        query(
                process,
                manager::workloadOf,
                reply,
                found -> {
                    Workload workload = ofUnit(process, found);
                    return List.of(
                            new ObjectPath(Names.path(workload.unit())),
                            workload.unit().text(),
                            HexFormat.of().parseHex(workload.invocationId()));
                });
    }

    /**
     * Returns the process that a caller has sent; this method's caller closes it.
     *
     * @throws DBusException if the descriptor is not a pidfd of a process
     */
    static PidFd pidfd(Fd received) {
        PidFd process;
        try {
            process = PidFd.adopt(received);
        } catch (ErrnoException e) {
            throw Errors.invalid("The descriptor is not a pidfd (" + Errno.name(e.errno()) + ")");
        }
        if (process.isThread()) {
            process.close();
            throw Errors.invalid("A pidfd of a thread, and not of a process.");
        }
        return process;
    }

    private void whoIs(MethodCall call, CompletableFuture<List<?>> reply) {
        Fd received = call.descriptor(call.argument(0, Handle.class)).move();
        query(held(received), manager::whoIs, reply, identity -> List.of(map(identity)));
    }

    private static PidFd held(Fd received) {
        try {
            return ManagerView.processOf(received);
        } catch (ErrnoException e) {
            throw asDBus(e);
        }
    }

    private static DBusException asDBus(Throwable failure) {
        return Errors.of(failure) instanceof DBusException known
                ? known
                : new DBusException(DBusException.FAILED, String.valueOf(failure.getMessage()));
    }

    /**
     * @param process closed by this method
     */
    private static <T> void query(
            PidFd process,
            Function<PidFd, CompletionStage<T>> question,
            CompletableFuture<List<?>> reply,
            Function<T, List<?>> answer) {
        CompletionStage<T> result;
        try {
            result = question.apply(process);
        } catch (RuntimeException e) {
            process.close();
            throw e;
        }
        var _ =
                result.whenComplete((known, failure) -> {
                    try {
                        if (known == null) {
                            Operations.fail(reply, failure);
                        } else {
                            reply.complete(answer.apply(known));
                        }
                    } catch (RuntimeException e) { // it may have exited since
                        Operations.fail(reply, e);
                    } finally {
                        process.close();
                    }
                });
    }

    private static Workload ofUnit(PidFd process, Optional<Workload> found) {
        return found.orElseThrow(() ->
                Errors.of(
                        Errors.NO_UNIT_FOR_PID,
                        "PID " + process.pid() + " does not belong to any loaded unit."));
    }

    private static Map<String, Variant> map(WorkloadIdentity identity) {
        Map<String, Variant> map = new LinkedHashMap<>();
        map.put("pid", Variant.of("u", identity.process().pid()));
        put(map, "pidfd-id", "t", identity.process().pidfdId());
        identity.process().bootId().ifPresent(id -> map.put("boot-id", Variant.of(id.toString())));
        put(map, "uid", "u", identity.uid());
        put(map, "gid", "u", identity.gid());
        identity.unit().ifPresent(unit -> map.put("unit", Variant.of(unit.text())));
        identity.invocationId()
                .ifPresent(id ->
                        map.put(
                                "invocation-id",
                                new Variant(Signature.of("ay"), HexFormat.of().parseHex(id))));
        identity.slice().ifPresent(slice -> map.put("slice", Variant.of(slice)));
        identity.session().ifPresent(session -> map.put("session", Variant.of(session)));
        identity.cgroup().ifPresent(cgroup -> map.put("cgroup", Variant.of(cgroup)));
        return map;
    }

    private static void put(Map<String, Variant> map, String key, String type, OptionalLong value) {
        if (value.isPresent()) {
            map.put(key, Variant.of(type, value.getAsLong()));
        }
    }

    // ---- by PID

    /** PID 0 means the caller, which is held since it connected. */
    private void byPid(MethodCall call, CompletableFuture<List<?>> reply) {
        byPid(call, call.argument(0, Long.class), reply);
    }

    /**
     * Replies with the unit of the caller, found by the pidfd that the bus or this manager holds of
     * it.
     */
    public void ofCaller(MethodCall call, CompletableFuture<List<?>> reply) {
        byPid(call, 0, reply);
    }

    /**
     * Returns the unit of a caller whose identity must be queried from the bus; empty if it belongs
     * to none, or is not held.
     */
    public CompletableFuture<Optional<UnitName>> unitOf(BusConnection connection, String sender) {
        CompletableFuture<Optional<UnitName>> answer = new CompletableFuture<>();
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus unit of the caller")
                        .start(() -> {
                            try {
                                answer.complete(unitOfPeer(connection, sender));
                            } catch (InterruptedException | RuntimeException e) {
                                answer.completeExceptionally(e);
                            }
                        });
        return answer;
    }

    private Optional<UnitName> unitOfPeer(BusConnection connection, String sender)
            throws InterruptedException {
        try (Peer peer = connection.peer(sender)) {
            return peer instanceof Peer.Held held
                    ? manager.workloadOf(held.process())
                            .toCompletableFuture()
                            .join()
                            .map(Workload::unit)
                    : Optional.empty();
        }
    }

    /**
     * @param pid 0 for the caller
     */
    private void byPid(MethodCall call, long pid, CompletableFuture<List<?>> reply) {
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus GetUnitByPID")
                        .start(() -> {
                            try {
                                PidFd process = pid == 0 ? caller(call) : held(pid);
                                query(
                                        process,
                                        manager::workloadOf,
                                        reply,
                                        found ->
                                                List.of(
                                                        new ObjectPath(
                                                                Names.path(
                                                                        ofUnit(process, found)
                                                                                .unit()))));
                            } catch (InterruptedException e) {
                                reply.completeExceptionally(noSuchProcess(pid));
                            } catch (RuntimeException e) {
                                reply.completeExceptionally(e);
                            }
                        });
    }

    private static PidFd held(long pid) {
        if (pid > Integer.MAX_VALUE) {
            throw noSuchProcess(pid);
        }
        return PidFd.find((int) pid).orElseThrow(() -> noSuchProcess(pid));
    }

    private static PidFd caller(MethodCall call) throws InterruptedException {
        Peer peer = call.peer();
        if (peer instanceof Peer.Held held) {
            return held.process().duplicate();
        }
        throw noSuchProcess(0);
    }

    private static DBusException noSuchProcess(long pid) {
        return Errors.of(
                Errors.NO_SUCH_PROCESS,
                pid == 0
                        ? "The caller is not held by a pidfd."
                        : "There is no process " + pid + ".");
    }

    // ---- processes of a unit

    private void processes(String text, CompletableFuture<List<?>> reply) {
        UnitName name = Operations.name(text);
        Runnable listing =
                () -> {
                    Optional<String> cgroup =
                            text.equals("-.slice")
                                    ? manager.cgroups().path()
                                    : manager.unit(name).flatMap(view -> view.status().cgroup());
                    if (cgroup.isEmpty()) {
                        reply.complete(List.of(List.of()));
                        return;
                    }
                    var _ =
                            manager.processes(text, cgroup.get())
                                    .whenComplete((list, _) ->
                                            reply.complete(
                                                    List.of(
                                                            list == null
                                                                    ? List.of()
                                                                    : structs(list))));
                };
        manager.loop().post(listing);
    }

    /** Makes {@code a(sus)}: cgroup, PID and command line. */
    private static List<List<?>> structs(List<UnitProcess> processes) {
        return processes.stream()
                .<List<?>>map(each -> List.of(each.cgroup(), each.id().pid(), each.commandLine()))
                .toList();
    }
}
