package io.holdfast.dbus.marshal;

/** The codes of the fields in a message's header. */
public final class HeaderField {
    /** An object path: the object of the call, or the object that sends the signal. */
    public static final int PATH = 1;

    /** A string: the interface of the call or signal. A call may leave it out. */
    public static final int INTERFACE = 2;

    /** A string: the name of the method or signal. */
    public static final int MEMBER = 3;

    /** A string: the name of an error. */
    public static final int ERROR_NAME = 4;

    /** A number, not 0: the serial of the call to which this message replies. */
    public static final int REPLY_SERIAL = 5;

    /** A string: a bus name. A signal without one is a broadcast. */
    public static final int DESTINATION = 6;

    /** A string: the unique name of the sender, set by the bus. */
    public static final int SENDER = 7;

    /** A signature: the types of the body. Absent if there is no body. */
    public static final int SIGNATURE = 8;

    /** A number: how many descriptors accompany the message. */
    public static final int UNIX_FDS = 9;

    /** An object path, set only by the bus: the container instance of the sender. */
    public static final int CONTAINER_INSTANCE = 10;

    private HeaderField() {}

    /**
     * {@return the name as in the specification, or {@code code N}}
     *
     * @param code the code of the field
     */
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

    /** Returns the type code of a known field's value, or 0 for an unknown field. */
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
