package io.holdfast.bus.route;

import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.policy.Party;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the connections that get a message by their match rules, in an index over all rules. */
public final class Matches {
    private final MatchIndex index = new MatchIndex();
    private @Nullable Connection[] owners = new @Nullable Connection[16]; // by number in the index
    private @Nullable Connection[] found = new @Nullable Connection[16];
    private int firstFree;

    public void add(Connection connection, MatchRule rule) {
        if (connection.matchOwner < 0) {
            connection.matchOwner = number(connection);
        }
        index.add(connection.matchOwner, rule);
    }

    private int number(Connection connection) {
        int at = firstFree;
        while (at < owners.length && owners[at] != null) {
            at++;
        }
        if (at == owners.length) {
            owners = Arrays.copyOf(owners, at * 2);
            found = new @Nullable Connection[at * 2];
        }
        owners[at] = connection;
        firstFree = at + 1;
        return at;
    }

    /** Removes a rule; returns false if the connection has no such rule. */
    public boolean remove(Connection connection, MatchRule rule) {
        return connection.matchOwner >= 0 && index.remove(connection.matchOwner, rule);
    }

    public void removeAll(Connection connection) {
        int number = connection.matchOwner;
        if (number >= 0) {
            int ignored = index.removeAll(number);
            owners[number] = null;
            firstFree = Math.min(firstFree, number);
            connection.matchOwner = -1;
        }
    }

    /** Returns the number of all rules, each counted as often as it was added. */
    public int size() {
        return index.size();
    }

    public int size(Connection connection) {
        return connection.matchOwner < 0 ? 0 : index.size(connection.matchOwner);
    }

    public List<MatchRule> rules(Connection connection) {
        return connection.matchOwner < 0 ? List.of() : index.rules(connection.matchOwner);
    }

    /**
     * Finds the connections of all rules that match.
     *
     * @param receiver the addressee; null for a broadcast
     * @return their number: they are the first elements of {@link #found}
     */
    int find(MessageView message, Party sender, @Nullable Party receiver) {
        if (index.size() == 0) {
            return 0;
        }
        int n = index.find(message, sender, receiver);
        int[] numbers = index.found();
        for (int i = 0; i < n; i++) {
            found[i] = owners[numbers[i]];
        }
        return n;
    }

    /** Returns a connection that the last search found. Valid until the next one. */
    Connection found(int i) {
        return java.util.Objects.requireNonNull(found[i]);
    }

    /** Replaces an element of what was found. */
    void found(int i, Connection connection) {
        found[i] = connection;
    }
}
