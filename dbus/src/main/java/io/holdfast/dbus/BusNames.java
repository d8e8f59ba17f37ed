package io.holdfast.dbus;

/** Names that every message bus has. */
public final class BusNames {
    /** The bus driver: its bus name and its interface. */
    public static final String BUS = "org.freedesktop.DBus";

    /** The path of the bus driver's object. */
    public static final String BUS_PATH = "/org/freedesktop/DBus";

    private BusNames() {}
}
