package io.holdfast.varlink.client;

import java.io.Serial;

/**
 * Thrown when a call waited until it could be sent, and the time limit ended or the thread was
 * interrupted. The service has received nothing of the call, and the client remains usable.
 */
public final class CallNotSentException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why the call was not sent. */
    public enum Reason {
        /** Earlier calls had no reply until the end of the time limit. */
        TIMED_OUT,
        /** The calling thread was interrupted; its interrupt status is set again. */
        INTERRUPTED
    }

    /** Why the call was not sent. */
    private final Reason reason;

    CallNotSentException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** {@return why the call was not sent} */
    public Reason reason() {
        return reason;
    }
}
