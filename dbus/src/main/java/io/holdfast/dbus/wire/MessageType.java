package io.holdfast.dbus.wire;

/**
 * Kinds of messages. Other numbers up to 255 are kinds of the future: valid, and not understood.
 */
public final class MessageType {
    public static final int METHOD_CALL = 1;
    public static final int METHOD_RETURN = 2;
    public static final int ERROR = 3;
    public static final int SIGNAL = 4;

    private MessageType() {}

    /** The name as in match rules: {@code method_call}, {@code signal}; a number if it has none. */
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
