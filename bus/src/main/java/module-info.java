/** A D-Bus message broker that identifies each peer by its pidfd from accept on. */
module io.holdfast.bus {
    requires transitive io.holdfast.dbus;
    requires java.xml;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.bus;
    exports io.holdfast.bus.config;
    exports io.holdfast.bus.service;
}
