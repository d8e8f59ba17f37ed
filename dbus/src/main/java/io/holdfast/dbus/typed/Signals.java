package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.match.MatchRule;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The signals of one kind that an object sends, as records, in the order in which they arrived.
 *
 * <pre>{@code
 * RemoteObject object = connection.object("com.example.Clock", "/com/example/Clock");
 * try (Signals<Clock.Tick> ticks = Signals.of(object, Clock.Tick.class)) {
 *     Clock.Tick tick = ticks.take();
 * }
 * }</pre>
 *
 * <p>They wait until they are taken, at most {@link
 * io.holdfast.dbus.ConnectionOptions#withQueuedSignals}; further signals are lost, counted and
 * logged. Descriptors in a record belong to the thread that takes it. Safe for use by several
 * threads.
 *
 * @param <S> the record of the signal
 */
public final class Signals<S extends DBusSignal> implements AutoCloseable {
    private final Subscription subscription;
    private final Class<S> type;
    private final TypedSignal described;

    private Signals(Subscription subscription, Class<S> type, TypedSignal described) {
        this.subscription = subscription;
        this.type = type;
        this.described = described;
    }

    /**
     * Subscribes to the signals of an object.
     *
     * @param <S> the record of the signal
     * @param object the sender
     * @param type the signal, a record that is nested in its interface
     * @return the subscription, owned by the caller
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the record is no valid signal
     * @throws io.holdfast.dbus.DBusException LIMITS_EXCEEDED if the bus refuses the match rule
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @MustBeClosed
    public static <S extends DBusSignal> Signals<S> of(RemoteObject object, Class<S> type)
            throws InterruptedException {
        TypedSignal described = described(object, type);
        return new Signals<>(
                object.connection().subscribe(rule(object, described)), type, described);
    }

    /**
     * Subscribes to the signals of an object and handles them one after the other on a virtual
     * thread, until the subscription is closed or the connection is lost. Logs an exception of the
     * handler.
     *
     * <pre>{@code
     * Signals<Clock.Tick> ticks = Signals.of(object, Clock.Tick.class, tick -> show(tick.seconds()));
     * }</pre>
     *
     * @param <S> the record of the signal
     * @param object the sender
     * @param type the signal, a record that is nested in its interface
     * @param handler called with each signal, on a virtual thread
     * @return the subscription, owned by the caller; the handler takes its signals
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the record is no valid signal
     * @throws io.holdfast.dbus.DBusException LIMITS_EXCEEDED if the bus refuses the match rule
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @MustBeClosed
    public static <S extends DBusSignal> Signals<S> of(
            RemoteObject object, Class<S> type, Consumer<? super S> handler)
            throws InterruptedException {
        requireNonNull(handler, "handler");
        TypedSignal described = described(object, type);
        Subscription subscription =
                object.connection()
                        .subscribe(
                                rule(object, described),
                                message -> handler.accept(type.cast(described.received(message))));
        return new Signals<>(subscription, type, described);
    }

    private static TypedSignal described(RemoteObject object, Class<?> type) {
        requireNonNull(object, "object");
        return TypedSignal.of(requireNonNull(type, "type"));
    }

    private static String rule(RemoteObject object, TypedSignal signal) {
        MatchRule.Builder rule =
                MatchRule.builder()
                        .type(MessageType.SIGNAL)
                        .path(object.path())
                        .interfaceName(signal.interfaceName())
                        .member(signal.member());
        if (!object.destination().isEmpty()) {
            rule.sender(object.destination());
        }
        return rule.build().toString();
    }

    /**
     * Waits for the next signal.
     *
     * @return the signal
     * @throws io.holdfast.dbus.DBusException INCONSISTENT_MESSAGE if the signal does not fit the
     *     record; the next signal can be taken then
     * @throws io.holdfast.dbus.ConnectionLostException if no signal is left and the connection has
     *     ended
     * @throws IllegalStateException if the subscription is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public S take() throws InterruptedException {
        return received(subscription.take());
    }

    /**
     * Waits for the next signal for a limited time.
     *
     * @param time the time limit, positive
     * @return the signal; empty if none arrived in time
     * @throws io.holdfast.dbus.DBusException INCONSISTENT_MESSAGE if the signal does not fit the
     *     record
     * @throws io.holdfast.dbus.ConnectionLostException if no signal is left and the connection has
     *     ended
     * @throws IllegalStateException if the subscription is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<S> poll(Duration time) throws InterruptedException {
        return subscription.poll(time).map(this::received);
    }

    private S received(Message message) {
        return type.cast(described.received(message));
    }

    /**
     * {@return how many signals were lost so far because the queue was full, or because their
     * descriptors could not be duplicated}
     */
    public long lost() {
        return subscription.lost();
    }

    /**
     * Ends the subscription, and drops the signals that wait. Idempotent; does not wait for the
     * bus.
     */
    @Override
    public void close() {
        subscription.close();
    }

    @Override
    public String toString() {
        return described.subject() + " by " + subscription.rule();
    }
}
