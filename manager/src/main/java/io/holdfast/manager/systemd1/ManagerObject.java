package io.holdfast.manager.systemd1;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.dbus.AsyncMethodHandler;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.systemd1.caller.Broadcast;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.systemd1.caller.NotOffered;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.caller.ProcessQuestions;
import io.holdfast.manager.systemd1.caller.References;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.FileStates;
import io.holdfast.manager.systemd1.property.ManagerProperties;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code org.freedesktop.systemd1.Manager}, for one connection. */
final class ManagerObject {
    private final ManagerView manager;
    private final Client client;
    private final Operations operations;
    private final References references;
    private final ProcessQuestions processes;
    private final ManagerEnds ends;
    private final UnitFileList unitFiles;
    private final DumpMethods dumps;
    private final TransientUnits transients;
    private final UnitFileMethods installing;

    ManagerObject(
            ManagerView manager,
            Client client,
            Operations operations,
            Broadcast broadcast,
            References references,
            UnitFileList unitFiles,
            DumpMethods dumps,
            TransientUnits transients) {
        this.manager = manager;
        this.client = client;
        this.operations = operations;
        this.references = references;
        this.processes = new ProcessQuestions(manager);
        this.ends = new ManagerEnds(manager, operations);
        this.unitFiles = unitFiles;
        this.dumps = dumps;
        this.transients = transients;
        this.installing = new UnitFileMethods(manager, operations, broadcast);
    }

    BusInterface describe() {
        BusInterface.Builder builder = BusInterface.named(Names.MANAGER);
        addLookups(builder);
        addLists(builder);
        addJobs(builder);
        addOperations(builder);
        addListening(builder);
        processes.addTo(builder);
        transients.addTo(builder);
        new AttachMethods(manager, operations).addTo(builder);
        ends.addTo(builder);
        installing.addTo(builder);
        new EnvironmentMethods(manager, operations).addTo(builder);
        dumps.addTo(builder);
        NotOffered.addTo(builder);
        addSignals(builder);
        ManagerProperties.describe(builder, manager);
        return builder.build();
    }

    // ---- units by name; on the loop

    private void addLookups(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "GetUnit",
                        "s",
                        "o",
                        (call, reply) -> get(call, call.string(0), reply),
                        "name",
                        "unit")
                .method("LoadUnit", "s", "o", call -> load(call.string(0)), "name", "unit")
                .asyncMethod(
                        "GetUnitFileState",
                        "s",
                        "s",
                        (call, reply) -> fileState(call.string(0), reply),
                        "name",
                        "state")
                .asyncMethod(
                        "GetUnitByInvocationID",
                        "ay",
                        "o",
                        (call, reply) -> byInvocation(call, call.argument(0, byte[].class), reply),
                        "invocation_id",
                        "unit")
                .method(
                        "GetUnitByControlGroup",
                        "s",
                        "o",
                        call -> byCgroup(call.string(0)),
                        "cgroup",
                        "unit")
                .asyncMethod(
                        "GetDefaultTarget", "", "s", (_, reply) -> defaultTarget(reply), "name");
    }

    private void defaultTarget(CompletableFuture<List<?>> reply) {
        later(
                reply,
                () ->
                        manager.files()
                                .defaultTarget()
                                .thenApply(target ->
                                        List.of(
                                                target.orElseThrow(() ->
                                                                Errors.of(
                                                                        Errors.NO_SUCH_UNIT,
                                                                        "Unit default.target does not exist"))
                                                        .text())));
    }

    /** An empty name means the unit of the caller. */
    private void get(MethodCall call, String text, CompletableFuture<List<?>> reply) {
        if (text.isEmpty()) {
            processes.ofCaller(call, reply);
            return;
        }
        UnitName name = Operations.name(text);
        now(reply, () -> path(operations.loaded(name).unit().name()));
    }

    /** Returns the path even of a unit without files; its properties show that. */
    private static List<?> load(String text) {
        return path(Operations.unitName(text));
    }

    private static List<?> path(UnitName name) {
        return List.of(new ObjectPath(Names.path(name)));
    }

    private void fileState(String text, CompletableFuture<List<?>> reply) {
        UnitName name = Operations.name(text);
        later(
                reply,
                () ->
                        manager.read(name)
                                .thenApply(view -> readable(name, view))
                                .thenCompose(view ->
                                        manager.work(
                                                () -> new FileStates(manager).word(name, view)))
                                .thenApply(state -> {
                                    if (state.isEmpty()) {
                                        throw new DBusException(
                                                "org.freedesktop.DBus.Error.FileNotFound",
                                                "No such file or directory");
                                    }
                                    return List.of(state);
                                }));
    }

    private static UnitView readable(UnitName name, UnitView view) {
        view.newest()
                .unreadable()
                .ifPresent(why -> {
                    throw Errors.invalid("Unit " + name + " " + why);
                });
        return view;
    }

    /** An empty id, or one of zeros, means the unit of the caller. */
    private void byInvocation(MethodCall call, byte[] id, CompletableFuture<List<?>> reply) {
        if (id.length == 0 || Arrays.equals(id, new byte[16])) {
            processes.ofCaller(call, reply);
            return;
        }
        if (id.length != 16) {
            throw Errors.invalid("Invalid invocation ID");
        }
        String hex = HexFormat.of().formatHex(id);
        now(
                reply,
                () ->
                        path(
                                manager.ofInvocation(hex)
                                        .orElseThrow(() ->
                                                Errors.of(
                                                        Errors.NO_UNIT_FOR_INVOCATION,
                                                        "No unit with the specified invocation ID "
                                                                + hex
                                                                + " known."))));
    }

    private void now(CompletableFuture<List<?>> reply, Supplier<List<?>> answer) {
        operations.onLoop(reply, () -> reply.complete(answer.get())).run();
    }

    private List<?> byCgroup(String cgroup) {
        if (!cgroup.startsWith("/")) {
            throw Errors.invalid("Not the absolute path of a control group: " + cgroup);
        }
        Optional<UnitName> unit;
        try {
            unit = manager.cgroups().unitOf(new CgroupPath(cgroup));
        } catch (IllegalArgumentException e) {
            unit = Optional.empty();
        }
        return path(
                unit.orElseThrow(() ->
                        Errors.of(
                                Errors.NO_SUCH_UNIT,
                                "Control group '" + cgroup + "' is not valid or not managed")));
    }

    // ---- lists; on the loop

    private void addLists(BusInterface.Builder builder) {
        builder.method(
                        "ListUnits",
                        "",
                        "a(ssssssouso)",
                        _ -> List.of(UnitRows.of(manager, UnitFilter.ALL)),
                        "units")
                .method(
                        "ListUnitsFiltered",
                        "as",
                        "a(ssssssouso)",
                        call -> units(UnitFilter.of(texts(call, 0), List.of())),
                        "states",
                        "units")
                .method(
                        "ListUnitsByPatterns",
                        "asas",
                        "a(ssssssouso)",
                        call -> units(UnitFilter.of(texts(call, 0), texts(call, 1))),
                        "states",
                        "patterns",
                        "units")
                .asyncMethod(
                        "ListUnitsByNames",
                        "as",
                        "a(ssssssouso)",
                        (call, reply) -> byNames(texts(call, 0), reply),
                        "names",
                        "units")
                .method(
                        "ListJobs",
                        "",
                        "a(usssoo)",
                        _ -> List.of(UnitRows.jobs(manager.jobs().all())),
                        "jobs")
                .asyncMethod(
                        "ListUnitFiles",
                        "",
                        "a(ss)",
                        (_, reply) -> files(List.of(), List.of(), reply),
                        "files")
                .asyncMethod(
                        "ListUnitFilesByPatterns",
                        "asas",
                        "a(ss)",
                        (call, reply) -> files(texts(call, 0), texts(call, 1), reply),
                        "states",
                        "patterns",
                        "files");
    }

    private List<?> units(UnitFilter filter) {
        return List.of(UnitRows.of(manager, filter));
    }

    static List<String> texts(MethodCall call, int index) {
        List<String> texts = new ArrayList<>();
        for (Object text : call.argument(index, List.class)) {
            texts.add((String) text);
        }
        return texts;
    }

    private void byNames(Collection<String> names, CompletableFuture<List<?>> reply) {
        UnitFilter.requireFew(names.size(), "names");
        List<UnitName> valid = names.stream().map(Operations::name).toList();
        later(
                reply,
                () ->
                        manager.readAll(valid)
                                .thenApply(views ->
                                        List.of(views.stream().map(UnitRows::entry).toList())));
    }

    private void files(
            List<String> states, List<String> patterns, CompletableFuture<List<?>> reply) {
        UnitFilter filter = UnitFilter.of(states, patterns);
        later(
                reply,
                () ->
                        unitFiles
                                .read()
                                .thenApply(entries ->
                                        List.of(
                                                entries.stream()
                                                        .filter(filter::admits)
                                                        .map(entry ->
                                                                List.of(
                                                                        entry.path(),
                                                                        entry.state()))
                                                        .toList())));
    }

    // ---- jobs

    private void addJobs(BusInterface.Builder builder) {
        UnitMethods.addTo(builder, operations, Optional.empty());
        builder.method(
                "GetJob",
                "u",
                "o",
                call -> {
                    long id = call.argument(0, Long.class);
                    return List.of(
                            new ObjectPath(
                                    manager.jobs()
                                            .find(id)
                                            .map(job -> Names.jobPath(job.id()))
                                            .orElseThrow(() -> Operations.noSuchJob(id))));
                },
                "id",
                "job");
        builder.method(
                "GetJobAfter",
                "u",
                "a(usssoo)",
                call -> List.of(UnitRows.jobs(manager.jobs().after(job(call)))),
                "id",
                "jobs");
        builder.method(
                "GetJobBefore",
                "u",
                "a(usssoo)",
                call -> List.of(UnitRows.jobs(manager.jobs().before(job(call)))),
                "id",
                "jobs");
        builder.asyncMethod(
                "CancelJob",
                "u",
                "",
                (call, reply) -> operations.cancel(call, call.argument(0, Long.class), reply),
                "id");
        builder.asyncMethod("ClearJobs", "", "", operations::cancelAll)
                .asyncMethod("EnqueueMarkedJobs", "", "ao", operations::enqueueMarked, "jobs");
    }

    private long job(MethodCall call) {
        long id = call.argument(0, Long.class);
        return manager.jobs().find(id).orElseThrow(() -> Operations.noSuchJob(id)).id();
    }

    // ---- other changes

    private void addOperations(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "CleanUnit",
                        "sas",
                        "",
                        (call, reply) ->
                                operations.clean(call, call.string(0), texts(call, 1), reply),
                        "name",
                        "mask")
                .asyncMethod("ResetFailed", "", "", operations::resetAllFailed)
                .asyncMethod("Reload", "", "", ofDaemon(manager::reload))
                .asyncMethod("Reexecute", "", "", ofDaemon(manager::reexecute));
    }

    /** Makes a method that has the manager do something to itself, without a result. */
    private AsyncMethodHandler ofDaemon(Supplier<CompletableFuture<?>> request) {
        return (call, reply) ->
                operations.permitted(
                        call,
                        Permission.RELOAD_DAEMON,
                        Map.of(),
                        reply,
                        () -> later(reply, () -> request.get().thenApply(_ -> List.of())));
    }

    // ---- subscriptions and references; on the loop

    private void addListening(BusInterface.Builder builder) {
        builder.method("Subscribe", "", "", this::subscribe)
                .method("Unsubscribe", "", "", this::unsubscribe)
                .asyncMethod(
                        "RefUnit",
                        "s",
                        "",
                        (call, reply) -> {
                            Runnable refer = () -> references.refer(call, call.string(0), reply);
                            operations.onLoop(reply, refer).run();
                        },
                        "name")
                .asyncMethod(
                        "UnrefUnit",
                        "s",
                        "",
                        (call, reply) -> {
                            Runnable drop = () -> references.unrefer(call, call.string(0), reply);
                            operations.onLoop(reply, drop).run();
                        },
                        "name");
    }

    private List<?> subscribe(MethodCall call) {
        if (!client.subscribe(call.sender())) {
            throw Errors.of(Errors.ALREADY_SUBSCRIBED, "Client is already subscribed.");
        }
        return List.of();
    }

    private List<?> unsubscribe(MethodCall call) {
        if (!client.unsubscribe(call.sender())) {
            throw Errors.of(Errors.NOT_SUBSCRIBED, "Client is not subscribed.");
        }
        return List.of();
    }

    private static void addSignals(BusInterface.Builder builder) {
        builder.signal("UnitNew", "so", "id", "unit")
                .signal("UnitRemoved", "so", "id", "unit")
                .signal("JobNew", "uos", "id", "job", "unit")
                .signal("JobRemoved", "uoss", "id", "job", "unit", "result")
                .signal("UnitFilesChanged", "")
                .signal("Reloading", "b", "active");
    }

    /** A query that is started on the loop and completes there. */
    private interface Answer {
        CompletableFuture<? extends List<?>> get();
    }

    private void later(CompletableFuture<List<?>> reply, Answer answer) {
        operations
                .onLoop(
                        reply,
                        () -> {
                            var _ =
                                    answer.get()
                                            .whenComplete((values, failure) -> {
                                                if (values == null) {
                                                    Operations.fail(reply, failure);
                                                } else {
                                                    reply.complete(values);
                                                }
                                            });
                        })
                .run();
    }
}
