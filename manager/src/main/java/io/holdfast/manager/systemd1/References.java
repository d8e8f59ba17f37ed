package io.holdfast.manager.systemd1;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.property.Errors;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The references to units that clients of a bus hold: referenced units stay loaded. Used on the
 * manager's event loop.
 */
final class References {
    private final Client client;
    private final ManagerView manager;

    References(Client client, ManagerView manager) {
        this.manager = manager;
        this.client = client;
    }

    /** Adds a reference, and loads the unit if necessary. */
    void refer(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        requireBus();
        UnitName name = Operations.name(unit);
        var _ =
                manager.load(name)
                        .whenComplete((view, failure) -> {
                            if (view == null) {
                                Operations.fail(reply, failure);
                            } else if (client.refer(call.sender(), view.unit().name().text())) {
                                reply.complete(List.of());
                            } else {
                                reply.completeExceptionally(tooMany(call));
                            }
                        });
    }

    private static DBusException tooMany(MethodCall call) {
        return new DBusException(
                DBusException.LIMITS_EXCEEDED,
                "%s holds references of %d units, which is the limit; %s"
                        .formatted(
                                call.sender(),
                                ManagerLimits.REFERENCES.value(),
                                ManagerLimits.REFERENCES.remedy()));
    }

    void unrefer(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        requireBus();
        UnitName name = Operations.name(unit);
        var _ =
                manager.load(name)
                        .whenComplete((view, failure) -> {
                            if (view == null) {
                                Operations.fail(reply, failure);
                                return;
                            }
                            UnitName own = view.unit().name();
                            if (client.unrefer(call.sender(), own.text())) {
                                manager.letGo(List.of(own));
                                reply.complete(List.of());
                            } else {
                                reply.completeExceptionally(
                                        Errors.of(
                                                Errors.NOT_REFERENCED,
                                                "Unit has not been referenced yet."));
                            }
                        });
    }

    /** Adds a reference to a unit that was just made; does nothing if the caller has too many. */
    void hold(MethodCall call, UnitName unit) {
        boolean _ = client.refer(call.sender(), unit.text());
    }

    /**
     * @throws DBusException if the caller is not a client of a bus
     */
    void requireBus() {
        if (!client.isBus()) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "References to units need a connection over a bus.");
        }
    }
}
