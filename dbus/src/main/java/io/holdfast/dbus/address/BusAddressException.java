package io.holdfast.dbus.address;

import java.io.Serial;

/**
 * Thrown for an address that is malformed or not supported. The message says which part, and why.
 */
public final class BusAddressException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /**
     * Makes an exception.
     *
     * @param message which part of the address is wrong, and why
     */
    public BusAddressException(String message) {
        super(message);
    }
}
