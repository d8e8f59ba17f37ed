package io.holdfast.varlink.client;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.varlink.MessageLimits;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The time-outs and limits of a client. Immutable. Each time-out must be positive; the methods
 * throw IllegalArgumentException if one is not.
 */
@CheckReturnValue
public final class ClientOptions implements Cloneable {
    private static final ClientOptions STANDARD = new ClientOptions();

    // Changed only by with(), before anybody else sees the object.
    Duration callTimeout = Duration.ofSeconds(45);
    Duration streamTimeout = Duration.ofSeconds(Long.MAX_VALUE);
    MessageLimits limits = MessageLimits.DEFAULT;

    private ClientOptions() {}

    /** {@return the defaults, which suit most programs} */
    public static ClientOptions standard() {
        return STANDARD;
    }

    /**
     * {@return the same options with another time limit to connect, and of a call until its (first)
     * reply}
     *
     * @param timeout the time limit; the default is 45 s
     */
    public ClientOptions withCallTimeout(Duration timeout) {
        positive(timeout);
        return with(options -> options.callTimeout = timeout);
    }

    /**
     * {@return the same options with another time limit between two replies to a {@code more} call}
     *
     * @param timeout the time limit; there is none by default
     */
    public ClientOptions withStreamTimeout(Duration timeout) {
        positive(timeout);
        return with(options -> options.streamTimeout = timeout);
    }

    /**
     * {@return the same options with other limits of a reply}
     *
     * @param messages the limits of a reply; the default is {@link MessageLimits#DEFAULT}
     */
    public ClientOptions withLimits(MessageLimits messages) {
        return with(options -> options.limits = messages);
    }

    private static void positive(Duration timeout) {
        if (!timeout.isPositive()) {
            throw new IllegalArgumentException("a time-out is not positive");
        }
    }

    private ClientOptions with(Consumer<ClientOptions> change) {
        try {
            ClientOptions copy = (ClientOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
