package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ObjectTree;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.caller.Operations.JobRequest;
import io.holdfast.manager.systemd1.caller.ProcessQuestions;
import io.holdfast.manager.systemd1.caller.References;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.FileStates;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.systemd1.property.UnitProperties;
import io.holdfast.manager.systemd1.property.UnitProperties.Files;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.systemd1.property.WarningProperties;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;

/** The D-Bus objects of all units, including units that are not loaded, as they would be loaded. */
final class UnitObjects implements ObjectTree {
    private static final String SELF = Names.UNITS_PATH + "/self";
    private static final CompletionStage<List<BusInterface>> NONE =
            CompletableFuture.completedStage(List.of());
    private static final Pattern INVOCATION = Pattern.compile("[0-9a-f]{32}");

    private final ManagerView manager;
    private final Operations operations;
    private final References references;
    private final TransientUnits transients;
    private final AttachMethods attaching;
    private final ProcessQuestions processes;
    private final Client client;

    UnitObjects(
            Client client,
            ManagerView manager,
            Operations operations,
            References references,
            TransientUnits transients) {
        this.manager = manager;
        this.operations = operations;
        this.references = references;
        this.transients = transients;
        this.client = client;
        this.attaching = new AttachMethods(manager, operations);
        this.processes = new ProcessQuestions(manager);
    }

    /** The object {@code self} is the unit of the caller. */
    @Override
    public CompletionStage<List<BusInterface>> interfaces(String path, String sender) {
        if (!path.equals(SELF)) {
            return interfaces(path);
        }
        return processes
                .unitOf(client.connection(), sender)
                .thenComposeAsync(
                        unit -> unit.isEmpty() ? NONE : interfacesOf(unit.get()),
                        manager.loop()::post);
    }

    @Override
    public CompletionStage<List<BusInterface>> interfaces(String path) {
        Optional<UnitName> name = Names.labelAt(path).flatMap(this::named);
        return name.isEmpty() ? NONE : interfacesOf(name.get());
    }

    private CompletionStage<List<BusInterface>> interfacesOf(UnitName unit) {
        return manager.read(unit)
                .thenCompose(view ->
                        manager.work(() -> new FileStates(manager).of(unit, view))
                                .thenApply(files -> described(view, files)))
                .exceptionallyCompose(e -> CompletableFuture.failedStage(Errors.of(e)));
    }

    private Optional<UnitName> named(String label) {
        return INVOCATION.matcher(label).matches()
                ? manager.ofInvocation(label)
                : UnitName.parse(label).filter(name -> !name.isTemplate());
    }

    /** Describes the present state: it may have changed while the files were checked. */
    private List<BusInterface> described(UnitView before, Files files) {
        return interfaces(manager.unit(before.unit().name()).orElse(before), files);
    }

    private List<BusInterface> interfaces(UnitView view, Files files) {
        Subject subject = new Subject(view, manager, files);
        UnitName name = view.unit().name();
        BusInterface.Builder unit = BusInterface.named(Names.UNIT);
        addMethods(unit, name.text());
        UnitProperties.describe(unit, subject);
        BusInterface.Builder type = BusInterface.named(Names.ofType(name));
        UnitFaces.describe(type, subject);
        transients.addTo(type, name);
        attaching.addTo(type, name);
        BusInterface.Builder own = BusInterface.named(Names.OWN_UNIT);
        WarningProperties.describe(own, subject);
        return List.of(unit.build(), type.build(), own.build());
    }

    private void addMethods(BusInterface.Builder builder, String unit) {
        addJob(builder, "Start", unit, JobRequest.START);
        addJob(builder, "Stop", unit, JobRequest.STOP);
        addJob(builder, "Reload", unit, JobRequest.RELOAD);
        addJob(builder, "Restart", unit, JobRequest.RESTART);
        addJob(builder, "TryRestart", unit, JobRequest.TRY_RESTART);
        addJob(builder, "ReloadOrRestart", unit, JobRequest.RELOAD_OR_RESTART);
        addJob(builder, "ReloadOrTryRestart", unit, JobRequest.RELOAD_OR_TRY_RESTART);
        builder.asyncMethod(
                        "EnqueueJob",
                        "ss",
                        "uososa(uosos)",
                        (call, reply) ->
                                operations.transaction(
                                        call, unit, call.string(0), call.string(1), reply),
                        "job_type",
                        "job_mode",
                        "job_id",
                        "job_path",
                        "unit_id",
                        "unit_path",
                        "job_type",
                        "affected_jobs")
                .asyncMethod(
                        "Kill",
                        "si",
                        "",
                        (call, reply) ->
                                operations.kill(
                                        call,
                                        unit,
                                        call.string(0),
                                        call.argument(1, Integer.class),
                                        OptionalInt.empty(),
                                        reply),
                        "whom",
                        "signal")
                .asyncMethod(
                        "QueueSignal",
                        "sii",
                        "",
                        (call, reply) ->
                                operations.kill(
                                        call,
                                        unit,
                                        call.string(0),
                                        call.argument(1, Integer.class),
                                        OptionalInt.of(call.argument(2, Integer.class)),
                                        reply),
                        "whom",
                        "signal",
                        "value")
                .asyncMethod(
                        "SetProperties",
                        "ba(sv)",
                        "",
                        (call, reply) ->
                                operations.setProperties(
                                        call,
                                        unit,
                                        call.argument(0, Boolean.class),
                                        call.argument(1, List.class),
                                        reply),
                        "runtime",
                        "properties")
                .asyncMethod(
                        "ResetFailed",
                        "",
                        "",
                        (call, reply) -> operations.resetFailed(call, unit, reply))
                .asyncMethod("Ref", "", "", (call, reply) -> references.refer(call, unit, reply))
                .asyncMethod(
                        "Unref", "", "", (call, reply) -> references.unrefer(call, unit, reply));
    }

    private void addJob(
            BusInterface.Builder builder, String method, String unit, JobRequest request) {
        builder.asyncMethod(
                method,
                "s",
                "o",
                (call, reply) -> operations.job(call, unit, call.string(0), request, reply),
                "mode",
                "job");
    }

    @Override
    public Collection<String> paths() {
        return manager.names().stream().map(Names::path).toList();
    }
}
