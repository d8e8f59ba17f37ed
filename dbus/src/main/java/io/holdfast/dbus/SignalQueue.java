package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.dbus.wire.Message;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The signals of one subscription that wait to be taken: a bounded queue that owns them, and that
 * ends when it is closed or the connection is lost. Safe for use by any thread.
 */
final class SignalQueue {
    private final String rule;
    private final int limit;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final Deque<Message> signals = new ArrayDeque<>();

    @GuardedBy("lock")
    private long lost;

    @GuardedBy("lock")
    private boolean closed;

    @GuardedBy("lock")
    private @Nullable ConnectionLostException failure;

    /**
     * @param rule the match rule of the subscription, for errors
     * @param limit the number of signals that may wait
     */
    SignalQueue(String rule, int limit) {
        this.rule = rule;
        this.limit = limit;
    }

    /**
     * Queues a signal, or closes it if there is no room.
     *
     * @return how many signals were lost so far, if this signal is lost; else 0
     */
    long put(Message signal) {
        lock.lock();
        try {
            if (closed || failure != null) {
                signal.close();
            } else if (signals.size() >= limit) {
                lost++;
                signal.close();
                return lost;
            } else {
                signals.add(signal);
                changed.signal();
            }
            return 0;
        } finally {
            lock.unlock();
        }
    }

    /** Counts a signal that could not be queued. */
    void countLost() {
        lock.lock();
        try {
            lost++;
        } finally {
            lock.unlock();
        }
    }

    long lost() {
        lock.lock();
        try {
            return lost;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the queue with the connection: signals that wait can still be taken. */
    void fail(ConnectionLostException why) {
        lock.lock();
        try {
            failure = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the next signal.
     *
     * @param time the time limit in nanoseconds; Long.MAX_VALUE waits without limit
     * @return the signal; empty if none arrived in time
     * @throws ConnectionLostException if no signal is left and the connection has ended
     * @throws IllegalStateException if the subscription is or gets closed
     */
    Optional<Message> next(long time) throws InterruptedException {
        long nanos = time;
        lock.lockInterruptibly();
        try {
            while (signals.isEmpty()) {
                if (closed) {
                    throw new IllegalStateException("the subscription is closed: " + rule);
                }
                if (failure != null) {
                    throw failure.again();
                }
                if (nanos <= 0) {
                    return Optional.empty();
                }
                if (time == Long.MAX_VALUE) {
                    changed.await();
                } else {
                    nanos = changed.awaitNanos(nanos);
                }
            }
            return Optional.of(signals.remove());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Closes the queue and drops the signals that wait.
     *
     * @return false if the queue was closed before
     */
    boolean close() {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            closed = true;
            signals.forEach(Message::close);
            signals.clear();
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }
}
