package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The limit on {@code GetConnectionCredentials} calls under way. Each reply carries a descriptor,
 * and a bus disconnects a client that has more than max_outgoing_unix_fds descriptors (64) unread:
 * without a limit, callers could get a service disconnected that looks up the credentials of each.
 * Users whose queries wait take turns, so that a user with many callers delays only that user's
 * own. Thread-safe.
 */
final class CredentialQueries {
    /** The number of calls that may wait for the bus at a time. */
    static final int MAX = 16;

    @GuardedBy("this")
    private int free;

    /** The queries that wait for their turn, by user, in the order of the users' turns. */
    @GuardedBy("this")
    private final Map<Object, Deque<CountDownLatch>> waiting = new LinkedHashMap<>();

    CredentialQueries(int max) {
        this.free = max;
    }

    /**
     * Waits for the user's turn. {@link #release} ends it.
     *
     * @param user the account of the user for whom the bus is queried, with {@code equals}
     */
    void acquire(Object user) throws InterruptedException {
        CountDownLatch turn = new CountDownLatch(1);
        synchronized (this) {
            if (free > 0) {
                free--;
                return;
            }
            waiting.computeIfAbsent(user, _ -> new ArrayDeque<>()).addLast(turn);
        }
        try {
            turn.await();
        } catch (InterruptedException e) {
            leave(user, turn);
            throw e;
        }
    }

    private synchronized void leave(Object user, CountDownLatch turn) {
        Deque<CountDownLatch> own = waiting.get(user);
        if (own == null || !own.remove(turn)) {
            release(); // its turn has come meanwhile
        } else if (own.isEmpty()) {
            waiting.remove(user);
        }
    }

    /** Ends a turn: the next query is that of the user who has waited longest for a turn. */
    synchronized void release() {
        Iterator<Map.Entry<Object, Deque<CountDownLatch>>> turns = waiting.entrySet().iterator();
        if (!turns.hasNext()) {
            free++;
            return;
        }
        Map.Entry<Object, Deque<CountDownLatch>> first = turns.next();
        Object user = first.getKey();
        Deque<CountDownLatch> own = first.getValue();
        turns.remove();
        own.removeFirst().countDown();
        if (!own.isEmpty()) {
            waiting.put(user, own); // last
        }
    }

    /** Returns how many queries wait for their turn. */
    synchronized int waiting() {
        return waiting.values().stream().mapToInt(Deque::size).sum();
    }
}
