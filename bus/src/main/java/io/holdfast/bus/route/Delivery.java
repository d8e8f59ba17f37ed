package io.holdfast.bus.route;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.End;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.WireLimits;
import org.jspecify.annotations.Nullable;

/**
 * Takes messages from one client to another, or to many: what the policies of both allow, what the
 * receiver has room for, with the sender's true name. A call is remembered until its reply, and a
 * reply passes only against a call.
 *
 * <p>A message to one is charged to its sender, who is told if there is no room for it. What a
 * receiver asked for, a reply or a broadcast, is charged to the receiver; if he has no room he is
 * disconnected, since to drop one of them would be a lie.
 */
public final class Delivery {
    private final Charges charges;
    private final Policies policies;
    private final Matches matches;
    private final Monitors monitors;
    private final PendingReplies replies;
    private final BusMessages messages;
    private final Relay relay;

    public Delivery(
            Charges charges,
            Policies policies,
            Matches matches,
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

    /** Hands on what monitors have seen: also what was held for an activation. */
    public void pass(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        String denied = policies.refusesPassing(from, to, view, false);
        if (denied != null) {
            messages.refuse(from, view, BusError.ACCESS_DENIED, denied);
            return;
        }
        if (fds != null && !to.descriptorsPass()) {
            messages.refuse(
                    from, view, BusError.NOT_SUPPORTED, to.name() + " takes no descriptors");
            return;
        }
        int length = from.senderField().relayedLength(view);
        if (length > WireLimits.MAX_MESSAGE) {
            messages.refuse(from, view, BusError.LIMITS_EXCEEDED, "with its sender it is too long");
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
        if (!charges.charge(from, Resource.REPLY, 0)) {
            messages.refuse(from, view, BusError.LIMITS_EXCEEDED, charges.refusal());
            return false;
        }
        if (!replies.add(from, to, view.serial())) {
            charges.release(from, Resource.REPLY);
            messages.refuse(
                    from,
                    view,
                    BusError.ACCESS_DENIED,
                    "serial %d waits for a reply of %s already"
                            .formatted(Integer.toUnsignedLong(view.serial()), to.name()));
            return false;
        }
        return true;
    }

    /** Takes a reply to the one that waits for it; one that nobody waits for is dropped. */
    public void reply(Connection from, Connection to, MessageView view, @Nullable PassedFds fds) {
        if (!replies.take(to, from, view.replySerial())) {
            return; // nobody asked for it
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
                    "the reply of " + from.name() + " has descriptors");
            return;
        }
        int length = from.senderField().relayedLength(view);
        Share share =
                length > WireLimits.MAX_MESSAGE
                        ? null
                        : charges.queue(to, to.account(), length, fds);
        if (share == null) {
            to.markForRemoval(End.LIMIT, "it does not read its replies: " + charges.refusal());
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

    /** Takes a signal to all whose rules match. */
    public void broadcast(Connection from, MessageView view, @Nullable PassedFds fds) {
        monitors.seen(from, null, view, fds);
        int n = matches.find(view, from, null);
        int kept = 0;
        for (int i = 0; i < n; i++) {
            Connection to = matches.found(i);
            if (!policies.passes(from, to, view)) {
                showRefusal(from, to, view);
            } else if (fds == null || to.descriptorsPass()) {
                matches.found(kept++, to);
            }
        }
        if (kept == 0 || from.senderField().relayedLength(view) > WireLimits.MAX_MESSAGE) {
            return;
        }
        relay.stamp(view, from.senderField());
        for (int i = 0; i < kept; i++) {
            Connection to = matches.found(i);
            // It asked for it. Charged to the sender, a foreign one could fill its part by
            // other means, and so have anybody disconnected.
            Share share = charges.queue(to, to.account(), relay.length(), fds);
            if (share == null) {
                to.markForRemoval(
                        End.LIMIT, "it does not read what is broadcast: " + charges.refusal());
            } else {
                to.send(share, relay.bytes(), relay.offset(), relay.length(), fds);
            }
        }
        relay.release();
    }

    /** The sender of a broadcast receives no error; monitors see it. */
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
