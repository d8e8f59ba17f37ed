package io.holdfast.bus.connection;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.LimitTable;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.core.limit.RateLimit;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Charges connections for what they hold, in the terms of the bus: a queued message, a match rule,
 * a Hello. {@link Quota} does the arithmetic; a reload of the configuration replaces the limits. A
 * refused charge changes nothing, and {@link #refusal} then says which limit was reached, how full
 * it is, and which users fill it.
 */
public final class Charges {
    private static final int FDS_OF_CONNECTION = 2; // its socket and its pidfd

    private final long ownUid;
    private final Quota quota;
    private LimitTable limits;
    private RateLimit<Long> connects;

    /**
     * @param ownUid the uid that the bus runs as
     */
    public Charges(long ownUid, LimitTable limits) {
        this.ownUid = ownUid;
        this.limits = limits;
        this.quota = new Quota(limits);
        this.connects = connects(limits);
    }

    private static RateLimit<Long> connects(LimitTable limits) {
        return RateLimit.of(
                Math.max(1, limits.all().getInt(BusLimit.MAX_CONNECTS_AT_ONCE_PER_USER)),
                Math.max(1, limits.all().getInt(BusLimit.MAX_CONNECTS_PER_SECOND_PER_USER)),
                Quota.MAX_PAST_USERS);
    }

    /**
     * Counts a connection that was just accepted. Returns the refusal if its user opens connections
     * too often. This is the first check of a connection, because it is a cheap one.
     */
    Optional<String> refusesConnect(@Nullable Ucred client) {
        if (client == null || isTrusted(client.uid())) {
            return Optional.empty();
        }
        if (connects.tryPass(limits.userOf(client.uid()))) {
            return Optional.empty();
        }
        BusLimit limit = BusLimit.MAX_CONNECTS_PER_SECOND_PER_USER;
        return Optional.of(
                "%s: user %d opens more than %d connections a second; raise it in a <limit>"
                        .formatted(limit, client.uid(), limits.all().get(limit)));
    }

    private boolean isTrusted(long uid) {
        return uid == 0 || uid == ownUid;
    }

    /** Returns whether a connection is one of root, or of the user of the bus. */
    public boolean isTrusted(Connection connection) {
        return isTrusted(connection.account().uid());
    }

    /** Returns the limits of the whole bus; an account has those of its connection and user. */
    public Limits limits() {
        return limits.all();
    }

    /** Returns one line for each configured user that this machine does not have. */
    public Iterable<String> unknown() {
        return limits.unknown();
    }

    public Quota quota() {
        return quota;
    }

    /**
     * Replaces the limits.
     *
     * @param open all connections whose socket is open
     */
    public void reload(LimitTable fresh, Iterable<Connection> open) {
        limits = fresh;
        connects = connects(fresh);
        quota.limits(fresh);
        open.forEach(this::limitByNames);
    }

    /** Applies the limits of a name that has another owner now. */
    public void ownerChanged(String name, @Nullable Connection from, @Nullable Connection to) {
        if (limits.names().containsKey(name)) {
            limitByNames(from);
            limitByNames(to);
        }
    }

    private void limitByNames(@Nullable Connection connection) {
        if (connection != null) {
            quota.limits(
                    connection.account(),
                    limits.ofConnection(connection.account().uid(), connection));
        }
    }

    /** Returns why the last charge was refused. */
    public String refusal() {
        return quota.refusal().toString();
    }

    /** Counts a refusal to a connection by a limit that the accounts do not check. */
    public void over(Connection connection, BusLimit limit) {
        quota.over(connection.account(), limit);
    }

    /** Opens an account for a new connection; null if a limit of its user refuses it. */
    @Nullable Account open(Peer peer) {
        return quota.open(peer.uid(), peer, FDS_OF_CONNECTION);
    }

    /** Charges a connection for Hello. Returns the refusal, or null. */
    public @Nullable String refusesHello(Connection connection) {
        Charge charge = hold(connection, ChargedResource.NAME); // the unique name counts
        if (charge == null) {
            return refusal();
        }
        if (!quota.complete(connection.account())) {
            charge.close();
            return refusal();
        }
        connection.uniqueName = charge;
        return null;
    }

    /**
     * Charges a message to the queue of its receiver.
     *
     * @param actor the account that causes it; the receiver's own for what the receiver requested
     * @return the share for {@link Connection#send}; null if the charge is refused
     */
    public @Nullable Share queue(
            Connection receiver, Account actor, int length, @Nullable PassedFds fds) {
        return quota.charge(
                receiver.account(),
                actor,
                ChargedResource.OUTGOING,
                length,
                fds == null ? 0 : fds.size());
    }

    /** Charges a connection for one thing of its own; returns null if the charge is refused. */
    public @Nullable Charge hold(Connection connection, ChargedResource what) {
        return quota.hold(connection.account(), what, 1, 0, 0);
    }

    /**
     * Charges a connection for a match rule; returns null if the charge is refused. A rule counts
     * once for each of its argument tests, since the time of a search depends on these.
     */
    public @Nullable Charge rule(Connection connection, MatchRule rule) {
        return quota.hold(
                connection.account(),
                ChargedResource.MATCH_RULE,
                Math.max(1, rule.arguments().size()),
                rule.toString().length(),
                0);
    }
}
