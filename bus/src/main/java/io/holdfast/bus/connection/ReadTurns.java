package io.holdfast.bus.connection;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Divides the time of the bus among users. In one turn of the loop, the messages of one user may
 * take {@link #NANOS}, over all of its connections; then its other connections, and the rest of
 * what was read from the last one, wait for the next turn, in order. So it does not matter to other
 * users how many messages a user sends, over how many connections, and how long each of them takes
 * to route. Only for the bus's thread.
 */
final class ReadTurns {
    /** The nanoseconds that the messages of one user may take in one turn. */
    static final long NANOS = 1_000_000;

    private final Map<Long, User> users = new HashMap<>();
    private final ArrayDeque<User> waiting = new ArrayDeque<>(); // with waiting connections
    private long turn;

    /** The connections of one user that may read or wait to. */
    static final class User {
        private final long uid;
        private int connections;
        private long turn;
        private long spent; // in that turn
        private final ArrayDeque<Connection> waiting = new ArrayDeque<>();
        private boolean waits; // in the queue of users

        private User(long uid) {
            this.uid = uid;
        }
    }

    /** Counts a new connection of a user. */
    User join(long uid) {
        User user = users.computeIfAbsent(uid, User::new);
        user.connections++;
        return user;
    }

    /** Removes a connection that is not read any more. */
    void leave(User user, Connection connection) {
        boolean ignored = user.waiting.remove(connection);
        if (--user.connections == 0) {
            users.remove(user.uid);
        }
    }

    /** Returns whether a user has time left in this turn. */
    boolean hasTime(User user) {
        return spent(user) < NANOS;
    }

    private long spent(User user) {
        if (user.turn != turn) {
            user.turn = turn;
            user.spent = 0;
        }
        return user.spent;
    }

    /** Adds to the time that a user has spent in this turn. */
    void spend(User user, long nanos) {
        user.spent = spent(user) + nanos;
    }

    /** Lets a connection wait for a turn in which its user has time. */
    void await(User user, Connection connection) {
        user.waiting.addLast(connection);
        if (!user.waits) {
            user.waits = true;
            waiting.addLast(user);
        }
    }

    /**
     * Begins the next turn, and reads the connections that wait, as far as the time of their users
     * lasts.
     *
     * @return whether there was one
     */
    boolean next() {
        turn++;
        int n = waiting.size();
        for (int i = 0; i < n; i++) {
            User user = waiting.removeFirst();
            serve(user);
            user.waits = !user.waiting.isEmpty();
            if (user.waits) {
                waiting.addLast(user);
            }
        }
        return n > 0;
    }

    private void serve(User user) {
        for (int n = user.waiting.size(); n > 0 && hasTime(user); n--) {
            Connection next = user.waiting.pollFirst();
            if (next != null) { // null if others left meanwhile
                next.continueReading();
            }
        }
    }
}
