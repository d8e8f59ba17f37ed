package io.holdfast.core.limit;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A rate limit for each user, by one token bucket per user: a burst at once, and then a number of
 * times per second or another interval.
 *
 * <p>A user whose bucket is full again is forgotten, so the table holds only users who were active
 * within the time in which an empty bucket fills, and at most {@code users} of them. If there are
 * more, the user that passed least recently is forgotten, and starts again with a full bucket.
 * Thread-safe.
 */
public final class RateLimit<K> {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final int burst;
    private final long token; // nanoseconds in which a bucket gets one
    private final int users;
    private final LongSupplier nanoTime;

    /** The time at which the bucket of a user will be full again, in the order of the last use. */
    // guarded by this
    private final Map<K, Long> fullAt = new LinkedHashMap<>();

    private RateLimit(int burst, long token, int users, LongSupplier nanoTime) {
        if (burst < 1 || token < 1 || users < 1) {
            throw new IllegalArgumentException("a limit is not positive");
        }
        this.burst = burst;
        this.token = token;
        this.users = users;
        this.nanoTime = nanoTime;
    }

    /**
     * {@return a limit of the same rate for each user}
     *
     * @param <K> the type of the user
     * @param burst how many times at once, 1 or more
     * @param perSecond how many times per second after that, 1 or more
     * @param users how many users are remembered, 1 or more
     */
    public static <K> RateLimit<K> of(int burst, int perSecond, int users) {
        if (perSecond < 1) {
            throw new IllegalArgumentException("a limit is not positive");
        }
        return new RateLimit<>(burst, SECOND / perSecond, users, System::nanoTime);
    }

    /**
     * {@return a limit of the same rate for each user}
     *
     * @param <K> the type of the user
     * @param interval the interval in which a user that has done so many gets them again
     * @param burst how many times at once, 1 or more
     * @param users how many users are remembered, 1 or more
     */
    public static <K> RateLimit<K> in(Duration interval, int burst, int users) {
        return new RateLimit<>(
                burst, interval.toNanos() / Math.max(1, burst), users, System::nanoTime);
    }

    /**
     * {@return the same limit with another clock}
     *
     * @param clock the time in nanoseconds, like {@link System#nanoTime}
     */
    public RateLimit<K> withClock(LongSupplier clock) {
        return new RateLimit<>(burst, token, users, clock);
    }

    /**
     * Takes a token of a user.
     *
     * @param user the user, with {@code equals}
     * @return false if the user has no token left
     */
    public synchronized boolean tryPass(K user) {
        long now = nanoTime.getAsLong();
        Long known = fullAt.get(user);
        long full = known == null || known - now < 0 ? now : known;
        if (full - now > (burst - 1) * token) {
            return false;
        }
        forget(now);
        if (known == null && fullAt.size() >= users) {
            K first = fullAt.keySet().iterator().next();
            fullAt.remove(first);
        }
        fullAt.remove(user); // to the end of the table: the order is that of the last use
        fullAt.put(user, full + token);
        return true;
    }

    /** Forgets the users at the head of the table whose buckets are full. */
    // the caller holds the lock
    private void forget(long now) {
        for (Iterator<Long> each = fullAt.values().iterator(); each.hasNext(); ) {
            if (each.next() - now > 0) {
                return;
            }
            each.remove();
        }
    }

    /** The number of users in the table. */
    synchronized int remembered() {
        return fullAt.size();
    }
}
