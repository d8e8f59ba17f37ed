package io.holdfast.varlink.server;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A user who has connections to a server. Their calls are decoded and begun a few at a time, in the
 * order in which they arrive: else the threads of a user with many busy connections all stand in
 * the queue for the processors, and for the server's executor, before the single call of another
 * user.
 */
final class ServedUser {
    private final Semaphore turns;
    private int connections; // guarded by the server

    ServedUser(int atOnce) {
        turns = new Semaphore(atOnce, true);
    }

    int connections() {
        return connections;
    }

    void connected() {
        connections++;
    }

    /** Returns whether it was the last connection. */
    boolean disconnected() {
        return --connections == 0;
    }

    /** Waits for a turn. */
    Turn turn() throws InterruptedException {
        turns.acquire();
        return new Turn(turns);
    }

    /** One of the calls that are begun; it ends once, on any thread. */
    static final class Turn implements AutoCloseable {
        private final Semaphore turns;
        private final AtomicBoolean ended = new AtomicBoolean();

        private Turn(Semaphore turns) {
            this.turns = turns;
        }

        @Override
        public void close() {
            if (ended.compareAndSet(false, true)) {
                turns.release();
            }
        }
    }
}
