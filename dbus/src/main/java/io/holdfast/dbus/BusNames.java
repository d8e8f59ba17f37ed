package io.holdfast.dbus;

/** Names that every message bus has. */
public final class BusNames {
    /** The bus itself: name and interface. */
    public static final String BUS = "org.freedesktop.DBus";

    /** The object that the bus itself is. */
    public static final String BUS_PATH = "/org/freedesktop/DBus";

    private BusNames() {}
}
