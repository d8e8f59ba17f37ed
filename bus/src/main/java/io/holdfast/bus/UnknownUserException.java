package io.holdfast.bus;

/** A service is to run as a user that this machine does not have. */
final class UnknownUserException extends Exception {
    private static final long serialVersionUID = 1;

    UnknownUserException(String message) {
        super(message);
    }
}
