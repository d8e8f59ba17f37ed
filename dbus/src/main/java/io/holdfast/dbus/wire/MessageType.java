package io.holdfast.dbus.wire;

/**
 * Kinds of messages. Other numbers up to 255 are kinds of the future: valid, and not understood.
 */
public final class MessageType {
    /** Has PATH and MEMBER. */
    public static final int METHOD_CALL = 1;

    /** Has REPLY_SERIAL. */
    public static final int METHOD_RETURN = 2;

    /** A call has failed; has ERROR_NAME and REPLY_SERIAL. */
    public static final int ERROR = 3;

    /** Has PATH, INTERFACE and MEMBER. */
    public static final int SIGNAL = 4;

    private MessageType() {}

    /**
     * {@return the name as in match rules: {@code method_call}, {@code signal}; a number if it has
     * none}
     *
     * @param type the number of the type
     */
    public static String nameOf(int type) {
        return switch (type) {
            case METHOD_CALL -> "method_call";
            case METHOD_RETURN -> "method_return";
            case ERROR -> "error";
            case SIGNAL -> "signal";
            default -> "type " + type;
        };
    }
}
