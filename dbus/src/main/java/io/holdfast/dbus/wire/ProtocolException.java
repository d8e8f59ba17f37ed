package io.holdfast.dbus.wire;

/**
 * Bytes that are no valid D-Bus: what was read, at which byte, and the rule that it breaks. On a
 * bus only the sender of such bytes suffers. Carries no stack trace, since it tells of the peer's
 * mistake and not of ours.
 */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The byte that was refused. */
    private final long offset;

    /**
     * Describes the place and the broken rule.
     *
     * @param place what was being read, such as {@code header field PATH}
     * @param offset the byte where it stands, counted from the start of the message
     * @param reason the rule that is broken
     */
    public ProtocolException(String place, long offset, String reason) {
        super(place + " at byte " + offset + ": " + reason, null, false, false);
        this.offset = offset;
    }

    /** {@return the byte that was refused, counted from the start of the message} */
    public long offset() {
        return offset;
    }
}
