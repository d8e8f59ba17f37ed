package io.holdfast.bus.connection;

import io.holdfast.bus.account.LimitTable;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.core.limit.RateLimit;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Charges connections for what they hold, in the words of the bus: a queued message, a match rule,
 * a Hello. The arithmetic is {@link Quota}'s; which limits hold for whom is read again with the
 * configuration. Whatever is refused changes nothing, and {@link #refusal} then says which limit
 * was reached, how full it is, and who filled it.
 */
public final class Charges {
    private static final int FDS_OF_CONNECTION = 2; // its socket and its process

    private final long ownUid;
    private final Quota quota;
    private LimitTable limits;
    private RateLimit<Long> connects;

    /**
     * @param ownUid the user of the bus
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
     * Counts a connection that was just accepted; tells why it is refused if its user opens them
     * too often. Before anything else is asked of the connection: to refuse is cheap.
     */
    Optional<String> refusesConnect(@Nullable Ucred client) {
        if (client == null || client.uid() == 0 || client.uid() == ownUid) {
            return Optional.empty();
        }
        if (connects.tryPass(client.uid())) {
            return Optional.empty();
        }
        BusLimit limit = BusLimit.MAX_CONNECTS_PER_SECOND_PER_USER;
        return Optional.of(
                "%s: user %d opens more than %d connections a second; raise it in a <limit>"
                        .formatted(limit, client.uid(), limits.all().get(limit)));
    }

    /** Those of the whole bus; what one connection and user has says its account. */
    public Limits limits() {
        return limits.all();
    }

    /** Users with limits of their own that this machine does not have. */
    public Iterable<String> unknown() {
        return limits.unknown();
    }

    public Quota quota() {
        return quota;
    }

    /**
     * @param open all connections whose socket is open
     */
    public void reload(LimitTable fresh, Iterable<Connection> open) {
        limits = fresh;
        connects = connects(fresh);
        quota.limits(fresh);
        open.forEach(this::limitByNames);
    }

    /** A name has another owner now, which may have other limits for it. */
    public void ownerChanged(String name, @Nullable Connection from, @Nullable Connection to) {
        if (limits.names().containsKey(name)) {
            limitByNames(from);
            limitByNames(to);
        }
    }

    private void limitByNames(@Nullable Connection connection) {
        if (connection != null) {
            quota.limits(
                    connection.account(), limits.ofConnection(connection.peer().uid(), connection));
        }
    }

    /** Why the last thing was refused. */
    public String refusal() {
        return quota.refusal().toString();
    }

    /** Counts a limit that is not one of the accounts', and stood against a connection. */
    public void over(Connection connection, BusLimit limit) {
        quota.over(connection.account(), limit);
    }

    /** An account for who connects; null if its user has too much already. */
    @Nullable Account open(Peer peer) {
        return quota.open(peer.uid(), peer, FDS_OF_CONNECTION);
    }

    /**
     * Lets a connection be one of those that said Hello; or says why not.
     *
     * @param all how many have said it
     */
    public @Nullable String refusesHello(Connection connection, int all) {
        int most = limits().getInt(BusLimit.MAX_COMPLETED_CONNECTIONS);
        if (all >= most) {
            over(connection, BusLimit.MAX_COMPLETED_CONNECTIONS);
            return BusLimit.MAX_COMPLETED_CONNECTIONS + ": " + all + " of " + most + " used";
        }
        if (!charge(connection, Resource.NAME, 0)) { // the unique one counts
            return refusal();
        }
        if (!quota.complete(connection.account())) {
            release(connection, Resource.NAME);
            return refusal();
        }
        return null;
    }

    /**
     * Charges a message to the queue of its receiver.
     *
     * @param actor who causes it; the receiver itself, if it asked for it
     * @return for {@link Connection#send}; null if it is refused
     */
    public @Nullable Share queue(
            Connection receiver, Account actor, int length, @Nullable PassedFds fds) {
        return quota.charge(
                receiver.account(), actor, Resource.OUTGOING, length, fds == null ? 0 : fds.size());
    }

    /** Charges a connection for one thing of its own; false if it is refused. */
    public boolean charge(Connection connection, Resource what, long bytes) {
        return quota.charge(connection.account(), connection.account(), what, bytes, 0) != null;
    }

    public boolean chargeRule(Connection connection, MatchRule rule) {
        return charge(connection, Resource.MATCH_RULE, rule.toString().length());
    }

    /**
     * Charges the rules of a monitor in place of those that it had as a client; false, and all as
     * it was, if one of them is refused.
     */
    public boolean replaceRules(Connection connection, List<MatchRule> rules) {
        Account account = connection.account();
        int before = account.count(Resource.MATCH_RULE);
        long bytes = account.bytes(Resource.MATCH_RULE);
        for (MatchRule rule : rules) {
            if (!chargeRule(connection, rule)) {
                release(
                        connection,
                        Resource.MATCH_RULE,
                        account.count(Resource.MATCH_RULE) - before,
                        account.bytes(Resource.MATCH_RULE) - bytes);
                return false;
            }
        }
        release(connection, Resource.MATCH_RULE, before, bytes);
        return true;
    }

    public void release(Connection connection, Resource what) {
        release(connection, what, 1, 0);
    }

    public void release(Connection connection, Resource what, int count, long bytes) {
        Account account = connection.account();
        quota.release(account, account.own(), what, count, bytes, 0);
    }

    /** Gives all of one kind back. */
    public void releaseAll(Connection connection, Resource what) {
        Account account = connection.account();
        release(connection, what, account.count(what), account.bytes(what));
    }
}
