/**
 * D-Bus over AF_UNIX: wire format, authentication, addresses, and a client that holds its callers
 * by pidfd.
 */
module io.holdfast.dbus {
    requires transitive io.holdfast.core;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.dbus;
    exports io.holdfast.dbus.typed;
    exports io.holdfast.dbus.wire;
}
