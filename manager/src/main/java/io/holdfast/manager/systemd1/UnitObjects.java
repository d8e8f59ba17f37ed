package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ObjectTree;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.systemd1.caller.Operations;
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
        UnitMethods.addTo(builder, operations, Optional.of(unit));
        builder.asyncMethod("Ref", "", "", (call, reply) -> references.refer(call, unit, reply))
                .asyncMethod(
                        "Unref", "", "", (call, reply) -> references.unrefer(call, unit, reply));
    }

    @Override
    public Collection<String> paths() {
        return manager.names().stream().map(Names::path).toList();
    }
}
