package io.holdfast.bus;

/** A call that the bus answers with an error. It costs no stack trace. */
final class BusErrorException extends Exception {
    private static final long serialVersionUID = 1;

    private final BusError error;

    BusErrorException(BusError error, String text) {
        super(text, null, false, false);
        this.error = error;
    }

    BusError error() {
        return error;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
