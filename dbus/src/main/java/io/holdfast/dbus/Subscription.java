package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Throttle;
import io.holdfast.dbus.wire.MatchRule;
import io.holdfast.dbus.wire.Message;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The signals that match a rule, in the order in which they came. They wait here until they are
 * taken, {@link ConnectionOptions#queuedSignals} at most; while so many wait, those that come are
 * lost, counted and logged. Safe for use by several threads.
 */
public final class Subscription implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Subscription.class.getName());
    private static final Throttle LINES =
            Throttle.of(
                    1,
                    Duration.ofSeconds(10),
                    64,
                    line -> LOG.log(System.Logger.Level.WARNING, line));

    private final MatchRule rule;
    private final int limit;
    private final Consumer<Subscription> atClose;

    /** Rules that the bus was asked to add for it and has not refused. */
    final AtomicInteger rulesAtBus = new AtomicInteger();

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

    /** Whom the rule's well-known sender means now: "" for nobody. */
    @GuardedBy("lock")
    private String owner = "";

    @GuardedBy("lock")
    private boolean ownerTold;

    Subscription(MatchRule rule, int limit, Consumer<Subscription> atClose) {
        this.rule = rule;
        this.limit = limit;
        this.atClose = atClose;
    }

    /** Whether the sender of its rule is a name that passes from owner to owner. */
    boolean followsName() {
        String sender = rule.sender();
        return sender != null && !sender.startsWith(":") && !sender.equals(BusNames.BUS);
    }

    /** The bus tells of a change, in the order of all messages. */
    void ownerChanged(String now) {
        lock.lock();
        try {
            owner = now;
            ownerTold = true;
        } finally {
            lock.unlock();
        }
    }

    /** The answer to our question, which may be older than what the bus told since. */
    void ownerAtFirst(String then) {
        lock.lock();
        try {
            owner = ownerTold ? owner : then;
        } finally {
            lock.unlock();
        }
    }

    boolean isFrom(@Nullable String sender) {
        String wanted = rule.sender();
        if (wanted == null || wanted.equals(sender)) {
            return true;
        }
        lock.lock();
        try {
            return sender != null && sender.equals(owner);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the rule that signals must match to come here} */
    public MatchRule rule() {
        return rule;
    }

    /** Puts a signal in, or closes it if there is no room. */
    void put(Message signal) {
        long losses = 0;
        lock.lock();
        try {
            if (closed || failure != null) {
                signal.close();
            } else if (signals.size() >= limit) {
                lost++;
                losses = lost;
                signal.close();
            } else {
                signals.add(signal);
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
        if (losses > 0) {
            complain(losses);
        }
    }

    private void complain(long losses) {
        LINES.log(
                rule,
                "subscription to "
                        + rule
                        + ": dropped a signal, "
                        + losses
                        + " so far: "
                        + limit
                        + " are waiting to be taken; take them faster, or raise"
                        + " ConnectionOptions.queuedSignals");
    }

    /** Counts a signal that could not be put in. */
    void lose() {
        lock.lock();
        try {
            lost++;
        } finally {
            lock.unlock();
        }
    }

    /** No more will come: what waits can still be taken. */
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
     * Waits for the next signal; the caller closes it.
     *
     * @return the message, owned by the caller
     * @throws ConnectionLostException if none is left and the connection has ended
     * @throws IllegalStateException if this is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Message take() throws InterruptedException {
        return next(Long.MAX_VALUE).orElseThrow();
    }

    /**
     * The same, waiting at most so long: empty if none came.
     *
     * @param time the time, positive
     * @return the message, owned by the caller; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Message> poll(Duration time) throws InterruptedException {
        return next(Readiness.nanos(time));
    }

    private Optional<Message> next(long time) throws InterruptedException {
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

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many signals were lost so far because too many waited} */
    public long lost() {
        lock.lock();
        try {
            return lost;
        } finally {
            lock.unlock();
        }
    }

    /** Ends it, and drops what waits. Idempotent; does not wait for the bus. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            signals.forEach(Message::close);
            signals.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        atClose.accept(this);
    }
}
