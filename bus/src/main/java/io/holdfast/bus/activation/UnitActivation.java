package io.holdfast.bus.activation;

import static io.holdfast.bus.route.BusMessages.ACTIVATOR;
import static io.holdfast.bus.route.BusMessages.MANAGER;

import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.dbus.marshal.BodyReader;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.MessageType;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Starts services that are units of a service manager on this bus. A signal requests the unit from
 * the owner of org.freedesktop.systemd1, and a signal from that owner reports a failed start, as
 * with {@code dbus-daemon --systemd-activation}.
 */
public final class UnitActivation {
    private final NameRegistry names;
    private final BusMessages messages;
    private final boolean waits;
    private final boolean changesUsers;
    private boolean managerGone;
    private final Map<String, String> pendingEnvironment = new LinkedHashMap<>();
    private boolean environmentSet; // while there was no manager; possibly to an empty map

    /**
     * @param waits whether units wait for a manager that is not on the bus yet
     * @param changesUsers whether the bus itself can start a program as another user
     */
    public UnitActivation(
            NameRegistry names, BusMessages messages, boolean waits, boolean changesUsers) {
        this.names = names;
        this.messages = messages;
        this.waits = waits;
        this.changesUsers = changesUsers;
    }

    /** A failed start that the manager reports. */
    record Failure(String unit, String error, String text) {}

    /**
     * Returns whether messages to the name wait although no service file has it: those to the
     * manager.
     */
    boolean isAwaited(String name) {
        return waits && name.equals(MANAGER);
    }

    /** Returns whether the manager starts the service; null stands for the manager itself. */
    boolean takes(@Nullable ServiceFile service) {
        if (service == null || isAwaited(service.name())) {
            return true;
        }
        return unit(service) != null && (waits || manager() != null);
    }

    /**
     * Returns the unit that the manager starts for a service; null if the bus starts it, or if it
     * is the manager itself. A service without a unit that runs as another user is started as
     * {@link ServiceFile#userUnit} where the bus cannot change users: the manager reads the file of
     * the service itself, so that it need not trust the bus with a command and a user.
     */
    @Nullable String unit(@Nullable ServiceFile service) {
        if (service == null || isAwaited(service.name()) || service.systemdService() != null) {
            return service == null ? null : service.systemdService();
        }
        return waits && !changesUsers && service.user() != null
                ? ServiceFile.userUnit(service.name())
                : null;
    }

    private @Nullable Connection manager() {
        return names.connection(MANAGER);
    }

    /** Requests a unit. A manager that is not on the bus yet receives the request when it comes. */
    void request(@Nullable ServiceFile service) {
        String unit = unit(service);
        if (unit != null) {
            messages.activationRequest(manager(), unit, true);
        }
    }

    /** Requests a unit, whose start waits already, from a manager that has come. */
    void requestLate(Connection manager, @Nullable ServiceFile service) {
        String unit = unit(service);
        if (unit != null) {
            messages.activationRequest(manager, unit, false);
        }
    }

    /** Sets variables in the environment of units that start from now on. */
    void setEnvironment(Map<String, String> variables) {
        Connection manager = manager();
        if (manager != null) {
            messages.setEnvironment(manager, manager.name(), variables);
        } else {
            pendingEnvironment.putAll(variables);
            environmentSet = true;
        }
    }

    /** Notes that the manager has left and did not come back in time. */
    void managerGone() {
        managerGone = true;
    }

    /** Returns whether the manager has left for so long that no start may wait for it. */
    boolean isManagerGone() {
        return managerGone;
    }

    /** Notes that a manager has come, and sends it the environment variables that it missed. */
    void managerAppeared(Connection manager) {
        managerGone = false;
        if (environmentSet) {
            messages.setEnvironment(manager, MANAGER, pendingEnvironment);
            pendingEnvironment.clear();
            environmentSet = false;
        }
    }

    /**
     * Returns the failed start that a signal reports; null if it is another signal, or from another
     * sender than the manager.
     */
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
