package io.holdfast.bus.account;

import static io.holdfast.bus.account.Quota.BYTES;
import static io.holdfast.bus.account.Quota.FDS;

import io.holdfast.bus.account.Quota.Share;
import io.holdfast.core.limit.FairShare;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What other connections have put into the queue of one connection, by sending user. A share exists
 * only while the queue holds something of that user; the last one that became empty is reused, so
 * that sending to a client that reads allocates nothing. Not thread-safe.
 */
final class SenderShares {
    private @Nullable Share first; // the most recently used
    private @Nullable Share spare; // empty, and not in the list

    /** The bytes and descriptors of all sending users. */
    final long[] used = new long[2];

    /** The number of users who have bytes, and descriptors, in the queue. */
    private final int[] users = new int[2];

    /**
     * Returns what the actor of a share in a budget has in this queue. An empty share is valid only
     * until the next call.
     */
    @SuppressWarnings("ReferenceEquality") // there is one share for two users
    Share of(Share budget) {
        Share before = null;
        for (Share share = first; share != null; share = share.next) {
            if (share.budget == budget) {
                if (before != null) {
                    before.next = share.next;
                    share.next = first;
                    first = share;
                }
                return share;
            }
            before = share;
        }
        Share empty = spare;
        if (empty == null) {
            empty = new Share(budget.user, budget.actor);
            spare = empty;
        }
        empty.user = budget.user;
        empty.actor = budget.actor;
        empty.budget = budget;
        return empty;
    }

    /**
     * Returns whether there is room for one more message. The first message of each user always
     * fits. The receiver's own user may then fill what is free, another user its fair share.
     *
     * @param share what the sending user has in the queue
     * @param amount the bytes or descriptors of the message
     * @param most what all sending users may have in the queue
     */
    boolean fits(Share share, int slot, long amount, long most) {
        long mine = share.used[slot];
        return mine == 0
                || (share.actor == share.user
                        ? used[slot] < most
                        : FairShare.isFair(mine, amount, most - used[slot], users[slot]));
    }

    /** Adds to what a user has in the queue, or subtracts from it. */
    @SuppressWarnings("ReferenceEquality") // this very share
    void add(Share share, long bytes, long fds) {
        boolean wasEmpty = isEmpty(share);
        add(share, BYTES, bytes);
        add(share, FDS, fds);
        if (wasEmpty && !isEmpty(share)) {
            spare = null;
            share.next = first;
            first = share;
        } else if (!wasEmpty && isEmpty(share)) {
            unlink(share);
            spare = share;
        }
    }

    private void add(Share share, int slot, long amount) {
        long before = share.used[slot];
        long after = before + amount;
        int change = (after == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        share.used[slot] = after;
        used[slot] += amount;
        users[slot] += change;
        Share budget = share.budget;
        if (budget != null) {
            budget.queues[slot] += change;
        }
    }

    private static boolean isEmpty(Share share) {
        return share.used[BYTES] == 0 && share.used[FDS] == 0;
    }

    @SuppressWarnings("ReferenceEquality") // this very share
    private void unlink(Share share) {
        Share before = null;
        for (Share one = first; one != null && one != share; one = one.next) {
            before = one;
        }
        if (before == null) {
            first = share.next;
        } else {
            before.next = share.next;
        }
        share.next = null;
    }

    /** Returns what each sending user has of a slot, by uid. */
    Map<Long, Long> held(int slot) {
        Map<Long, Long> held = new LinkedHashMap<>();
        for (Share share = first; share != null; share = share.next) {
            held.put(share.actor.uid, share.used[slot]);
        }
        return held;
    }
}
