package io.holdfast.manager.systemd1;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.property.Errors;
import java.util.List;

/**
 * References of units that clients of a bus hold. The manager keeps every unit that it has loaded,
 * so that nothing but their number follows from them. On the manager's loop.
 */
final class References {
    private final Client client;
    private final Operations operations;

    References(Client client, Operations operations) {
        this.client = client;
        this.operations = operations;
    }

    List<?> refer(MethodCall call, String unit) {
        if (!client.refer(call.sender(), named(unit))) {
            throw new DBusException(
                    DBusException.LIMITS_EXCEEDED,
                    "%s holds references of %d units, which is the limit; %s"
                            .formatted(
                                    call.sender(),
                                    ManagerLimits.REFERENCES.value(),
                                    ManagerLimits.REFERENCES.remedy()));
        }
        return List.of();
    }

    List<?> unrefer(MethodCall call, String unit) {
        if (!client.unrefer(call.sender(), named(unit))) {
            throw Errors.of(Errors.NOT_REFERENCED, "Unit has not been referenced yet.");
        }
        return List.of();
    }

    private String named(String unit) {
        if (!client.isBus()) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED, "References are of clients of a bus alone.");
        }
        return operations.loaded(Operations.name(unit)).unit().name().text();
    }
}
