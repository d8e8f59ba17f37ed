package io.holdfast.manager.systemd1;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.request.TransientUnit;
import io.holdfast.manager.systemd1.caller.Broadcast;
import io.holdfast.manager.systemd1.caller.CallerResources;
import io.holdfast.manager.systemd1.caller.CommandQuestion;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.caller.References;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/** The methods that make units at run time. */
final class TransientUnits {
    private final ManagerView manager;
    private final Operations operations;
    private final Broadcast broadcast;
    private final References references;

    TransientUnits(
            ManagerView manager,
            Operations operations,
            Broadcast broadcast,
            References references) {
        this.manager = manager;
        this.operations = operations;
        this.broadcast = broadcast;
        this.references = references;
    }

    void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "StartTransientUnit",
                        "ssa(sv)a(sa(sv))",
                        "o",
                        this::start,
                        "name",
                        "mode",
                        "properties",
                        "aux",
                        "job")
                .asyncMethod(
                        "AbandonScope",
                        "s",
                        "",
                        (call, reply) -> abandonLoaded(call, call.string(0), reply),
                        "name");
    }

    /** Adds the methods that a type of unit has in addition to those of all units. */
    void addTo(BusInterface.Builder builder, UnitName unit) {
        if (unit.type().isTransient()) {
            builder.asyncMethod("Abandon", "", "", (call, reply) -> abandon(call, unit, reply))
                    .signal("RequestStop", "");
        }
    }

    // ---- making

    /** A unit as the caller describes it, with the descriptors that the call brought. */
    private record Described(UnitName name, UnitDescription text, CallerResources resources) {}

    private void start(MethodCall call, CompletableFuture<List<?>> reply) {
        JobMode mode = Operations.mode(call.string(1));
        List<?> others = call.argument(3, List.class);
        int most = ManagerLimits.TRANSIENT_UNITS.intValue();
        if (others.size() >= most) {
            throw Errors.limit(
                    "A request makes at most %s units; %s"
                            .formatted(most, ManagerLimits.TRANSIENT_UNITS.remedy()));
        }
        List<Described> units = new ArrayList<>();
        var _ = reply.whenComplete((_, _) -> units.forEach(unit -> unit.resources().close()));
        units.add(describe(call, call.string(0), call.argument(2, List.class)));
        for (Object each : others) {
            Struct other = (Struct) each;
            units.add(describe(call, (String) other.get(0), (List<?>) other.get(1)));
        }
        operations.permittedPeer(
                call,
                question(call, units, mode),
                reply,
                peer -> {
                    for (Described unit : units) {
                        check(unit.resources(), peer);
                    }
                    long user = peer.uid();
                    operations.onLoop(reply, () -> start(call, user, units, mode, reply)).run();
                });
    }

    private Described describe(MethodCall call, String text, List<?> properties) {
        UnitName name = name(text);
        UnitDescription unit = UnitDescription.of(name.type(), properties);
        if (unit.isReferenced()) {
            references.requireBus();
        }
        return new Described(name, unit, CallerResources.of(call, name, unit));
    }

    private static UnitName name(String text) {
        UnitType type =
                UnitType.ofName(text)
                        .orElseThrow(() -> Errors.invalid("Invalid unit name or type."));
        String word = type.name().toLowerCase(Locale.ROOT);
        if (!type.canBeMade()) {
            throw Errors.invalid("Unit type " + word + " does not support transient units.");
        }
        return Operations.unitName(text);
    }

    /** Returns what an authority decides: whether the caller may start the first unit. */
    private static Permission.Question question(
            MethodCall call, List<Described> units, JobMode mode) {
        Described first = units.getFirst();
        if (!first.text().commands().isEmpty()) {
            return CommandQuestion.of(
                    first.name(), first.text(), mode, units.size() == 1, call.isInteractive());
        }
        return new Permission.Question(
                Permission.MANAGE_UNITS, Verb.START.details(first.name()), call.isInteractive());
    }

    private void check(CallerResources resources, Peer peer) {
        try {
            resources.check(peer, manager::workloadOf);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DBusException(DBusException.FAILED, "the manager ends");
        }
    }

    private void start(
            MethodCall call,
            long user,
            List<Described> units,
            JobMode mode,
            CompletableFuture<List<?>> reply) {
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        var _ =
                answer.whenComplete((job, failure) -> {
                    if (job == null) {
                        Operations.fail(reply, failure);
                        return;
                    }
                    units.stream()
                            .filter(unit -> unit.text().isReferenced())
                            .forEach(unit -> references.hold(call, user, unit.name()));
                    broadcast.track(call, job);
                    reply.complete(List.of(Names.jobPath(job.id())));
                });
        List<TransientUnit> request =
                units.stream()
                        .map(unit ->
                                new TransientUnit(
                                        unit.name(), unit.text().text(), unit.resources().take()))
                        .toList();
        manager.startTransient(request, mode, answer);
    }

    // ---- abandoning

    private void abandonLoaded(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        UnitName name = Operations.name(unit);
        operations.permitted(
                call,
                name,
                Verb.STOP,
                reply,
                () -> {
                    if (!operations.loaded(name).unit().name().type().isTransient()) {
                        throw Errors.invalid("Unit '" + name + "' is not a scope unit, refusing.");
                    }
                    release(name);
                    reply.complete(List.of());
                });
    }

    private void abandon(MethodCall call, UnitName scope, CompletableFuture<List<?>> reply) {
        operations.permitted(
                call,
                scope,
                Verb.STOP,
                reply,
                () -> {
                    release(scope);
                    reply.complete(List.of());
                });
    }

    private void release(UnitName scope) {
        if (!manager.releaseScope(scope)) {
            throw Errors.of(
                    "ScopeNotRunning", "Scope " + scope + " is not running, cannot abandon.");
        }
    }
}
