package io.holdfast.bus.account;

/** A call that the bus answers with an error. It has no stack trace, so it is cheap. */
public final class BusErrorException extends Exception {
    private static final long serialVersionUID = 1;

    private final BusError error;

    public BusErrorException(BusError error, String text) {
        super(text, null, false, false);
        this.error = error;
    }

    public BusError error() {
        return error;
    }

    public String text() {
        return String.valueOf(getMessage());
    }
}
