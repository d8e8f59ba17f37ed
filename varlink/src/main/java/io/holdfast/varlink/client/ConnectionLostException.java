package io.holdfast.varlink.client;

import java.io.Serial;

/**
 * Thrown when a client's connection has ended before the reply was complete; the client cannot be
 * used any more.
 */
public final class ConnectionLostException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why the connection ended. */
    public enum Reason {
        /** The service closed it, or this client was closed. */
        CLOSED,
        /** No reply came in time. */
        TIMED_OUT,
        /** The service broke the protocol. */
        PROTOCOL,
        /** The calling thread was interrupted; its interrupt status is set again. */
        INTERRUPTED
    }

    /** Why the connection ended. */
    private final Reason reason;

    ConnectionLostException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** {@return why the connection ended} */
    public Reason reason() {
        return reason;
    }
}
