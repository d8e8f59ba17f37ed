package io.holdfast.bus;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.activation.ServiceActivation;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.driver.Driver;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Delivery;
import io.holdfast.bus.route.Monitors;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import org.jspecify.annotations.Nullable;

/**
 * Decides where each message goes (D-Bus Specification, "Message Bus Message Routing"): to the bus
 * itself, to one name, to every connection whose rules match, or to a service that is started for
 * it.
 *
 * <p>Programs can observe the order of the steps: first the policy decides, where it depends on the
 * destination; then monitors see the message; then it is refused or delivered.
 */
final class Router {
    private final NameRegistry names;
    private final Policies policies;
    private final Monitors monitors;
    private final Delivery delivery;
    private final BusMessages messages;
    private final ServiceActivation activation;
    private final Driver driver;

    Router(
            NameRegistry names,
            Policies policies,
            Monitors monitors,
            Delivery delivery,
            BusMessages messages,
            ServiceActivation activation,
            Driver driver) {
        this.names = names;
        this.policies = policies;
        this.monitors = monitors;
        this.delivery = delivery;
        this.messages = messages;
        this.activation = activation;
        this.driver = driver;
    }

    /**
     * @param view valid until this returns
     * @param fds the descriptors of the message; the caller drops them
     */
    void route(Connection from, MessageView view, @Nullable PassedFds fds) {
        switch (from.state()) {
            case UNREGISTERED -> unregistered(from, view);
            case REGISTERED -> {
                if (!view.has(HeaderField.DESTINATION)) {
                    withoutDestination(from, view, fds);
                } else if (BusMessages.isBus(view)) {
                    toBus(from, view, fds);
                } else {
                    toName(from, view, fds);
                }
            }
            case MONITOR ->
                    from.disconnect(EndReason.MISBEHAVED, "a monitor sent a message: " + view);
            case AUTHENTICATING, LINGERING, CLOSED ->
                    throw new IllegalStateException(from + " sent while " + from.state());
        }
    }

    private void unregistered(Connection from, MessageView view) {
        if (view.has(HeaderField.DESTINATION)
                && BusMessages.isBus(view)
                && view.type() == MessageType.METHOD_CALL) {
            driver.call(from, view);
        } else {
            from.disconnect(EndReason.MISBEHAVED, "message before Hello: " + view);
        }
    }

    private void withoutDestination(Connection from, MessageView view, @Nullable PassedFds fds) {
        switch (view.type()) {
            case MessageType.SIGNAL -> delivery.broadcast(from, view, fds);
            case MessageType.METHOD_CALL -> toBus(from, view, fds);
            default -> {} // a reply without a destination
        }
    }

    private void toBus(Connection from, MessageView view, @Nullable PassedFds fds) {
        String denied = policies.refusesSending(from, Party.bus(), view);
        if (view.type() == MessageType.SIGNAL && denied == null) {
            // Monitors see the errors of a failed start before the signal that reports it, as with
            // dbus-daemon: programs that compare the two rely on it.
            activation.signalled(from, view);
        }
        monitors.seen(from, Party.bus(), view, fds);
        if (view.type() == MessageType.METHOD_CALL) {
            if (denied != null) {
                messages.refuse(from, view, BusError.ACCESS_DENIED, denied);
            } else {
                driver.call(from, view);
            }
        }
    }

    private void toName(Connection from, MessageView view, @Nullable PassedFds fds) {
        Connection to = names.destination(view);
        int type = view.type();
        if (type == MessageType.METHOD_RETURN || type == MessageType.ERROR) {
            if (to != null) {
                delivery.reply(from, to, view, fds);
            }
        } else if (type == MessageType.METHOD_CALL || type == MessageType.SIGNAL) {
            if (to == null) {
                withoutOwner(from, view, fds);
            } else {
                unicast(from, to, view, fds);
            }
        }
    }

    private void unicast(
            Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        monitors.seen(from, to, view, fds);
        delivery.pass(from, to, view, fds);
    }

    private void withoutOwner(Connection from, MessageView view, @Nullable PassedFds fds) {
        String name = String.valueOf(view.destination());
        boolean mayStart = (view.flags() & MessageFlags.NO_AUTO_START) == 0;
        if (mayStart && activation.isActivatable(name)) {
            activate(from, name, view, fds);
            return;
        }
        monitors.seen(from, null, view, fds);
        if (!mayStart) {
            messages.refuse(
                    from, view, BusError.NAME_HAS_NO_OWNER, "name " + name + " has no owner");
        } else {
            messages.refuse(
                    from,
                    view,
                    BusError.SERVICE_UNKNOWN,
                    "name " + name + " has no owner and no service file");
        }
    }

    /** Monitors see the activation request first, then the message that waits for the service. */
    private void activate(Connection from, String name, MessageView view, @Nullable PassedFds fds) {
        String denied = policies.refusesSending(from, Party.expected(name), view);
        if (denied != null) {
            monitors.seen(from, null, view, fds);
            messages.refuse(from, view, BusError.ACCESS_DENIED, denied);
            return;
        }
        try {
            activation.hold(from, name, view, fds);
            monitors.seen(from, null, view, fds);
        } catch (BusErrorException e) {
            monitors.seen(from, null, view, fds);
            messages.refuse(from, view, e.error(), e.text());
        }
    }
}
