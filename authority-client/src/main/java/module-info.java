/**
 * The client of an authorization authority: checks with Holdfast's authority or polkit whether a
 * process is authorized for an action.
 */
@SuppressWarnings("module") // the command is built later
module io.holdfast.authority.client {
    requires transitive io.holdfast.core;
    requires transitive io.holdfast.dbus;
    requires io.holdfast.varlink;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.authority.client;
    exports io.holdfast.authority.client.limit to
            io.holdfast.cli;
}
