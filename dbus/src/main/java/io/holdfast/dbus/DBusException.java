package io.holdfast.dbus;

import io.holdfast.dbus.wire.Syntax;
import java.io.Serial;

/**
 * An error reply: thrown by a handler it is what the caller gets, and a caller throws what it got.
 */
public final class DBusException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    private static final String PREFIX = "org.freedesktop.DBus.Error.";

    /** Something went wrong that has no name of its own. */
    public static final String FAILED = PREFIX + "Failed";

    /** Who should have answered is gone, or did not: said by the bus. */
    public static final String NO_REPLY = PREFIX + "NoReply";

    /** No reply came in the time that we waited: said by this side. */
    public static final String TIMEOUT = PREFIX + "Timeout";

    /** Nobody has the name, and no service for it can be started. */
    public static final String SERVICE_UNKNOWN = PREFIX + "ServiceUnknown";

    /** Nobody has the name. */
    public static final String NAME_HAS_NO_OWNER = PREFIX + "NameHasNoOwner";

    /** There is no object at the path. */
    public static final String UNKNOWN_OBJECT = PREFIX + "UnknownObject";

    /** The object does not have the interface. */
    public static final String UNKNOWN_INTERFACE = PREFIX + "UnknownInterface";

    /** The interface does not have the method. */
    public static final String UNKNOWN_METHOD = PREFIX + "UnknownMethod";

    /** The interface does not have the property. */
    public static final String UNKNOWN_PROPERTY = PREFIX + "UnknownProperty";

    /** The property cannot be set. */
    public static final String PROPERTY_READ_ONLY = PREFIX + "PropertyReadOnly";

    /** The arguments have other types than the method takes, or make no sense. */
    public static final String INVALID_ARGS = PREFIX + "InvalidArgs";

    /** The caller may not do that. */
    public static final String ACCESS_DENIED = PREFIX + "AccessDenied";

    /** A limit is reached; later there may be room again. */
    public static final String LIMITS_EXCEEDED = PREFIX + "LimitsExceeded";

    /** It is known, and not done here. */
    public static final String NOT_SUPPORTED = PREFIX + "NotSupported";

    /** A reply is not what its documentation says. */
    public static final String INCONSISTENT_MESSAGE = PREFIX + "InconsistentMessage";

    /** The error's name. */
    private final String name;

    /** What it says to people. */
    private final String text;

    /**
     * Describes an error to reply with.
     *
     * @param name as {@code org.example.Error.NoSuchZone}
     * @param text for people
     * @throws IllegalArgumentException if that can be no error's name
     */
    public DBusException(String name, String text) {
        super(text.isEmpty() ? name : name + ": " + text);
        if (!Syntax.isErrorName(name)) {
            throw new IllegalArgumentException("not an error name: \"" + name + "\"");
        }
        this.name = name;
        this.text = text;
    }

    /** {@return the error's name: compare with the constants here} */
    public String name() {
        return name;
    }

    /** {@return the message for people; may be empty} */
    public String text() {
        return text;
    }
}
