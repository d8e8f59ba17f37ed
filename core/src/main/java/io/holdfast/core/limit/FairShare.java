package io.holdfast.core.limit;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A limit that several users share, so that no user can take all of it.
 *
 * <p>A single limit for all users lets the first user starve the others. A fixed part for each user
 * wastes the parts that the others do not need. The rule here is that of dbus-broker: if <i>n</i>
 * users hold something, a user may hold at most one (<i>n</i> + 1)th of the free amount plus the
 * user's own. The first user gets at most half, the second at most a third of the rest, and the
 * next user always finds a share. A user who already holds more than that, because others came
 * later, keeps it and gets no more.
 *
 * <pre>{@code
 * FairShare<Long> calls = FairShare.of(CALLS);
 * Charge<Long> charge = calls.charge(uid, 1);
 * if (charge == null) {
 *     throw refused(calls.refusal(uid)); // the usage, its users, and how to raise the limit
 * }
 * try (charge) {
 *     answer();
 * }
 * }</pre>
 *
 * <p>For a small limit, {@link #withLeast} grants each user a minimum as long as something is free.
 * With {@link #withTrusted}, trusted users may take all that is free, and half of the limit is
 * reserved for them. Thread-safe.
 *
 * @param <K> the user; a {@link Long} is shown as a uid
 */
public final class FairShare<K> {
    private final String name;
    private final String remedy;
    private final long least;
    private final Predicate<? super K> trusted;
    private final boolean hasReserve;
    private final boolean oneAlone;

    // guarded by this
    private long limit;

    // guarded by this
    private long total;

    /** The part of the total that untrusted users hold. */
    // guarded by this
    private long ofOthers;

    /** The number of untrusted users who hold something. */
    // guarded by this
    private int holders;

    // guarded by this
    private final Map<K, Long> held = new HashMap<>();

    private FairShare(
            String name,
            long limit,
            String remedy,
            long least,
            Predicate<? super K> trusted,
            boolean hasReserve,
            boolean oneAlone) {
        this.name = name;
        this.limit = limit;
        this.remedy = remedy;
        this.least = least;
        this.trusted = trusted;
        this.hasReserve = hasReserve;
        this.oneAlone = oneAlone;
    }

    /**
     * Shares a named limit.
     *
     * @param <K> the type of the user
     * @return the share
     */
    public static <K> FairShare<K> of(Limit limit) {
        return of(limit.what(), limit.value(), limit.remedy());
    }

    /**
     * Shares a limit that is not set by a property.
     *
     * @param <K> the type of the user
     * @param name the shared resource, in the plural, for refusals
     * @param limit 0 or more
     * @param remedy how to raise it, for refusals
     * @return the share
     */
    public static <K> FairShare<K> of(String name, long limit, String remedy) {
        return new FairShare<>(name, limit, remedy, 0, _ -> false, false, false);
    }

    /**
     * {@return the same limit, of which each user may hold a minimum while it is free, whatever the
     * user's share} With 1 each user gets at least one item.
     *
     * @param amount the minimum, 0 or more
     */
    public FairShare<K> withLeast(long amount) {
        synchronized (this) {
            return new FairShare<>(name, limit, remedy, amount, trusted, hasReserve, oneAlone);
        }
    }

    /**
     * {@return the same limit, of which trusted users may take all that is free, and of which half
     * is reserved for them}
     *
     * @param users selects the trusted users
     */
    public FairShare<K> withTrusted(Predicate<? super K> users) {
        synchronized (this) {
            return new FairShare<>(name, limit, remedy, least, users, true, oneAlone);
        }
    }

    /**
     * {@return the same limit, which a single charge may exceed while nothing else is held: such as
     * a message of any length}
     */
    public FairShare<K> withOneAlone() {
        synchronized (this) {
            return new FairShare<>(name, limit, remedy, least, trusted, hasReserve, true);
        }
    }

    /**
     * {@return whether a user who holds {@code own} may take {@code amount} more: the rule of this
     * class, for callers that keep their own accounts}
     *
     * @param amount the amount to take, 0 or more
     * @param users the number of users who hold something, including this one
     */
    public static boolean isFair(long own, long amount, long free, long users) {
        return amount <= free && own + amount <= (free + own) / (users + 1);
    }

    /**
     * Takes a part of the limit.
     *
     * @param user the user, with {@code equals}
     * @param amount the amount, 0 or more
     * @return the charge, or null if the amount exceeds the user's share
     */
    public synchronized @Nullable Charge<K> charge(K user, long amount) {
        if (!mayTake(user, amount)) {
            return null;
        }
        add(user, amount);
        return new Charge<>(this, user, amount);
    }

    /**
     * Takes a part of the limit, which {@link #release} gives back.
     *
     * @param user the user, with {@code equals}
     * @param amount the amount, 0 or more
     * @return false if the amount exceeds the user's share
     */
    public synchronized boolean tryTake(K user, long amount) {
        boolean may = mayTake(user, amount);
        if (may) {
            add(user, amount);
        }
        return may;
    }

    /**
     * Takes a part of the limit whatever the user's share, to account for something that the user
     * already holds. {@link #release} gives it back.
     *
     * @param user the user, with {@code equals}
     * @param amount the amount, 0 or more
     */
    public synchronized void take(K user, long amount) {
        add(user, amount);
    }

    /**
     * Gives back an amount that {@link #tryTake} or {@link #take} took.
     *
     * @param user the user, with {@code equals}
     * @param amount the amount, 0 or more
     * @throws IllegalStateException if the user holds less than that
     */
    public synchronized void release(K user, long amount) {
        requireHeld(amount, held(user));
        add(user, -amount);
    }

    private static void requireHeld(long amount, long held) {
        if (amount > held) {
            throw new IllegalStateException("releases " + amount + " of " + held);
        }
    }

    /**
     * {@return whether a user may take an amount now}
     *
     * @param user the user, with {@code equals}
     * @param amount the amount, 0 or more
     */
    public synchronized boolean mayTake(K user, long amount) {
        if (oneAlone && total == 0) {
            return true;
        }
        long free = Math.max(0, limit - total);
        if (trusted.test(user)) {
            return amount <= free;
        }
        long freeForOthers = hasReserve ? Math.min(free, limit / 2 - ofOthers) : free;
        long own = held(user);
        return amount <= freeForOthers
                && (own + amount <= least
                        || isFair(own, amount, freeForOthers, holders + (own == 0 ? 1 : 0)));
    }

    // the caller holds the lock
    private void add(K user, long change) {
        long before = held(user);
        long after = before + change;
        total += change;
        if (!trusted.test(user)) {
            ofOthers += change;
            holders += (after == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        }
        if (after == 0) {
            held.remove(user);
        } else {
            held.put(user, after);
        }
    }

    /**
     * Sets another limit. All charges stay, even if they exceed it.
     *
     * @param other the new limit, 0 or more
     */
    public synchronized void limit(long other) {
        limit = other;
    }

    /**
     * {@return how much a user holds}
     *
     * @param user the user, with {@code equals}
     */
    public synchronized long held(K user) {
        return held.getOrDefault(user, 0L);
    }

    /** {@return how much all users hold} */
    public synchronized long total() {
        return total;
    }

    /** {@return how many users hold something} */
    public synchronized int users() {
        return held.size();
    }

    /**
     * {@return the reason why a user gets no more, on one line: the resource, its usage, the users
     * who hold it, and how to raise the limit}
     *
     * @param user the user, with {@code equals}
     */
    public synchronized String refusal(K user) {
        long own = held(user);
        int others = held.size() - (own == 0 ? 0 : 1);
        String taken =
                total == own
                        ? ""
                        : ", others hold %d (%d user%s)"
                                .formatted(total - own, others, others == 1 ? "" : "s");
        return "%s: %s holds %d of %d%s; %s"
                .formatted(name, shown(user), own, limit, taken, remedy);
    }

    private static String shown(Object user) {
        return user instanceof Long uid ? "user " + uid : user.toString();
    }
}
