package io.holdfast.dbus;

/** What came of asking for a name ({@link BusConnection#requestName}). */
public enum NameReply {
    /** It is ours now. */
    PRIMARY_OWNER,
    /** It will be ours when those before us give it up: the signal NameAcquired tells. */
    IN_QUEUE,
    /** Another has it, and we are not queued. */
    EXISTS,
    /** It was ours. */
    ALREADY_OWNER;

    static NameReply of(long code) {
        return switch ((int) code) {
            case 1 -> PRIMARY_OWNER;
            case 2 -> IN_QUEUE;
            case 3 -> EXISTS;
            case 4 -> ALREADY_OWNER;
            default ->
                    throw new DBusException(
                            DBusException.INCONSISTENT_MESSAGE, "RequestName answered " + code);
        };
    }
}
