package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.ObjLongConsumer;

/**
 * The references to units that clients of a bus hold: referenced units stay loaded, and each is
 * charged to the user of the client. Used on the manager's event loop.
 */
public final class References {
    private final Client client;
    private final ManagerView manager;
    private final Operations operations;
    private final FairShare<Long> held;
    private final ObjLongConsumer<String> refusals;

    /**
     * @param held the units that the users of all connections hold
     * @param refusals receives the line of each refusal, and its user
     */
    public References(
            Client client,
            ManagerView manager,
            Operations operations,
            FairShare<Long> held,
            ObjLongConsumer<String> refusals) {
        this.manager = manager;
        this.client = client;
        this.operations = operations;
        this.held = held;
        this.refusals = refusals;
    }

    /** Adds a reference, and loads the unit if necessary. */
    public void refer(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        requireBus();
        UnitName name = Operations.name(unit);
        client.listenUntil(reply);
        operations.identified(call, reply, user -> refer(call, user, name, reply));
    }

    private void refer(
            MethodCall call, long user, UnitName name, CompletableFuture<List<?>> reply) {
        Charge<Long> charge = held.charge(user, 1);
        if (charge == null) {
            String why = held.refusal(user);
            refusals.accept(why, user);
            throw Errors.limit(why);
        }
        var _ =
                manager.load(name)
                        .whenComplete((view, failure) -> {
                            if (view == null) {
                                charge.close();
                                Operations.fail(reply, failure);
                            } else {
                                client.refer(call.sender(), view.unit().name().text(), charge);
                                reply.complete(List.of());
                            }
                        });
    }

    /** Drops a reference. A unit that is not loaded has none. */
    public void unrefer(MethodCall call, String unit, CompletableFuture<List<?>> reply) {
        requireBus();
        Optional<UnitView> view = manager.unit(Operations.name(unit));
        UnitName name = view.map(each -> each.unit().name()).orElse(null);
        if (name == null || !client.unrefer(call.sender(), name.text())) {
            throw Errors.of(Errors.NOT_REFERENCED, "Unit has not been referenced yet.");
        }
        manager.letGo(List.of(name));
        reply.complete(List.of());
    }

    /** Adds a reference to a unit that was just made; does nothing if the user has too many. */
    public void hold(MethodCall call, long user, UnitName unit) {
        Charge<Long> charge = held.charge(user, 1);
        if (charge != null) {
            client.refer(call.sender(), unit.text(), charge);
        }
    }

    /**
     * @throws DBusException if the caller is not a client of a bus
     */
    public void requireBus() {
        if (!client.isBus()) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "References to units need a connection over a bus.");
        }
    }
}
