package io.holdfast.bus.route;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.WireLimits;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Delivers messages from one client to another, or to many: what the policies of both allow and the
 * receiver has room for, with the sender's true name. A call is tracked until its reply, and a
 * reply passes only if it answers a tracked call.
 *
 * <p>A unicast call or signal is charged to its sender, which receives an error if there is no room
 * for it. What a receiver requested, a reply or a broadcast, is charged to the receiver; if it has
 * no room, it is disconnected, since a dropped message would leave it with a wrong view. But a rule
 * without a sender requests the broadcasts of everybody. So a broadcast of another user, except for
 * root and the user of the bus, is charged to that user, and is lost for the receiver if the user's
 * share of its queue is full: nobody can have others disconnected by broadcasts.
 */
public final class Delivery {
    private final Charges charges;
    private final Policies policies;
    private final MatchIndex<Connection> matches;
    private final Monitors monitors;
    private final PendingReplies replies;
    private final BusMessages messages;
    private final Relay relay;

    // the receivers of a broadcast, and the shares that it is charged to
    private final List<Connection> receivers = new ArrayList<>();
    private final List<Share> shares = new ArrayList<>();

    public Delivery(
            Charges charges,
            Policies policies,
            MatchIndex<Connection> matches,
            Monitors monitors,
            PendingReplies replies,
            BusMessages messages,
            Relay relay) {
        this.charges = charges;
        this.policies = policies;
        this.matches = matches;
        this.monitors = monitors;
        this.replies = replies;
        this.messages = messages;
        this.relay = relay;
    }

    /** Delivers a message that monitors have seen, also one that was held for an activation. */
    public void pass(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        String denied = policies.refusesPassing(from, to, view, false);
        if (denied != null) {
            messages.refuse(from, view, BusError.ACCESS_DENIED, denied);
            return;
        }
        if (fds != null && !to.descriptorsPass()) {
            messages.refuse(
                    from, view, BusError.NOT_SUPPORTED, to.name() + " does not accept descriptors");
            return;
        }
        int length = from.senderField().relayedLength(view);
        if (length > WireLimits.MAX_MESSAGE) {
            messages.refuse(
                    from,
                    view,
                    BusError.LIMITS_EXCEEDED,
                    "message exceeds 128 MiB with its SENDER field");
            return;
        }
        boolean answered =
                view.type() == MessageType.METHOD_CALL
                        && (view.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        if (answered && !expectReply(from, to, view)) {
            return;
        }
        Share share = charges.queue(to, from.account(), length, fds);
        if (share == null) {
            String full = charges.refusal();
            if (answered) {
                boolean ignored = replies.take(from, to, view.serial());
            }
            messages.refuse(from, view, BusError.LIMITS_EXCEEDED, full);
            return;
        }
        deliver(from, to, share, view, fds);
    }

    private boolean expectReply(Connection from, Connection to, MessageView view) {
        Charge charge = charges.hold(from, ChargedResource.REPLY);
        if (charge == null) {
            messages.refuse(from, view, BusError.LIMITS_EXCEEDED, charges.refusal());
            return false;
        }
        if (!replies.add(from, to, view.serial(), charge)) {
            charge.close();
            messages.refuse(
                    from,
                    view,
                    BusError.ACCESS_DENIED,
                    "serial %d already waits for a reply of %s"
                            .formatted(Integer.toUnsignedLong(view.serial()), to.name()));
            return false;
        }
        return true;
    }

    /** Delivers a reply to the caller that waits for it; drops it if none does. */
    public void reply(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        if (!replies.take(to, from, view.replySerial())) {
            return; // no call waits for it
        }
        monitors.seen(from, to, view, fds);
        String denied = policies.refusesPassing(from, to, view, true);
        if (denied != null) {
            messages.refuse(from, view, BusError.ACCESS_DENIED, denied);
            messages.error(
                    to,
                    view.replySerial(),
                    BusError.NO_REPLY,
                    "the reply of " + from.name() + " was refused: " + denied);
            return;
        }
        if (fds != null && !to.descriptorsPass()) {
            messages.error(
                    to,
                    view.replySerial(),
                    BusError.NOT_SUPPORTED,
                    "the reply of "
                            + from.name()
                            + " has descriptors, which the caller does not accept");
            return;
        }
        int length = from.senderField().relayedLength(view);
        Share share =
                length > WireLimits.MAX_MESSAGE
                        ? null
                        : charges.queue(to, to.account(), length, fds);
        if (share == null) {
            to.markForRemoval(EndReason.LIMIT, "does not read its replies: " + charges.refusal());
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

    /** Delivers a signal to all connections whose rules match. */
    public void broadcast(Connection from, MessageView view, @Nullable PassedFds fds) {
        monitors.seen(from, null, view, fds);
        int length = from.senderField().relayedLength(view);
        int n = length > WireLimits.MAX_MESSAGE ? 0 : matches.find(view, from, null);
        receivers.clear();
        shares.clear();
        for (int i = 0; i < n; i++) {
            Connection to = matches.found(i);
            if (!policies.passes(from, to, view)) {
                showRefusal(from, to, view);
            } else if (fds == null || to.descriptorsPass()) {
                Share share = chargeBroadcast(from, to, view, length, fds);
                if (share != null) {
                    receivers.add(to);
                    shares.add(share);
                }
            }
        }
        if (receivers.isEmpty()) {
            return;
        }
        relay.stamp(view, from.senderField());
        for (int i = 0; i < receivers.size(); i++) {
            receivers
                    .get(i)
                    .send(shares.get(i), relay.bytes(), relay.offset(), relay.length(), fds);
        }
        relay.release();
    }

    private @Nullable Share chargeBroadcast(
            Connection from, Connection to, MessageView view, int length, @Nullable PassedFds fds) {
        boolean ofReceiver = charges.isTrusted(from) || from.account().uid() == to.account().uid();
        Share share = charges.queue(to, ofReceiver ? to.account() : from.account(), length, fds);
        if (share == null && ofReceiver) {
            to.markForRemoval(
                    EndReason.LIMIT, "does not read its broadcasts: " + charges.refusal());
        } else if (share == null) {
            messages.refuse(from, view, BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        return share;
    }

    /** Shows monitors the error of a refused broadcast, which its sender does not receive. */
    private void showRefusal(Connection from, Connection to, MessageView view) {
        if (monitors.any()) {
            messages.showError(
                    from,
                    view.serial(),
                    BusError.ACCESS_DENIED.wireName(),
                    String.valueOf(policies.refusesPassing(from, to, view, false)));
        }
    }
}
