package io.holdfast.varlink.client;

import io.holdfast.varlink.MessageLimits;
import java.time.Duration;

/**
 * The time-outs and limits of a client.
 *
 * @param callTimeout the time limit to connect, and of a call until its (first) reply
 * @param streamTimeout the time limit between two replies to a {@code more} call
 * @param limits the limits of a reply
 */
public record ClientOptions(Duration callTimeout, Duration streamTimeout, MessageLimits limits) {
    /**
     * 45 s to connect and for a call, no limit between the replies of a stream, {@link
     * MessageLimits#DEFAULT}.
     */
    public static final ClientOptions DEFAULT =
            new ClientOptions(
                    Duration.ofSeconds(45),
                    Duration.ofSeconds(Long.MAX_VALUE),
                    MessageLimits.DEFAULT);

    /**
     * Checks the time-outs.
     *
     * @throws IllegalArgumentException if a time-out is not positive
     */
    public ClientOptions {
        if (!callTimeout.isPositive() || !streamTimeout.isPositive()) {
            throw new IllegalArgumentException("a time-out is not positive");
        }
    }

    /**
     * {@return the same options with another time limit to connect and of calls}
     *
     * @param timeout the time limit, positive; the default is 45 s
     * @throws IllegalArgumentException if the time limit is not positive
     */
    public ClientOptions withCallTimeout(Duration timeout) {
        return new ClientOptions(timeout, streamTimeout, limits);
    }

    /**
     * {@return the same options with another time limit between two replies of a stream}
     *
     * @param timeout the time limit, positive; there is none by default
     * @throws IllegalArgumentException if the time limit is not positive
     */
    public ClientOptions withStreamTimeout(Duration timeout) {
        return new ClientOptions(callTimeout, timeout, limits);
    }

    /**
     * {@return the same options with other limits of a reply}
     *
     * @param messages the limits of a reply; the default is {@link MessageLimits#DEFAULT}
     */
    public ClientOptions withLimits(MessageLimits messages) {
        return new ClientOptions(callTimeout, streamTimeout, messages);
    }
}
