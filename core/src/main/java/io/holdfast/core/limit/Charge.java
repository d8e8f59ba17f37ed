package io.holdfast.core.limit;

/**
 * A part of a {@link FairShare} that a user holds until the charge is closed, so that nobody has to
 * remember how much to give back. Thread-safe.
 *
 * @param <K> the user
 */
public final class Charge<K> implements AutoCloseable {
    private final FairShare<K> share;

    // guarded by this
    private final K user;

    // guarded by this
    private long amount;

    // guarded by this
    private boolean closed;

    /** {@return a charge that grows without limit: for memory that no stranger fills} */
    public static Charge<?> unlimited() {
        FairShare<String> all = FairShare.of("memory", Long.MAX_VALUE, "no limit is set");
        return new Charge<>(all.withTrusted(_ -> true), "the process", 0);
    }

    /** What is charged already. */
    Charge(FairShare<K> share, K user, long amount) {
        this.share = share;
        this.user = user;
        this.amount = amount;
    }

    /**
     * Takes more for the same user.
     *
     * @param more 0 or more
     * @return false if that is more than the user's share, or the charge is closed: then nothing
     *     changes
     */
    public synchronized boolean grow(long more) {
        if (closed || !share.tryTake(user, more)) {
            return false;
        }
        amount += more;
        return true;
    }

    /**
     * Gives a part back; nothing happens if the charge is closed.
     *
     * @param less how much is given back
     * @throws IllegalStateException if it is less than that
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

    /** {@return why it could not grow, as {@link FairShare#refusal} says it} */
    public synchronized String refusal() {
        return share.refusal(user);
    }

    /** Gives it back. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            share.release(user, amount);
        }
    }
}
