package io.holdfast.dbus;

import java.io.Serial;

/** Thrown when a connection has ended or could not be made; it carries no further messages. */
public final class ConnectionLostException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why the connection ended. */
    public enum Reason {
        /** This side closed it. */
        CLOSED,
        /** The other side closed it, or no server listens at the address. */
        DISCONNECTED,
        /** The other side did not accept our authentication. */
        REFUSED,
        /** The other side broke the protocol. */
        PROTOCOL,
        /** A limit of {@link ConnectionOptions} was reached. */
        LIMIT
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

    /** Makes the same exception with the stack of another thread that waited for the connection. */
    ConnectionLostException again() {
        return new ConnectionLostException(reason, String.valueOf(getMessage()), this);
    }

    /** {@return why the connection ended} */
    public Reason reason() {
        return reason;
    }
}
