package io.holdfast.varlink.client;

import java.io.Serial;

/**
 * Thrown when a client's connection has ended before the reply was complete, so that the client
 * cannot be used any more, or when no connection was made in time.
 */
public final class ServiceLostException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why there is no connection. */
    public enum Reason {
        /** The service closed it, or this client was closed. */
        CLOSED,
        /** The service did not accept the connection, or did not reply, in time. */
        TIMED_OUT,
        /** The service broke the protocol. */
        PROTOCOL,
        /** The calling thread was interrupted; its interrupt status is set again. */
        INTERRUPTED
    }

    /** Why there is no connection. */
    private final Reason reason;

    ServiceLostException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** {@return why there is no connection} */
    public Reason reason() {
        return reason;
    }
}
