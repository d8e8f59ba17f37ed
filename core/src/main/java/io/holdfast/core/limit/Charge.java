package io.holdfast.core.limit;

/**
 * A part of a {@link FairShare} that a user holds until the charge is closed. It remembers the
 * amount to give back. Thread-safe.
 */
public final class Charge<K> implements AutoCloseable {
    private final FairShare<K> share;

    // guarded by this
    private final K user;

    // guarded by this
    private long amount;

    // guarded by this
    private boolean closed;

    /** {@return a charge that grows without limit: for memory that no other user can fill} */
    public static Charge<?> unlimited() {
        FairShare<String> all = FairShare.of("memory", Long.MAX_VALUE, "no limit is set");
        return new Charge<>(all.withTrusted(_ -> true), "the process", 0);
    }

    /** Makes the charge of an amount that the share has already counted. */
    Charge(FairShare<K> share, K user, long amount) {
        this.share = share;
        this.user = user;
        this.amount = amount;
    }

    /**
     * Takes more for the same user.
     *
     * @param more 0 or more
     * @return false, and nothing changes, if that exceeds the user's share or the charge is closed
     */
    public synchronized boolean grow(long more) {
        if (closed || !share.tryTake(user, more)) {
            return false;
        }
        amount += more;
        return true;
    }

    /**
     * Gives a part back. Does nothing if the charge is closed.
     *
     * @param less the amount to give back
     * @throws IllegalStateException if the charge holds less than that
     */
    public synchronized void shrink(long less) {
        if (!closed) {
            if (less > amount) {
                throw new IllegalStateException("gives back " + less + " of " + amount);
            }
            share.release(user, less);
            amount -= less;
        }
    }

    /** {@return the reason why it could not grow, as {@link FairShare#refusal} words it} */
    public synchronized String refusal() {
        return share.refusal(user);
    }

    /** Gives the whole charge back. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            share.release(user, amount);
        }
    }
}
