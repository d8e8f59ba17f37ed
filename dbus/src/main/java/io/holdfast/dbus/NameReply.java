package io.holdfast.dbus;

/** The result of a name request ({@link BusConnection#requestName}). */
public enum NameReply {
    /** We own the name now. */
    PRIMARY_OWNER,
    /**
     * We will own the name when the owners before us release it: the signal NameAcquired announces
     * that.
     */
    IN_QUEUE,
    /** Another connection owns the name, and we are not queued. */
    EXISTS,
    /** We owned the name already. */
    ALREADY_OWNER;

    static NameReply of(long code) {
        return switch ((int) code) {
            case 1 -> PRIMARY_OWNER;
            case 2 -> IN_QUEUE;
            case 3 -> EXISTS;
            case 4 -> ALREADY_OWNER;
            default ->
                    throw new DBusException(
                            DBusException.INCONSISTENT_MESSAGE,
                            "RequestName: unexpected reply " + code);
        };
    }
}
