package io.holdfast.manager.systemd1;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission.Verb;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.systemd1.property.Errors;
import io.holdfast.manager.systemd1.property.Names;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/** The methods that make units at run time. Only scopes so far. */
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

    private void start(MethodCall call, CompletableFuture<List<?>> reply) {
        UnitName name = scope(call.string(0));
        JobMode mode = Operations.mode(call.string(1));
        UnitDescription unit = UnitDescription.of(name.type(), call.argument(2, List.class));
        if (!call.argument(3, List.class).isEmpty()) {
            throw NotOffered.error("Making a second unit at run time");
        }
        if (unit.isReferenced()) {
            references.requireBus();
        }
        AdoptedProcesses processes = AdoptedProcesses.of(call, unit);
        var _ = reply.whenComplete((_, _) -> processes.close()); // those that were not handed over
        if (processes.isEmpty()) {
            throw Errors.of(
                    "LoadFailed",
                    "Unit %s failed to load properly, please adjust/correct and reload service manager: No such file or directory"
                            .formatted(name));
        }
        operations.permittedPeer(
                call,
                name,
                Verb.START,
                reply,
                peer -> {
                    check(processes, peer);
                    long user = peer.uid();
                    operations
                            .onLoop(
                                    reply,
                                    () -> start(call, user, name, unit, processes, mode, reply))
                            .run();
                });
    }

    private static UnitName scope(String text) {
        UnitType type =
                UnitType.ofName(text)
                        .orElseThrow(() -> Errors.invalid("Invalid unit name or type."));
        String word = type.name().toLowerCase(Locale.ROOT);
        if (!type.canBeMade()) {
            throw Errors.invalid("Unit type " + word + " does not support transient units.");
        }
        UnitName name = Operations.name(text);
        if (name.isTemplate()) {
            throw Errors.invalid("Unit name " + name + " is missing the instance name.");
        }
        if (!UnitFaces.isOffered(type)) {
            throw NotOffered.error("Making a " + word + " at run time");
        }
        return name;
    }

    private void check(AdoptedProcesses processes, Peer peer) {
        try {
            processes.check(peer, manager::workloadOf);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DBusException(DBusException.FAILED, "the manager ends");
        }
    }

    private void start(
            MethodCall call,
            long user,
            UnitName name,
            UnitDescription unit,
            AdoptedProcesses processes,
            JobMode mode,
            CompletableFuture<List<?>> reply) {
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        var _ =
                answer.whenComplete((job, failure) -> {
                    if (job == null) {
                        Operations.fail(reply, failure);
                        return;
                    }
                    if (unit.isReferenced()) {
                        references.hold(call, user, name);
                    }
                    broadcast.track(call, job);
                    reply.complete(List.of(Names.jobPath(job.id())));
                });
        manager.startScope(name, unit.text(), processes.take(), mode, answer);
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
