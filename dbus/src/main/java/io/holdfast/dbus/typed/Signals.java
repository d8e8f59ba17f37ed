package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.match.MatchRule;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The signals of one kind that an object sends, as records, in the order in which they came.
 *
 * <pre>{@code
 * RemoteObject object = connection.object("com.example.Clock", "/com/example/Clock");
 * try (Signals<Clock.Tick> ticks = Signals.of(object, Clock.Tick.class)) {
 *     Clock.Tick tick = ticks.take();
 * }
 * }</pre>
 *
 * <p>They wait until they are taken, as many as {@link
 * io.holdfast.dbus.ConnectionOptions#queuedSignals} allows; those that come while so many wait are
 * lost, counted and logged. Descriptors in a record belong to whoever takes it. Safe for use by
 * several threads.
 *
 * @param <S> the record of the signal
 */
public final class Signals<S extends Signal> implements AutoCloseable {
    private final Subscription subscription;
    private final Class<S> type;
    private final TypedSignal described;

    private Signals(Subscription subscription, Class<S> type, TypedSignal described) {
        this.subscription = subscription;
        this.type = type;
        this.described = described;
    }

    /**
     * Receives signals from now on.
     *
     * @param <S> the record of the signal
     * @param object who sends it
     * @param type a record that is nested in its interface
     * @return the signals, owned by the caller
     * @throws NullPointerException if one of them is null
     * @throws IllegalArgumentException if it can be no signal
     * @throws io.holdfast.dbus.DBusException if the bus refuses it: LIMITS_EXCEEDED
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static <S extends Signal> Signals<S> of(RemoteObject object, Class<S> type)
            throws InterruptedException {
        TypedSignal described = described(object, type);
        return new Signals<>(
                object.connection().subscribe(rule(object, described)), type, described);
    }

    /**
     * Receives signals from now on, one after the other on a virtual thread, until this is closed
     * or the connection lost. What the handler throws is logged.
     *
     * <pre>{@code
     * Signals<Clock.Tick> ticks = Signals.of(object, Clock.Tick.class, tick -> show(tick.seconds()));
     * }</pre>
     *
     * @param <S> the record of the signal
     * @param object who sends it
     * @param type a record that is nested in its interface
     * @param handler called with each signal
     * @return the signals, owned by the caller; there is nothing to take
     * @throws NullPointerException if one of them is null
     * @throws IllegalArgumentException if it can be no signal
     * @throws io.holdfast.dbus.DBusException if the bus refuses it: LIMITS_EXCEEDED
     * @throws io.holdfast.dbus.ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static <S extends Signal> Signals<S> of(
            RemoteObject object, Class<S> type, Consumer<? super S> handler)
            throws InterruptedException {
        requireNonNull(handler, "handler");
        TypedSignal described = described(object, type);
        Subscription subscription =
                object.connection()
                        .subscribe(
                                rule(object, described).toString(),
                                message -> handler.accept(type.cast(described.received(message))));
        return new Signals<>(subscription, type, described);
    }

    private static TypedSignal described(RemoteObject object, Class<?> type) {
        requireNonNull(object, "object");
        return TypedSignal.of(requireNonNull(type, "type"));
    }

    private static MatchRule rule(RemoteObject object, TypedSignal signal) {
        MatchRule.Builder rule =
                MatchRule.builder()
                        .type(MessageType.SIGNAL)
                        .path(object.path())
                        .interfaceName(signal.interfaceName())
                        .member(signal.member());
        if (!object.destination().isEmpty()) {
            rule.sender(object.destination());
        }
        return rule.build();
    }

    /**
     * Waits for the next signal.
     *
     * @return the signal
     * @throws io.holdfast.dbus.DBusException INCONSISTENT_MESSAGE if it is not what the record
     *     says; the next one can be taken then
     * @throws io.holdfast.dbus.ConnectionLostException if none is left and the connection has ended
     * @throws IllegalStateException if this is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public S take() throws InterruptedException {
        return received(subscription.take());
    }

    /**
     * The same, waiting at most so long.
     *
     * @param time the time, positive
     * @return the signal; empty when the time is over
     * @throws io.holdfast.dbus.DBusException INCONSISTENT_MESSAGE if it is not what the record says
     * @throws io.holdfast.dbus.ConnectionLostException if none is left and the connection has ended
     * @throws IllegalStateException if this is or gets closed
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<S> poll(Duration time) throws InterruptedException {
        return subscription.poll(time).map(this::received);
    }

    private S received(Message message) {
        return type.cast(described.received(message));
    }

    /** {@return how many signals were lost so far because too many waited} */
    public long lost() {
        return subscription.lost();
    }

    /** Ends it, and drops what waits. Idempotent; does not wait for the bus. */
    @Override
    public void close() {
        subscription.close();
    }

    @Override
    public String toString() {
        return described.subject() + " by " + subscription.rule();
    }
}
