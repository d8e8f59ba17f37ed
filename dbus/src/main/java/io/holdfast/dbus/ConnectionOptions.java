package io.holdfast.dbus;

import io.holdfast.dbus.wire.WireLimits;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;

/**
 * Limits of a connection, and how it authenticates.
 *
 * <p>On a bus, the users who call our objects share the four limits on incoming calls and their
 * answers: half of each is left to root and our own user, and of the other half no user can take
 * all ({@link io.holdfast.core.limit.FairShare}).
 *
 * <pre>{@code
 * ConnectionOptions options = ConnectionOptions.DEFAULT.withCallTimeout(Duration.ofSeconds(3));
 * }</pre>
 *
 * @param connectTimeout for authentication and greeting together
 * @param callTimeout for a call that says nothing else, from its beginning to its reply
 * @param calls of ours that may be without reply at a time; a further one waits
 * @param incomingCalls of others that may wait or run at a time; a further one is answered with
 *     LimitsExceeded. On a bus as many again may wait, with as many bytes and descriptors, until
 *     the bus has told the users of callers that are new
 * @param incomingBytes of the messages of these together, headers and bodies
 * @param incomingDescriptors of these together
 * @param queuedSignals that may wait in one subscription; further ones are lost and counted ({@link
 *     Subscription#lost})
 * @param outgoingBytes that may wait to be sent; a further message waits, and an answer beyond its
 *     caller's share becomes LimitsExceeded
 * @param messageBytes the longest message that is read. A longer one is passed over: a call is
 *     answered with LimitsExceeded, a reply fails its call, a signal is lost. One with a longer
 *     header ends the connection
 * @param descriptors whether descriptors are to be passed, if the other side agrees
 * @param anonymous whether to authenticate as nobody and not as our user
 * @param reader makes the thread that reads: a virtual one suits most; a platform thread is woken
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
    /** What suits most programs. */
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
     * @param time for authentication and greeting together, positive; 10 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withConnectTimeout(Duration time) {
        return with(draft -> draft.connectTimeout = time);
    }

    /**
     * {@return the same options with another time for each call}
     *
     * @param time from the beginning of a call to its reply, positive; 25 s by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withCallTimeout(Duration time) {
        return with(draft -> draft.callTimeout = time);
    }

    /**
     * {@return the same options with another limit of calls}
     *
     * @param limit of our calls without reply, positive; 4096 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withCalls(int limit) {
        return with(draft -> draft.calls = limit);
    }

    /**
     * {@return the same options with another limit of incoming calls}
     *
     * @param limit of calls of others that wait or run, positive; 4096 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingCalls(int limit) {
        return with(draft -> draft.incomingCalls = limit);
    }

    /**
     * {@return the same options with another limit of the bytes of incoming calls}
     *
     * @param limit in bytes of the messages of calls of others that wait or run, positive; 256 MiB
     *     by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingBytes(long limit) {
        return with(draft -> draft.incomingBytes = limit);
    }

    /**
     * {@return the same options with another limit of incoming descriptors}
     *
     * @param limit of descriptors beside calls of others that wait or run, positive; 512 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withIncomingDescriptors(int limit) {
        return with(draft -> draft.incomingDescriptors = limit);
    }

    /**
     * {@return the same options with another limit of queued signals}
     *
     * @param limit of signals that wait in one subscription, positive; 1024 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withQueuedSignals(int limit) {
        return with(draft -> draft.queuedSignals = limit);
    }

    /**
     * {@return the same options with another limit of what waits to be sent}
     *
     * @param limit in bytes, positive; 16 MiB by default. One message may be longer
     * @throws IllegalArgumentException if it is not positive
     */
    public ConnectionOptions withOutgoingBytes(long limit) {
        return with(draft -> draft.outgoingBytes = limit);
    }

    /**
     * {@return the same options with another limit of one message}
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
     * @param asNobody by the mechanism ANONYMOUS; by default it is EXTERNAL, as our user. On the
     *     side that accepts: whether ANONYMOUS is offered too
     */
    public ConnectionOptions withAnonymous(boolean asNobody) {
        return with(draft -> draft.anonymous = asNobody);
    }

    /**
     * {@return the same options with another thread that reads}
     *
     * @param threads asked for one thread, unstarted; makes virtual ones by default
     */
    public ConnectionOptions withReader(ThreadFactory threads) {
        return with(draft -> draft.reader = threads);
    }

    private ConnectionOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.done();
    }

    /** The same values, to change one. */
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
