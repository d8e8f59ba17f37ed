package io.holdfast.dbus;

import io.holdfast.dbus.wire.WireLimits;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;

/**
 * The limits of a connection, and how it authenticates.
 *
 * <p>On a bus, the users who call our objects share the four limits on incoming calls and their
 * replies: half of each limit is reserved for root and our own user, and no user can take all of
 * the other half ({@link io.holdfast.core.limit.FairShare}).
 *
 * <pre>{@code
 * ConnectionOptions options = ConnectionOptions.DEFAULT.withCallTimeout(Duration.ofSeconds(3));
 * }</pre>
 *
 * @param connectTimeout the time limit for connecting to one address: connect(2), authentication
 *     and Hello together
 * @param callTimeout the default time limit of a call, from its beginning to its reply
 * @param calls the number of our calls that may wait for a reply at a time; a further call waits
 * @param incomingCalls the number of incoming calls that may wait or run at a time; a further call
 *     gets LimitsExceeded. On a bus, as many more calls may wait, with as many bytes and
 *     descriptors, until the bus has reported the users of new callers
 * @param incomingBytes the bytes of the messages of these calls together, headers and bodies
 * @param incomingDescriptors the descriptors of these calls together
 * @param queuedSignals the number of signals that may wait in one subscription; further signals are
 *     lost and counted ({@link Subscription#lost})
 * @param outgoingBytes the bytes that may wait to be sent; a further message waits, and a reply
 *     beyond its caller's share becomes LimitsExceeded
 * @param messageBytes the length of the longest message that is read. A longer message is skipped:
 *     a call gets LimitsExceeded, a reply fails its call, a signal is lost. A message whose header
 *     alone is longer ends the connection
 * @param descriptors whether to pass descriptors, if the other side agrees
 * @param anonymous whether to authenticate as ANONYMOUS instead of as our user
 * @param reader makes the reader thread: a virtual one suits most programs; a platform thread wakes
 *     sooner, which suits a service that answers many calls
 */
public record ConnectionOptions(
        Duration connectTimeout,
        Duration callTimeout,
        int calls,
        int incomingCalls,
        long incomingBytes,
        int incomingDescriptors,
        int queuedSignals,
        long outgoingBytes,
        int messageBytes,
        boolean descriptors,
        boolean anonymous,
        ThreadFactory reader) {
    /** The defaults, which suit most programs. */
    public static final ConnectionOptions DEFAULT =
            new ConnectionOptions(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(25),
                    4096,
                    4096,
                    256L << 20,
                    512,
                    1024,
                    16 << 20,
                    WireLimits.MAX_MESSAGE,
                    true,
                    false,
                    Thread.ofVirtual().factory());

    /**
     * Checks the limits and times.
     *
     * @throws IllegalArgumentException if a limit or a time is not positive
     */
    public ConnectionOptions {
        positive("connectTimeout", connectTimeout.isPositive());
        positive("callTimeout", callTimeout.isPositive());
        positive("calls", calls > 0);
        positive("incomingCalls", incomingCalls > 0);
        positive("incomingBytes", incomingBytes > 0);
        positive("incomingDescriptors", incomingDescriptors > 0);
        positive("queuedSignals", queuedSignals > 0);
        positive("outgoingBytes", outgoingBytes > 0);
        positive("messageBytes", messageBytes > 0);
    }

    private static void positive(String what, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException(what + " must be positive");
        }
    }

    /**
     * {@return the same options with another time to connect}
     *
     * @param time the time limit for connect(2), authentication and Hello together, positive; 10 s
     *     by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withConnectTimeout(Duration time) {
        return with(draft -> draft.connectTimeout = time);
    }

    /**
     * {@return the same options with another time for each call}
     *
     * @param time the time limit from the beginning of a call to its reply, positive; 25 s by
     *     default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withCallTimeout(Duration time) {
        return with(draft -> draft.callTimeout = time);
    }

    /**
     * {@return the same options with another limit on our calls}
     *
     * @param limit the number of our calls that may wait for a reply, positive; 4096 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withCalls(int limit) {
        return with(draft -> draft.calls = limit);
    }

    /**
     * {@return the same options with another limit on incoming calls}
     *
     * @param limit the number of incoming calls that may wait or run, positive; 4096 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingCalls(int limit) {
        return with(draft -> draft.incomingCalls = limit);
    }

    /**
     * {@return the same options with another limit on the bytes of incoming calls}
     *
     * @param limit the bytes of incoming calls that may wait or run, positive; 256 MiB by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingBytes(long limit) {
        return with(draft -> draft.incomingBytes = limit);
    }

    /**
     * {@return the same options with another limit on incoming descriptors}
     *
     * @param limit the descriptors of incoming calls that may wait or run, positive; 512 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingDescriptors(int limit) {
        return with(draft -> draft.incomingDescriptors = limit);
    }

    /**
     * {@return the same options with another limit on queued signals}
     *
     * @param limit the number of signals that may wait in one subscription, positive; 1024 by
     *     default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withQueuedSignals(int limit) {
        return with(draft -> draft.queuedSignals = limit);
    }

    /**
     * {@return the same options with another limit on the bytes that wait to be sent}
     *
     * @param limit in bytes, positive; 16 MiB by default. One message may be longer
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withOutgoingBytes(long limit) {
        return with(draft -> draft.outgoingBytes = limit);
    }

    /**
     * {@return the same options with another limit on the length of a message}
     *
     * @param limit in bytes, positive; 128 MiB by default, which is also the most that D-Bus allows
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withMessageBytes(int limit) {
        return with(draft -> draft.messageBytes = limit);
    }

    /**
     * {@return the same options, with or without descriptors}
     *
     * @param passed true by default; if false, no message can carry descriptors in either direction
     */
    public ConnectionOptions withDescriptors(boolean passed) {
        return with(draft -> draft.descriptors = passed);
    }

    /**
     * {@return the same options with another way to authenticate}
     *
     * @param asNobody whether to use the mechanism ANONYMOUS; by default it is EXTERNAL, as our
     *     user. On the server side: whether ANONYMOUS is offered too
     */
    public ConnectionOptions withAnonymous(boolean asNobody) {
        return with(draft -> draft.anonymous = asNobody);
    }

    /**
     * {@return the same options with another factory of the reader thread}
     *
     * @param threads called for one unstarted thread; by default it makes a virtual thread
     */
    public ConnectionOptions withReader(ThreadFactory threads) {
        return with(draft -> draft.reader = threads);
    }

    private ConnectionOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.done();
    }

    /** The same values, mutable, so that one can be changed. */
    private static final class Draft {
        private Duration connectTimeout;
        private Duration callTimeout;
        private int calls;
        private int incomingCalls;
        private long incomingBytes;
        private int incomingDescriptors;
        private int queuedSignals;
        private long outgoingBytes;
        private int messageBytes;
        private boolean descriptors;
        private boolean anonymous;
        private ThreadFactory reader;

        Draft(ConnectionOptions from) {
            connectTimeout = from.connectTimeout;
            callTimeout = from.callTimeout;
            calls = from.calls;
            incomingCalls = from.incomingCalls;
            incomingBytes = from.incomingBytes;
            incomingDescriptors = from.incomingDescriptors;
            queuedSignals = from.queuedSignals;
            outgoingBytes = from.outgoingBytes;
            messageBytes = from.messageBytes;
            descriptors = from.descriptors;
            anonymous = from.anonymous;
            reader = from.reader;
        }

        ConnectionOptions done() {
            return new ConnectionOptions(
                    connectTimeout,
                    callTimeout,
                    calls,
                    incomingCalls,
                    incomingBytes,
                    incomingDescriptors,
                    queuedSignals,
                    outgoingBytes,
                    messageBytes,
                    descriptors,
                    anonymous,
                    reader);
        }
    }
}
