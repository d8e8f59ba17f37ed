package io.holdfast.bus.account;

import io.holdfast.bus.account.Quota.User;
import io.holdfast.core.limit.FairShare;
import java.util.function.LongPredicate;

/** The connections of a bus that said Hello, and how its users share them. Not thread-safe. */
final class CompletedConnections {
    private final LongPredicate trusted;
    private long count;
    private long ofOthers; // than the trusted users
    private int others; // users with connections among them

    /**
     * @param trusted selects root and the user of the bus
     */
    CompletedConnections(LongPredicate trusted) {
        this.trusted = trusted;
    }

    long count() {
        return count;
    }

    /**
     * Returns whether a user may have one more. Half of them are for root and the user of the bus.
     * Of the other half, the first half is given out on demand, so that a user may have many
     * connections beside many users who have few, and the rest by the fair rule.
     *
     * @param most the limit of the bus
     */
    boolean fits(User user, long most) {
        if (count >= most || trusted.test(user.uid)) {
            return count < most;
        }
        long forOthers = most - most / 2;
        return ofOthers < forOthers - forOthers / 2
                || FairShare.isFair(
                        user.completed,
                        1,
                        forOthers - ofOthers,
                        others + (user.completed == 0 ? 1 : 0));
    }

    /** Counts one more or one less. */
    void add(User user, int change) {
        boolean had = user.completed > 0;
        user.completed += change;
        count += change;
        if (!trusted.test(user.uid)) {
            ofOthers += change;
            others += (user.completed > 0 ? 1 : 0) - (had ? 1 : 0);
        }
    }
}
