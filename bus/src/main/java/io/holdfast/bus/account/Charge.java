package io.holdfast.bus.account;

import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;

/**
 * What a connection is charged for one thing, until it is closed. It remembers the amounts to
 * release. Not thread-safe.
 */
public final class Charge implements AutoCloseable {
    private final Quota quota;
    private final Account account;
    private final Share share;
    private final ChargedResource what;
    private final int count;
    private final long bytes;
    private final int fds;
    private boolean closed;

    Charge(
            Quota quota,
            Account account,
            Share share,
            ChargedResource what,
            int count,
            long bytes,
            int fds) {
        this.quota = quota;
        this.account = account;
        this.share = share;
        this.what = what;
        this.count = count;
        this.bytes = bytes;
        this.fds = fds;
    }

    /** Releases the charge. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            quota.release(account, share, what, count, bytes, fds);
        }
    }
}
