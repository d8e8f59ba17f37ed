package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.activation.ServiceActivation;
import io.holdfast.bus.connection.BusName;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Monitors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Registers connections at Hello, turns them into monitors, and takes them off the bus. What a
 * leaving connection owned, requested and owed is released here, and the other clients receive the
 * signals and errors about it.
 */
public final class Membership {
    // The text of dbus-daemon, because programs compare it.
    private static final String DISCONNECTED =
            "Message recipient disconnected from message bus without replying";

    private final Connections connections;
    private final Policies policies;
    private final NameRegistry names;
    private final MatchIndex<Connection> matches;
    private final Monitors monitors;
    private final PendingReplies replies;
    private final BusMessages messages;
    private final ServiceActivation activation;

    public Membership(
            Connections connections,
            Policies policies,
            NameRegistry names,
            MatchIndex<Connection> matches,
            Monitors monitors,
            PendingReplies replies,
            BusMessages messages,
            ServiceActivation activation) {
        this.connections = connections;
        this.policies = policies;
        this.names = names;
        this.matches = matches;
        this.monitors = monitors;
        this.replies = replies;
        this.messages = messages;
        this.activation = activation;
    }

    /** Registers a client that said Hello. */
    void join(Connection connection) throws BusErrorException {
        String limit = connections.charges().refusesHello(connection);
        if (limit != null) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, limit);
        }
        connections.register(connection);
        policies.registered(connection);
        countNames(connection);
    }

    /**
     * Turns a client into a monitor; for all other clients it has left the bus.
     *
     * @param rules the monitor's rules with their charges
     */
    void becomeMonitor(Connection connection, List<Monitors.Rule> rules) {
        names.releaseAll(connection);
        matches.removeAll(connection);
        activation.forget(connection);
        leave(connection);
        connection.becomeMonitor();
        monitors.add(connection, rules);
    }

    /** Takes a connection off the bus. */
    public void gone(Connection connection, EndReason why, @Nullable String reason) {
        connections.charges().quota().ended(connection.account(), why);
        if (reason != null) {
            connections.log().disconnected(connection, reason);
        }
        switch (connection.state()) {
            case REGISTERED -> {
                names.releaseAll(connection);
                matches.removeAll(connection);
                activation.forget(connection);
                leave(connection);
            }
            case MONITOR -> monitors.remove(connection);
            case AUTHENTICATING, UNREGISTERED -> connections.remove(connection);
            case LINGERING, CLOSED -> {}
        }
    }

    private void leave(Connection connection) {
        messages.nameLost(connection, connection.name());
        connections.remove(connection);
        messages.nameOwnerChanged(connection.name(), connection.name(), "");
        replies.end(
                connection,
                unanswered ->
                        messages.error(
                                unanswered.caller(),
                                unanswered.serial(),
                                BusError.NO_REPLY,
                                DISCONNECTED));
        connection.leaveName();
    }

    /** Announces that a well-known name has another owner. */
    public void ownerChanged(BusName name, @Nullable Connection from, @Nullable Connection to) {
        String text = name.toString();
        connections.charges().ownerChanged(text, from, to);
        if (from != null) {
            messages.nameLost(from, text);
        }
        messages.nameOwnerChanged(
                text, from == null ? "" : from.name(), to == null ? "" : to.name());
        if (to != null) {
            messages.nameAcquired(to, text);
            activation.appeared(text, to);
        } else {
            activation.disappeared(text);
        }
    }

    /** Updates the peak numbers of names. */
    void countNames(Connection by) {
        BusCounters counters = connections.counters();
        counters.peakNames =
                Math.max(counters.peakNames, names.size() + connections.registered().size());
        counters.peakNamesOfOne = Math.max(counters.peakNamesOfOne, by.owned().size() + 1);
    }

    /** Updates the peak numbers of match rules. */
    void countMatches(Connection by) {
        BusCounters counters = connections.counters();
        counters.peakMatches = Math.max(counters.peakMatches, matches.size());
        counters.peakMatchesOfOne = Math.max(counters.peakMatchesOfOne, matches.size(by));
    }
}
