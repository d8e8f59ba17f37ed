package io.holdfast.dbus;

import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Throttle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.match.MatchRule;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
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
    private final SignalQueue signals;
    private final FollowedName sender = new FollowedName();

    /** Rules that the bus was asked to add for it and has not refused. */
    final AtomicInteger rulesAtBus = new AtomicInteger();

    Subscription(MatchRule rule, int limit, Consumer<Subscription> atClose) {
        this.rule = rule;
        this.limit = limit;
        this.atClose = atClose;
        this.signals = new SignalQueue(rule.toString(), limit);
    }

    /** Whether the sender of its rule is a name that passes from owner to owner. */
    boolean followsName() {
        String sender = rule.sender();
        return sender != null && !sender.startsWith(":") && !sender.equals(BusNames.BUS);
    }

    /** The bus tells of a change, in the order of all messages. */
    void ownerChanged(String now) {
        sender.changed(now);
    }

    /** The answer to our question, which may be older than what the bus told since. */
    void ownerAtFirst(String then) {
        sender.atFirst(then);
    }

    boolean isFrom(@Nullable String name) {
        String wanted = rule.sender();
        return wanted == null || wanted.equals(name) || (name != null && sender.isOwnedBy(name));
    }

    /** {@return the rule that signals must match to come here} */
    public MatchRule rule() {
        return rule;
    }

    /** Puts a signal in, or closes it if there is no room. */
    void put(Message signal) {
        long losses = signals.put(signal);
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
        signals.lose();
    }

    /** No more will come: what waits can still be taken. */
    void fail(ConnectionLostException why) {
        signals.fail(why);
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
        return signals.next(Long.MAX_VALUE).orElseThrow();
    }

    /**
     * The same, waiting at most so long: empty if none came.
     *
     * @param time the time, positive
     * @return the message, owned by the caller; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Message> poll(Duration time) throws InterruptedException {
        return signals.next(Readiness.nanos(time));
    }

    boolean isClosed() {
        return signals.isClosed();
    }

    /** {@return how many signals were lost so far because too many waited} */
    public long lost() {
        return signals.lost();
    }

    /** Ends it, and drops what waits. Idempotent; does not wait for the bus. */
    @Override
    public void close() {
        if (signals.close()) {
            atClose.accept(this);
        }
    }
}
