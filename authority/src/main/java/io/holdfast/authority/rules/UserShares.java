package io.holdfast.authority.rules;

import java.util.HashMap;
import java.util.Map;

/**
 * A limit that users share. Each may take at most one (n + 1)th of what is free and his already, n
 * being how many have something, and one in any case while one is free: whoever takes all that he
 * may leaves something for the next. Safe for use by any thread.
 */
final class UserShares {
    private final Map<Long, Integer> taken = new HashMap<>();
    private int limit;
    private int total;

    UserShares(int limit) {
        this.limit = limit;
    }

    /** From now on another limit holds; what is above it stays. */
    synchronized void limit(int other) {
        limit = other;
    }

    synchronized boolean mayTake(long user) {
        int own = taken(user);
        int sharers = own == 0 ? taken.size() + 1 : taken.size();
        return total < limit && own < Math.max(1, (limit - total + own) / (sharers + 1));
    }

    /** Takes one, unless the user's share is used up. */
    synchronized boolean tryTake(long user) {
        if (!mayTake(user)) {
            return false;
        }
        int _ = taken.merge(user, 1, Integer::sum);
        total++;
        return true;
    }

    /** Gives back one that was taken. */
    synchronized void release(long user) {
        int own = taken(user);
        if (own == 0) {
            throw new IllegalStateException("user " + user + " has none");
        }
        total--;
        if (own == 1) {
            taken.remove(user);
        } else {
            taken.put(user, own - 1);
        }
    }

    synchronized int taken(long user) {
        return taken.getOrDefault(user, 0);
    }

    /**
     * Why nothing more is given, for people.
     *
     * @param what it is, in the plural
     * @param property that sets the limit
     */
    synchronized String refusal(long user, String what, String property) {
        int own = taken(user);
        return own == 0
                ? "%d users have %d %s, which is the limit (%s)"
                        .formatted(taken.size(), total, what, property)
                : "user %d has %d %s, which is his share of %d (%s)"
                        .formatted(user, own, what, limit, property);
    }
}
