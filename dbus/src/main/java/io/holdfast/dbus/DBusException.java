package io.holdfast.dbus;

import io.holdfast.dbus.marshal.Syntax;
import java.io.Serial;

/** An error reply: a handler throws it to send one, and a call throws it on receiving one. */
public final class DBusException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    private static final String PREFIX = "org.freedesktop.DBus.Error.";

    /** A failure without a more specific name. */
    public static final String FAILED = PREFIX + "Failed";

    /** The callee is gone or did not reply; sent by the bus. */
    public static final String NO_REPLY = PREFIX + "NoReply";

    /** No reply came within our time limit; made by this side. */
    public static final String TIMEOUT = PREFIX + "Timeout";

    /** The name has no owner, and no service can be started for it. */
    public static final String SERVICE_UNKNOWN = PREFIX + "ServiceUnknown";

    /** The name has no owner. */
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

    /** The arguments have other types than the method, or make no sense. */
    public static final String INVALID_ARGS = PREFIX + "InvalidArgs";

    /** The caller may not do that. */
    public static final String ACCESS_DENIED = PREFIX + "AccessDenied";

    /** A limit is reached; later there may be room again. */
    public static final String LIMITS_EXCEEDED = PREFIX + "LimitsExceeded";

    /** The request is valid but not supported here. */
    public static final String NOT_SUPPORTED = PREFIX + "NotSupported";

    /** A reply does not have the documented form. */
    public static final String INCONSISTENT_MESSAGE = PREFIX + "InconsistentMessage";

    /** The error name. */
    private final String name;

    /** The message for people. */
    private final String text;

    /**
     * Makes an error reply.
     *
     * @param name as {@code org.example.Error.NoSuchZone}
     * @param text the message for people
     * @throws IllegalArgumentException if that is no valid error name
     */
    public DBusException(String name, String text) {
        super(text.isEmpty() ? name : name + ": " + text);
        if (!Syntax.isErrorName(name)) {
            throw new IllegalArgumentException("not an error name: \"" + name + "\"");
        }
        this.name = name;
        this.text = text;
    }

    /** {@return the error name: compare it with the constants of this class} */
    public String name() {
        return name;
    }

    /** {@return the message for people; may be empty} */
    public String text() {
        return text;
    }
}
