package io.holdfast.bus;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.End;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.WireLimits;
import org.jspecify.annotations.Nullable;

/**
 * Decides what becomes of each message (D-Bus Specification, "Message Bus Message Routing"): to the
 * bus itself, to one name, to everybody whose rules match, or refused.
 */
final class Router {
    private final Broker broker;
    private final Driver driver;
    private final Relay relay;

    Router(Broker broker, Driver driver) {
        this.broker = broker;
        this.driver = driver;
        this.relay = new Relay(broker.buffers);
    }

    /**
     * @param view valid until this returns
     * @param fds of the message; the caller drops them
     */
    void route(Connection from, MessageView view, @Nullable PassedFds fds) {
        switch (from.state()) {
            case UNREGISTERED -> unregistered(from, view);
            case REGISTERED -> {
                if (!view.hasDestination()) {
                    withoutDestination(from, view, fds);
                } else if (BusMessages.isBus(view)) {
                    toBus(from, view, fds);
                } else {
                    toName(from, view, fds);
                }
            }
            case MONITOR -> from.disconnect(End.MISBEHAVED, "a monitor sent a message: " + view);
            case AUTHENTICATING, LINGERING, CLOSED ->
                    throw new IllegalStateException(from + " sent while " + from.state());
        }
    }

    private void unregistered(Connection from, MessageView view) {
        if (view.hasDestination()
                && BusMessages.isBus(view)
                && view.type() == MessageType.METHOD_CALL) {
            driver.call(from, view);
        } else {
            from.disconnect(End.MISBEHAVED, "it sent before Hello: " + view);
        }
    }

    private void withoutDestination(Connection from, MessageView view, @Nullable PassedFds fds) {
        switch (view.type()) {
            case MessageType.SIGNAL -> broadcast(from, view, fds);
            case MessageType.METHOD_CALL -> toBus(from, view, fds);
            default -> {} // an answer to nobody
        }
    }

    private void toBus(Connection from, MessageView view, @Nullable PassedFds fds) {
        String denied = broker.policies.refusesSending(from, Party.bus(), view);
        if (view.type() == MessageType.SIGNAL && denied == null) {
            // Monitors see the errors of a failed start before the signal that reports it, as with
            // dbus-daemon: programs that compare the two rely on it.
            broker.activation.signalled(from, view);
        }
        broker.monitors.seen(from, Party.bus(), view, fds);
        if (view.type() == MessageType.METHOD_CALL) {
            if (denied != null) {
                refuse(from, view, BusError.ACCESS_DENIED, denied);
            } else {
                driver.call(from, view);
            }
        }
    }

    private void toName(Connection from, MessageView view, @Nullable PassedFds fds) {
        Connection to =
                broker.find(view.bytes(), view.destinationOffset(), view.destinationLength());
        int type = view.type();
        if (type == MessageType.METHOD_RETURN || type == MessageType.ERROR) {
            if (to != null) {
                reply(from, to, view, fds);
            }
        } else if (type == MessageType.METHOD_CALL || type == MessageType.SIGNAL) {
            if (to == null) {
                toNobody(from, view, fds);
            } else {
                unicast(from, to, view, fds);
            }
        }
    }

    private void unicast(
            Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        broker.monitors.seen(from, to, view, fds);
        pass(from, to, view, fds);
    }

    /** Hands on what monitors have seen: also what was held for an activation. */
    void pass(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        String denied = broker.policies.refusesPassing(from, to, view, false);
        if (denied != null) {
            refuse(from, view, BusError.ACCESS_DENIED, denied);
            return;
        }
        if (fds != null && !to.descriptorsPass()) {
            refuse(from, view, BusError.NOT_SUPPORTED, to.name() + " takes no descriptors");
            return;
        }
        int length = from.senderField().relayedLength(view);
        if (length > WireLimits.MAX_MESSAGE) {
            refuse(from, view, BusError.LIMITS_EXCEEDED, "with its sender it is too long");
            return;
        }
        boolean answered =
                view.type() == MessageType.METHOD_CALL
                        && (view.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        if (answered && !expectReply(from, to, view)) {
            return;
        }
        Share share = broker.charges.queue(to, from.account(), length, fds);
        if (share == null) {
            String full = broker.charges.refusal();
            if (answered) {
                boolean ignored = broker.replies.take(from, to, view.serial());
            }
            refuse(from, view, BusError.LIMITS_EXCEEDED, full);
            return;
        }
        deliver(from, to, share, view, fds);
    }

    private boolean expectReply(Connection from, Connection to, MessageView view) {
        if (!broker.charges.charge(from, Resource.REPLY, 0)) {
            refuse(from, view, BusError.LIMITS_EXCEEDED, broker.charges.refusal());
            return false;
        }
        if (!broker.expectReply(from, to, view.serial())) {
            broker.charges.release(from, Resource.REPLY);
            refuse(
                    from,
                    view,
                    BusError.ACCESS_DENIED,
                    "serial %d waits for a reply of %s already"
                            .formatted(Integer.toUnsignedLong(view.serial()), to.name()));
            return false;
        }
        return true;
    }

    private void reply(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        if (!broker.replies.take(to, from, view.replySerial())) {
            return; // nobody asked for it
        }
        broker.monitors.seen(from, to, view, fds);
        String denied = broker.policies.refusesPassing(from, to, view, true);
        if (denied != null) {
            refuse(from, view, BusError.ACCESS_DENIED, denied);
            broker.messages.error(
                    to,
                    view.replySerial(),
                    BusError.NO_REPLY,
                    "the reply of " + from.name() + " was refused: " + denied);
            return;
        }
        if (fds != null && !to.descriptorsPass()) {
            broker.messages.error(
                    to,
                    view.replySerial(),
                    BusError.NOT_SUPPORTED,
                    "the reply of " + from.name() + " has descriptors");
            return;
        }
        int length = from.senderField().relayedLength(view);
        Share share =
                length > WireLimits.MAX_MESSAGE
                        ? null
                        : broker.charges.queue(to, to.account(), length, fds);
        if (share == null) {
            to.doom(End.LIMIT, "it does not read its replies: " + broker.charges.refusal());
            return;
        }
        deliver(from, to, share, view, fds);
    }

    private void deliver(
            Connection from,
            Connection to,
            Share share,
            MessageView view,
            @Nullable PassedFds fds) {
        relay.stamp(view, from.senderField());
        to.send(share, relay.bytes(), relay.offset(), relay.length(), fds);
        relay.release();
    }

    private void toNobody(Connection from, MessageView view, @Nullable PassedFds fds) {
        String name = String.valueOf(view.destination());
        boolean mayStart = (view.flags() & MessageFlags.NO_AUTO_START) == 0;
        if (mayStart && broker.activation.isActivatable(name)) {
            activate(from, name, view, fds);
            return;
        }
        broker.monitors.seen(from, null, view, fds);
        if (!mayStart) {
            refuse(from, view, BusError.NAME_HAS_NO_OWNER, "nobody owns the name " + name);
        } else {
            refuse(
                    from,
                    view,
                    BusError.SERVICE_UNKNOWN,
                    "nobody owns the name " + name + ", and no service file offers it");
        }
    }

    /** Monitors see the request for the service first, then the message that waits for it. */
    private void activate(Connection from, String name, MessageView view, @Nullable PassedFds fds) {
        String denied = broker.policies.refusesSending(from, Party.expected(name), view);
        if (denied != null) {
            broker.monitors.seen(from, null, view, fds);
            refuse(from, view, BusError.ACCESS_DENIED, denied);
            return;
        }
        try {
            broker.activation.hold(from, name, view, fds);
            broker.monitors.seen(from, null, view, fds);
        } catch (BusErrorException e) {
            broker.monitors.seen(from, null, view, fds);
            refuse(from, view, e.error(), e.text());
        }
    }

    private void broadcast(Connection from, MessageView view, @Nullable PassedFds fds) {
        broker.monitors.seen(from, null, view, fds);
        int n = broker.matches.find(view, from, null);
        int kept = 0;
        for (int i = 0; i < n; i++) {
            Connection to = broker.matches.found(i);
            if (!broker.policies.passes(from, to, view)) {
                showRefusal(from, to, view);
            } else if (fds == null || to.descriptorsPass()) {
                broker.matches.found(kept++, to);
            }
        }
        if (kept == 0 || from.senderField().relayedLength(view) > WireLimits.MAX_MESSAGE) {
            return;
        }
        relay.stamp(view, from.senderField());
        for (int i = 0; i < kept; i++) {
            Connection to = broker.matches.found(i);
            // It asked for it. Charged to the sender, a foreign one could fill its part by
            // other means, and so have anybody disconnected.
            Share share = broker.charges.queue(to, to.account(), relay.length(), fds);
            if (share == null) {
                to.doom(
                        End.LIMIT,
                        "it does not read what is broadcast: " + broker.charges.refusal());
            } else {
                to.send(share, relay.bytes(), relay.offset(), relay.length(), fds);
            }
        }
        relay.release();
    }

    /** The sender of a broadcast receives no error; monitors see it. */
    private void showRefusal(Connection from, Connection to, MessageView view) {
        if (broker.monitors.any()) {
            broker.messages.showError(
                    from,
                    view.serial(),
                    BusError.ACCESS_DENIED.wireName(),
                    String.valueOf(broker.policies.refusesPassing(from, to, view, false)));
        }
    }

    /**
     * Logs the refusal. Only the sender of a call that expects a reply receives the error; monitors
     * see it in any case.
     */
    void refuse(Connection from, MessageView view, BusError error, String why) {
        broker.charges.quota().refused(from.account(), error);
        broker.log.refused(from, view, error, why);
        if (view.type() == MessageType.METHOD_CALL
                && (view.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0) {
            broker.messages.error(from, view.serial(), error, why);
        } else {
            broker.messages.showError(from, view.serial(), error.wireName(), why);
        }
    }
}
