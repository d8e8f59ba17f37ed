package io.holdfast.dbus.wire;

/** Codes of the fields in a message's header. */
public final class HeaderField {
    public static final int PATH = 1;
    public static final int INTERFACE = 2;
    public static final int MEMBER = 3;
    public static final int ERROR_NAME = 4;
    public static final int REPLY_SERIAL = 5;
    public static final int DESTINATION = 6;
    public static final int SENDER = 7;
    public static final int SIGNATURE = 8;
    public static final int UNIX_FDS = 9;
    public static final int CONTAINER_INSTANCE = 10;

    private HeaderField() {}

    /** The name as in the specification, or {@code code N}. */
    public static String nameOf(int code) {
        return switch (code) {
            case PATH -> "PATH";
            case INTERFACE -> "INTERFACE";
            case MEMBER -> "MEMBER";
            case ERROR_NAME -> "ERROR_NAME";
            case REPLY_SERIAL -> "REPLY_SERIAL";
            case DESTINATION -> "DESTINATION";
            case SENDER -> "SENDER";
            case SIGNATURE -> "SIGNATURE";
            case UNIX_FDS -> "UNIX_FDS";
            case CONTAINER_INSTANCE -> "CONTAINER_INSTANCE";
            default -> "code " + code;
        };
    }

    /** The type code of a known field's value, or 0 for an unknown field. */
    static int typeOf(int code) {
        return switch (code) {
            case PATH, CONTAINER_INSTANCE -> 'o';
            case INTERFACE, MEMBER, ERROR_NAME, DESTINATION, SENDER -> 's';
            case REPLY_SERIAL, UNIX_FDS -> 'u';
            case SIGNATURE -> 'g';
            default -> 0;
        };
    }
}
