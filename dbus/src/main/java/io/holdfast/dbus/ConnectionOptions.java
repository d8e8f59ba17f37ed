package io.holdfast.dbus;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.dbus.marshal.WireLimits;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;

/**
 * The limits of a connection, and how it authenticates. Immutable. Each limit and time must be
 * positive; the methods throw IllegalArgumentException if one is not.
 *
 * <p>On a bus, the users who call our objects share the four limits on incoming calls and their
 * replies: half of each limit is reserved for root and our own user, and no user can take all of
 * the other half.
 *
 * <pre>{@code
 * ConnectionOptions options = ConnectionOptions.standard().withCallTimeout(Duration.ofSeconds(3));
 * }</pre>
 */
@CheckReturnValue
public final class ConnectionOptions implements Cloneable {
    private static final ConnectionOptions STANDARD = new ConnectionOptions();

    // Changed only by with(), before anybody else sees the object.
    Duration connectTimeout = Duration.ofSeconds(30);
    Duration callTimeout = Duration.ofSeconds(25);
    int calls = 4096;
    int incomingCalls = 4096;
    long incomingBytes = 256L << 20;
    int incomingDescriptors = 512;
    int queuedSignals = 1024;
    long outgoingBytes = 16 << 20;
    int messageBytes = WireLimits.MAX_MESSAGE;
    boolean descriptors = true;
    boolean anonymous;
    ThreadFactory reader = Thread.ofVirtual().factory();

    private ConnectionOptions() {}

    /** {@return the defaults, which suit most programs} */
    public static ConnectionOptions standard() {
        return STANDARD;
    }

    /** {@return the time limit for connecting to one address} */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /**
     * {@return the same options with another time to connect}
     *
     * @param time the time limit for connect(2), authentication and Hello together; 30 s by
     *     default, since a bus that is started by this connection may start on a busy machine
     */
    public ConnectionOptions withConnectTimeout(Duration time) {
        positive("connectTimeout", time.isPositive());
        return with(options -> options.connectTimeout = time);
    }

    /**
     * {@return the same options with another time for each call}
     *
     * @param time the time limit from the beginning of a call to its reply; 25 s by default
     */
    public ConnectionOptions withCallTimeout(Duration time) {
        positive("callTimeout", time.isPositive());
        return with(options -> options.callTimeout = time);
    }

    /**
     * {@return the same options with another limit on our calls}
     *
     * @param limit the number of our calls that may wait for a reply at a time, 4096 by default; a
     *     further call waits
     */
    public ConnectionOptions withCalls(int limit) {
        positive("calls", limit > 0);
        return with(options -> options.calls = limit);
    }

    /**
     * {@return the same options with another limit on incoming calls}
     *
     * @param limit the number of incoming calls that may wait or run at a time, 4096 by default; a
     *     further call gets LimitsExceeded. On a bus, as many more calls may wait, with as many
     *     bytes and descriptors, until the bus has reported the users of new callers
     */
    public ConnectionOptions withIncomingCalls(int limit) {
        positive("incomingCalls", limit > 0);
        return with(options -> options.incomingCalls = limit);
    }

    /**
     * {@return the same options with another limit on the bytes of incoming calls}
     *
     * @param limit the bytes of the messages of these calls together, headers and bodies; 256 MiB
     *     by default
     */
    public ConnectionOptions withIncomingBytes(long limit) {
        positive("incomingBytes", limit > 0);
        return with(options -> options.incomingBytes = limit);
    }

    /**
     * {@return the same options with another limit on incoming descriptors}
     *
     * @param limit the descriptors of incoming calls together; 512 by default
     */
    public ConnectionOptions withIncomingDescriptors(int limit) {
        positive("incomingDescriptors", limit > 0);
        return with(options -> options.incomingDescriptors = limit);
    }

    /**
     * {@return the same options with another limit on queued signals}
     *
     * @param limit the number of signals that may wait in one subscription, 1024 by default;
     *     further signals are lost and counted ({@link Subscription#lost})
     */
    public ConnectionOptions withQueuedSignals(int limit) {
        positive("queuedSignals", limit > 0);
        return with(options -> options.queuedSignals = limit);
    }

    /**
     * {@return the same options with another limit on the bytes that wait to be sent}
     *
     * @param limit in bytes, 16 MiB by default; one message may be longer. A further message waits,
     *     and a reply beyond its caller's share becomes LimitsExceeded
     */
    public ConnectionOptions withOutgoingBytes(long limit) {
        positive("outgoingBytes", limit > 0);
        return with(options -> options.outgoingBytes = limit);
    }

    /**
     * {@return the same options with another limit on the length of a message that is read}
     *
     * @param limit in bytes, 128 MiB by default, which is also the most that D-Bus allows. A longer
     *     message is skipped: a call gets LimitsExceeded, a reply fails its call, a signal is lost.
     *     A message whose header alone is longer ends the connection
     */
    public ConnectionOptions withMessageBytes(int limit) {
        positive("messageBytes", limit > 0);
        return with(options -> options.messageBytes = limit);
    }

    /**
     * {@return the same options, with or without descriptors}
     *
     * @param passed whether to pass descriptors, if the other side agrees; true by default
     */
    public ConnectionOptions withDescriptors(boolean passed) {
        return with(options -> options.descriptors = passed);
    }

    /**
     * {@return the same options with another way to authenticate}
     *
     * @param asNobody whether to use the mechanism ANONYMOUS; by default it is EXTERNAL, as our
     *     user. On the server side: whether ANONYMOUS is offered too
     */
    public ConnectionOptions withAnonymous(boolean asNobody) {
        return with(options -> options.anonymous = asNobody);
    }

    /**
     * {@return the same options with another factory of the reader thread}
     *
     * @param threads called for one unstarted thread. By default it makes a virtual thread, which
     *     suits most programs; a platform thread wakes sooner, which suits a service that answers
     *     many calls
     */
    public ConnectionOptions withReader(ThreadFactory threads) {
        return with(options -> options.reader = threads);
    }

    private static void positive(String what, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException(what + " must be positive");
        }
    }

    private ConnectionOptions with(Consumer<ConnectionOptions> change) {
        try {
            ConnectionOptions copy = (ConnectionOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
