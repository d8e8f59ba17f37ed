package io.holdfast.bus;

import io.holdfast.bus.config.Limit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.socket.Peer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What each user and each connection may take of the bus, and takes. Each check answers null, or
 * which limit is reached, how full it is, and by whom.
 */
final class Accounts {
    private final Broker broker;
    private Limits limits;
    private final Map<Long, Account> byUid = new HashMap<>();
    private final List<@Nullable Account> byNumber = new ArrayList<>();
    private final Set<Connection> open = new HashSet<>();

    Accounts(Broker broker, Limits limits) {
        this.broker = broker;
        this.limits = limits;
    }

    Limits limits() {
        return limits;
    }

    void reload(Limits fresh) {
        limits = fresh;
    }

    /** The account of a user; made if there is none. */
    Account of(long uid) {
        return byUid.computeIfAbsent(
                uid,
                key -> {
                    int number = byNumber.indexOf(null);
                    Account account = new Account(uid, number < 0 ? byNumber.size() : number);
                    if (number < 0) {
                        byNumber.add(account);
                    } else {
                        byNumber.set(number, account);
                    }
                    return account;
                });
    }

    /** All connections whose socket is open. */
    Set<Connection> open() {
        return open;
    }

    /** A connection is there. */
    void opened(Connection connection) {
        boolean ignored = open.add(connection);
        connection.account().connections++;
    }

    void closed(Connection connection) {
        if (open.remove(connection)) {
            Account account = connection.account();
            account.connections--;
            if (account.connections == 0) {
                byUid.remove(account.uid);
                byNumber.set(account.user, null);
            }
        }
    }

    boolean isWaitingRoomFull() {
        return broker.unregisteredCount() >= limits.getInt(Limit.MAX_INCOMPLETE_CONNECTIONS);
    }

    @Nullable String refusesHello(Connection connection) {
        int all = broker.connections.size();
        if (all >= limits.getInt(Limit.MAX_COMPLETED_CONNECTIONS)) {
            return full(Limit.MAX_COMPLETED_CONNECTIONS, all) + " by all users";
        }
        Account account = connection.account();
        if (account.registered >= limits.getInt(Limit.MAX_CONNECTIONS_PER_USER)) {
            return full(Limit.MAX_CONNECTIONS_PER_USER, account.registered)
                    + " by user "
                    + account.uid;
        }
        return null;
    }

    /** Whether one more message finds no room in the queue of its receiver. */
    @Nullable String refusesMessage(
            Connection from, Connection to, int length, @Nullable PassedFds fds) {
        OutQueue queue = to.out();
        if (queue.bytes() > limits.get(Limit.MAX_OUTGOING_BYTES) - length && to.isBlocked()) {
            return full(Limit.MAX_OUTGOING_BYTES, queue.bytes()) + " of " + to;
        }
        if (fds != null
                && queue.descriptors() > limits.getInt(Limit.MAX_OUTGOING_UNIX_FDS) - fds.size()) {
            return full(Limit.MAX_OUTGOING_UNIX_FDS, queue.descriptors()) + " of " + to;
        }
        return null;
    }

    /** The same for what the receiver itself asked for. */
    @Nullable String refusesReply(Connection to, int length, @Nullable PassedFds fds) {
        return refusesMessage(to, to, length, fds);
    }

    /** Whether one more call finds no place among those that wait for a reply. */
    @Nullable String refusesCall(Connection from) {
        int outstanding = from.replies.outstanding();
        return outstanding < limits.getInt(Limit.MAX_REPLIES_PER_CONNECTION)
                ? null
                : full(Limit.MAX_REPLIES_PER_CONNECTION, outstanding) + " of " + from;
    }

    @Nullable String refusesName(Connection by, String name) {
        int names = by.owned.size() + 1; // the unique one counts
        BusName known = broker.names.find(name);
        if (names < limits.getInt(Limit.MAX_NAMES_PER_CONNECTION)
                || (known != null && known.indexOf(by) >= 0)) {
            return null;
        }
        return full(Limit.MAX_NAMES_PER_CONNECTION, names) + " of " + by;
    }

    @Nullable String refusesMatch(Connection by) {
        int rules = broker.matches.size(by);
        return rules < limits.getInt(Limit.MAX_MATCH_RULES_PER_CONNECTION)
                ? null
                : full(Limit.MAX_MATCH_RULES_PER_CONNECTION, rules) + " of " + by;
    }

    /** Whether a client is not even let in. */
    @Nullable String refusesConnection(Peer peer) {
        Account account = byUid.get(peer.uid());
        long most =
                2 * limits.get(Limit.MAX_CONNECTIONS_PER_USER)
                        + limits.getInt(Limit.MAX_INCOMPLETE_CONNECTIONS);
        return account == null || account.connections < most
                ? null
                : full(Limit.MAX_CONNECTIONS_PER_USER, account.connections)
                        + " by user "
                        + account.uid;
    }

    private String full(Limit limit, long now) {
        return "%s is %d, and %d are taken".formatted(limit, limits.get(limit), now);
    }
}
