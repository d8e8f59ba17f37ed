package io.holdfast.varlink.client;

import java.io.Serial;

/**
 * Thrown when a call gets no reply, since the connection has ended or the call does not wait any
 * longer, and when no connection was made in time. A plain call that is interrupted or not answered
 * in time leaves the client usable, and its late reply is discarded; in all other cases the client
 * is closed.
 */
public final class ServiceLostException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why there is no reply. */
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

    /** Why there is no reply. */
    private final Reason reason;

    ServiceLostException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** {@return why there is no reply} */
    public Reason reason() {
        return reason;
    }
}
