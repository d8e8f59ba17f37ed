/**
 * D-Bus over AF_UNIX: wire format, authentication, addresses, and a client that identifies its
 * callers by pidfd.
 */
@SuppressWarnings("module") // the command is built later
module io.holdfast.dbus {
    requires transitive io.holdfast.core;
    requires static java.xml; // only for the generator
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.dbus;
    exports io.holdfast.dbus.address;
    exports io.holdfast.dbus.typed;
    exports io.holdfast.dbus.wire;
    exports io.holdfast.dbus.wire.sasl to
            io.holdfast.bus;
    exports io.holdfast.dbus.generate to
            io.holdfast.cli;
    exports io.holdfast.dbus.wire.match to
            io.holdfast.bus;
    exports io.holdfast.dbus.address.transport to
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.cli;
    exports io.holdfast.dbus.marshal to
            io.holdfast.bus,
            io.holdfast.authority,
            io.holdfast.cli;
}
