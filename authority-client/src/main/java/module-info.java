/** The client of an authority: asks Holdfast's or polkit's whether a process may do something. */
module io.holdfast.authority.client {
    requires transitive io.holdfast.core;
    requires transitive io.holdfast.dbus;
    requires io.holdfast.varlink;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.authority.client;
}
