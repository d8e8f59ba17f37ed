package io.holdfast.dbus;

import java.io.Serial;

/** A connection has ended, or could not be made; nothing more comes over it. */
public final class ConnectionLostException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why it ended. */
    public enum Reason {
        /** It was closed on this side. */
        CLOSED,
        /** The other side closed it, or nobody listens there. */
        DISCONNECTED,
        /** The other side did not accept our authentication. */
        REFUSED,
        /** The other side broke the protocol. */
        PROTOCOL,
        /** A limit of {@link ConnectionOptions} was reached. */
        LIMIT,
        /** The calling thread was interrupted; its interrupt status is set again. */
        INTERRUPTED
    }

    /** Why the connection ended. */
    private final Reason reason;

    ConnectionLostException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    ConnectionLostException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** The same, thrown anew to one who waited for the connection. */
    ConnectionLostException again() {
        return new ConnectionLostException(reason, String.valueOf(getMessage()), this);
    }

    /** {@return why the connection ended} */
    public Reason reason() {
        return reason;
    }
}
