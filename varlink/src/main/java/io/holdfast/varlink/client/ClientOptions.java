package io.holdfast.varlink.client;

import io.holdfast.varlink.MessageLimits;
import java.time.Duration;

/**
 * How a client deals with its service.
 *
 * @param callTimeout how long a call may take until its (first) reply
 * @param streamTimeout how long a {@code more} call may be silent between two replies
 * @param limits what a reply may be
 */
public record ClientOptions(Duration callTimeout, Duration streamTimeout, MessageLimits limits) {
    /** 45 s for a call, no end to silence, {@link MessageLimits#DEFAULT}. */
    public static final ClientOptions DEFAULT =
            new ClientOptions(
                    Duration.ofSeconds(45),
                    Duration.ofSeconds(Long.MAX_VALUE),
                    MessageLimits.DEFAULT);

    /**
     * Checks the times.
     *
     * @throws IllegalArgumentException if a time-out is not positive
     */
    public ClientOptions {
        if (!callTimeout.isPositive() || !streamTimeout.isPositive()) {
            throw new IllegalArgumentException("a time-out is not positive");
        }
    }

    /**
     * {@return the same options with another time for each call}
     *
     * @param timeout positive; the default is 45 s
     * @throws IllegalArgumentException if it is not positive
     */
    public ClientOptions withCallTimeout(Duration timeout) {
        return new ClientOptions(timeout, streamTimeout, limits);
    }

    /**
     * {@return the same options with another time between two replies of a stream}
     *
     * @param timeout positive; by default silence never ends a stream
     * @throws IllegalArgumentException if it is not positive
     */
    public ClientOptions withStreamTimeout(Duration timeout) {
        return new ClientOptions(callTimeout, timeout, limits);
    }

    /**
     * {@return the same options with other limits of a reply}
     *
     * @param messages what a reply may be; the default is {@link MessageLimits#DEFAULT}
     */
    public ClientOptions withLimits(MessageLimits messages) {
        return new ClientOptions(callTimeout, streamTimeout, messages);
    }
}
