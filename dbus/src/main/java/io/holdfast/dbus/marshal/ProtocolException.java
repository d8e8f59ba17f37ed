package io.holdfast.dbus.marshal;

/**
 * Thrown for bytes that violate the D-Bus protocol: what was being read, at which byte, and the
 * broken rule. On a bus, only the sender of such bytes is disconnected. Has no stack trace, since
 * the fault is the peer's.
 */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The position of the refused byte. */
    private final long offset;

    /**
     * Makes an exception.
     *
     * @param place what was being read, such as {@code header field PATH}
     * @param offset the position of the byte, counted from the start of the message
     * @param reason the broken rule
     */
    public ProtocolException(String place, long offset, String reason) {
        super(place + " at byte " + offset + ": " + reason, null, false, false);
        this.offset = offset;
    }

    /** {@return the position of the refused byte, counted from the start of the message} */
    public long offset() {
        return offset;
    }
}
