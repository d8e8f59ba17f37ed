/** Varlink over AF_UNIX; each call knows its peer by pidfd. */
@SuppressWarnings("module") // the command is built later
module io.holdfast.varlink {
    requires transitive io.holdfast.core;
    requires tools.jackson.core;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.varlink;
    exports io.holdfast.varlink.client;
    exports io.holdfast.varlink.idl;
    exports io.holdfast.varlink.idl.tree to
            io.holdfast.manager;
    exports io.holdfast.varlink.json;
    exports io.holdfast.varlink.server;
    exports io.holdfast.varlink.typed;
    exports io.holdfast.varlink.wire to
            io.holdfast.cli;
}
