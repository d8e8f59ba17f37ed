package io.holdfast.bus.route;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The connections that became monitors: each receives every message that one of its rules matches,
 * once, delivered or refused, and what the bus itself sends. Costs nothing while there is none.
 */
public final class Monitors {
    public record Rule(MatchRule rule, Charge charge) {}

    private final Charges charges;
    private final Buffers buffers;
    private final MatchIndex<Connection> rules = new MatchIndex<>();

    public Monitors(Charges charges, Buffers buffers) {
        this.charges = charges;
        this.buffers = buffers;
    }

    boolean any() {
        return rules.size() > 0;
    }

    public void add(Connection connection, List<Rule> wanted) {
        wanted.forEach(one -> rules.add(connection, one.rule, one.charge));
    }

    public void remove(Connection connection) {
        rules.removeAll(connection);
    }

    /**
     * Shows monitors a message of a client.
     *
     * @param to the addressee, if it is a client or the bus
     */
    public void seen(
            Connection from, @Nullable Party to, MessageView view, @Nullable PassedFds fds) {
        if (any()) {
            show(from, to, view, fds);
        }
    }

    private void show(
            Connection from, @Nullable Party to, MessageView view, @Nullable PassedFds fds) {
        int n = rules.find(view, from, to);
        if (n == 0) {
            return;
        }
        int length = from.senderField().relayedLength(view);
        Buffers.Buffer copy = buffers.take(length);
        int header = from.senderField().writeHeader(view, copy.memory, 0);
        MemorySegment.copy(view.bytes(), view.bodyOffset(), copy.memory, header, view.bodyLength());
        for (int i = 0; i < n; i++) {
            hand(rules.found(i), copy.memory, length, fds);
        }
        buffers.release(copy);
    }

    /** Shows monitors a message of the bus: to a client, to all, or without a receiver yet. */
    void seenOfBus(@Nullable Connection to, MessageView view, @Nullable PassedFds fds) {
        if (any()) {
            int n = rules.find(view, Party.bus(), to);
            for (int i = 0; i < n; i++) {
                if (rules.found(i) != to) {
                    hand(rules.found(i), view.bytes(), view.length(), fds);
                }
            }
        }
    }

    private void hand(Connection to, MemorySegment bytes, int length, @Nullable PassedFds fds) {
        if (fds != null && !to.descriptorsPass()) {
            return; // a message without its descriptors would be of no use to it
        }
        Share share = charges.queue(to, to.account(), length, fds);
        if (share == null) {
            to.markForRemoval(
                    EndReason.LIMIT, "does not read the monitored messages: " + charges.refusal());
        } else {
            to.send(share, bytes, 0, length, fds);
        }
    }
}
