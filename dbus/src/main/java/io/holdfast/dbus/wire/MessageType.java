package io.holdfast.dbus.wire;

/**
 * The types of messages. Other numbers up to 255 are types of later specifications: valid, but not
 * understood.
 */
public final class MessageType {
    /** A method call; has PATH and MEMBER. */
    public static final int METHOD_CALL = 1;

    /** A reply to a call; has REPLY_SERIAL. */
    public static final int METHOD_RETURN = 2;

    /** An error reply to a call; has ERROR_NAME and REPLY_SERIAL. */
    public static final int ERROR = 3;

    /** A signal; has PATH, INTERFACE and MEMBER. */
    public static final int SIGNAL = 4;

    private MessageType() {}

    /**
     * {@return the name as in match rules: {@code method_call}, {@code signal}; {@code type N} if
     * it has none}
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
