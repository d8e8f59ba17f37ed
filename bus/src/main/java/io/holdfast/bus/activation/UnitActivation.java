package io.holdfast.bus.activation;

import static io.holdfast.bus.route.BusMessages.ACTIVATOR;
import static io.holdfast.bus.route.BusMessages.MANAGER;

import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.dbus.wire.BodyReader;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.MessageView;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Services that are units of a service manager on this bus: the owner of org.freedesktop.systemd1
 * is asked for them by a signal, and tells by another what did not start, as with {@code
 * dbus-daemon --systemd-activation}.
 */
public final class UnitActivation {
    private final NameRegistry names;
    private final BusMessages messages;
    private final boolean waits;
    private boolean lost;
    private final Map<String, String> untold = new LinkedHashMap<>();
    private boolean environmentSet; // and no manager was there; perhaps to nothing

    /**
     * @param waits whether units wait for a manager that is not there yet
     */
    public UnitActivation(NameRegistry names, BusMessages messages, boolean waits) {
        this.names = names;
        this.messages = messages;
        this.waits = waits;
    }

    /** What could not be started. */
    record Failure(String unit, String error, String text) {}

    /** Whether messages for that name wait though no file offers it: those for the manager. */
    boolean isAwaited(String name) {
        return waits && name.equals(MANAGER);
    }

    /** Whether it is for the manager to start that; null is the manager itself. */
    boolean takes(@Nullable ServiceFile service) {
        if (service == null || isAwaited(service.name())) {
            return true;
        }
        return service.systemdService() != null && (waits || manager() != null);
    }

    private @Nullable Connection manager() {
        return names.connection(MANAGER);
    }

    /** Asks for a unit; a manager that is not there yet is asked when it comes. */
    void request(@Nullable ServiceFile service) {
        if (service != null && service.systemdService() != null) {
            messages.activationRequest(manager(), service.systemdService());
        }
    }

    /** Asks a manager that has come for a unit that waits for it. */
    void requestLate(Connection manager, @Nullable ServiceFile service) {
        if (service != null && service.systemdService() != null) {
            messages.lateActivationRequest(manager, service.systemdService());
        }
    }

    /** What units that start from now on have in their environment. */
    void setEnvironment(Map<String, String> variables) {
        Connection manager = manager();
        if (manager != null) {
            messages.setEnvironment(manager, manager.name(), variables);
        } else {
            untold.putAll(variables);
            environmentSet = true;
        }
    }

    /** The manager has left, and did not come back in time. */
    void lost() {
        lost = true;
    }

    /** Whether there is no manager any more, and nobody is to wait for one. */
    boolean isLost() {
        return lost;
    }

    /** There is a manager: it learns what it missed. */
    void came(Connection manager) {
        lost = false;
        if (environmentSet) {
            messages.setEnvironment(manager, MANAGER, untold);
            untold.clear();
            environmentSet = false;
        }
    }

    /** What the manager tells by a signal to the bus; null if it is another, or not from it. */
    @Nullable Failure failure(Connection from, MessageView signal) {
        if (signal.type() != MessageType.SIGNAL
                || !ACTIVATOR.equals(signal.interfaceName())
                || !"ActivationFailure".equals(signal.member())
                || !signal.signature().equals("sss")
                || from != manager()) {
            return null;
        }
        BodyReader arguments = new BodyReader().read(signal);
        return new Failure(arguments.readString(), arguments.readString(), arguments.readString());
    }
}
