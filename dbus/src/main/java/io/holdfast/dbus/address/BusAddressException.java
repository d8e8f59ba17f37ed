package io.holdfast.dbus.address;

import java.io.Serial;

/** An address that is malformed, or of no use here. The message says which part, and why. */
public final class BusAddressException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /**
     * An address that cannot be used.
     *
     * @param message which part of it, and why
     */
    public BusAddressException(String message) {
        super(message);
    }

    BusAddressException(String message, Throwable cause) {
        super(message, cause);
    }
}
