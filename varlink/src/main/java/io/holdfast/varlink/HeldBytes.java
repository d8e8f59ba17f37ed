package io.holdfast.varlink;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory that a server's clients may make it hold together: calls until they are answered, and
 * replies until they are read. Thread-safe.
 */
final class HeldBytes {
    private final long most;
    private final int part;

    @GuardedBy("this")
    private long all;

    @GuardedBy("this")
    private final Map<Long, Long> byUid = new HashMap<>();

    private HeldBytes(long most, int part) {
        this.most = most;
        this.part = part;
    }

    /**
     * For users who do not trust each other: each takes at most half of what is free and its own
     * already, so that many of them have to come before nothing is left.
     *
     * @param most bytes of all clients together
     */
    static HeldBytes shared(long most) {
        return new HeldBytes(most, 2);
    }

    /** For users each of whom may take all. */
    static HeldBytes trusted(long most) {
        return new HeldBytes(most, 1);
    }

    /** For one whose memory nobody else counts on: a client's. */
    static Account unlimited() {
        return trusted(Long.MAX_VALUE).open(0);
    }

    /** Begins to count for a connection of a user. */
    Account open(long uid) {
        return new Account(uid);
    }

    /** How much is held. */
    synchronized long all() {
        return all;
    }

    private synchronized boolean take(long uid, long bytes) {
        long own = byUid.getOrDefault(uid, 0L);
        if (own + bytes > (most - all + own) / part) {
            return false;
        }
        set(uid, own, bytes);
        return true;
    }

    private synchronized void give(long uid, long bytes) {
        set(uid, byUid.getOrDefault(uid, 0L), -bytes);
    }

    @GuardedBy("this")
    private void set(long uid, long own, long change) {
        all += change;
        if (own + change == 0) {
            byUid.remove(uid);
        } else {
            byUid.put(uid, own + change);
        }
    }

    /** What is held for one connection. */
    final class Account implements AutoCloseable {
        private final long uid;

        @GuardedBy("this")
        private long bytes;

        @GuardedBy("this")
        private boolean closed;

        private Account(long uid) {
            this.uid = uid;
        }

        /** Counts bytes that are about to be held; false if they must not be. */
        synchronized boolean take(long more) {
            if (closed || !HeldBytes.this.take(uid, more)) {
                return false;
            }
            bytes += more;
            return true;
        }

        /** These are held no more. */
        synchronized void give(long less) {
            if (!closed) {
                bytes -= less;
                HeldBytes.this.give(uid, less);
            }
        }

        /** Nothing is held any more. Idempotent. */
        @Override
        public synchronized void close() {
            give(bytes);
            closed = true;
        }

        @Override
        public String toString() {
            return "the limit of " + most + " bytes that are held for all clients";
        }
    }
}
