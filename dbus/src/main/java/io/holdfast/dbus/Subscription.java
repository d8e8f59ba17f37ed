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
 * The signals that match a rule, in the order in which they arrived. They wait here until they are
 * taken. At most {@link ConnectionOptions#withQueuedSignals} wait; further signals are lost,
 * counted and logged. Safe for use by several threads.
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
    private final @Nullable Consumer<Message> receiver;
    private final FollowedName sender = new FollowedName();

    /** Rules that the bus was asked to add for this subscription and has not refused. */
    final AtomicInteger rulesAtBus = new AtomicInteger();

    /**
     * @param receiver takes each signal, owned, instead of the queue; called by the reader thread
     */
    Subscription(
            MatchRule rule,
            int limit,
            Consumer<Subscription> atClose,
            @Nullable Consumer<Message> receiver) {
        this.rule = rule;
        this.limit = limit;
        this.atClose = atClose;
        this.receiver = receiver;
        this.signals = new SignalQueue(rule.toString(), limit);
    }

    /** Returns whether the sender of the rule is a well-known name, whose owner may change. */
    boolean followsName() {
        String sender = rule.sender();
        return sender != null && !sender.startsWith(":") && !sender.equals(BusNames.BUS);
    }

    /** Records a change of owner that the bus announced; called in the order of all messages. */
    void ownerChanged(String newOwner) {
        sender.ownerChanged(newOwner);
    }

    /** Records the reply to GetNameOwner, which may be older than an announced change. */
    void initialOwner(String initial) {
        sender.initialOwner(initial);
    }

    boolean isFrom(@Nullable String name) {
        String wanted = rule.sender();
        return wanted == null || wanted.equals(name) || (name != null && sender.isOwnedBy(name));
    }

    /** {@return the match rule, as the bus has it} */
    public String rule() {
        return rule.toString();
    }

    MatchRule matchRule() {
        return rule;
    }

    /** Passes a signal on, or queues it, or closes it if there is no room. */
    void put(Message signal) {
        if (receiver != null) {
            receiver.accept(signal);
            return;
        }
        long lostSoFar = signals.put(signal);
        if (lostSoFar > 0) {
            logLost(lostSoFar);
        }
    }

    private void logLost(long lostSoFar) {
        LINES.log(
                rule,
                "subscription to "
                        + rule
                        + ": dropped a signal, "
                        + lostSoFar
                        + " so far: "
                        + limit
                        + " are waiting to be taken; take them faster, or raise"
                        + " ConnectionOptions.queuedSignals");
    }

    /** Counts a signal that could not be queued. */
    void countLost() {
        signals.countLost();
    }

    /** Ends the subscription with the connection: signals that wait can still be taken. */
    void fail(ConnectionLostException why) {
        signals.fail(why);
    }

    /**
     * Waits for the next signal; the caller closes it.
     *
     * @return the message, owned by the caller
     * @throws ConnectionLostException if no signal is left and the connection has ended
     * @throws IllegalStateException if the subscription is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Message take() throws InterruptedException {
        return signals.next(Long.MAX_VALUE).orElseThrow();
    }

    /**
     * Waits for the next signal for a limited time.
     *
     * @param time the time limit, positive
     * @return the message, owned by the caller; empty if none arrived in time
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Message> poll(Duration time) throws InterruptedException {
        return signals.next(Readiness.nanos(time));
    }

    /** Handles the signals one after the other on a virtual thread, until there are no more. */
    void handleBy(Consumer<Message> handler) {
        var _ = Thread.ofVirtual().name("D-Bus signals " + rule).start(() -> handle(handler));
    }

    private void handle(Consumer<Message> handler) {
        for (; ; ) {
            Message signal;
            try {
                signal = take();
            } catch (InterruptedException e) { // late, by the handler; a closed subscription throws
                continue;
            } catch (ConnectionLostException | IllegalStateException e) {
                return;
            }
            handle(rule.toString(), handler, signal);
            boolean _ = Thread.interrupted();
        }
    }

    /** Handles a signal, owned; the signals behind it must still be handled if that fails. */
    static void handle(String rule, Consumer<Message> handler, Message signal) {
        try (signal) {
            handler.accept(signal);
        } catch (Throwable e) {
            LOG.log(System.Logger.Level.WARNING, "a handler of signals failed: " + rule, e);
        }
    }

    /**
     * {@return how many signals were lost so far because the queue was full, or because their
     * descriptors could not be duplicated}
     */
    public long lost() {
        return signals.lost();
    }

    /**
     * Ends the subscription, and drops the signals that wait. Idempotent; does not wait for the
     * bus.
     */
    @Override
    public void close() {
        if (signals.close()) {
            atClose.accept(this);
        }
    }
}
