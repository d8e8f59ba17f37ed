/** The command {@code holdfast}. */
module io.holdfast.cli {
    requires info.picocli;
    requires io.holdfast.authority;
    requires io.holdfast.authority.client;
    requires io.holdfast.bus;
    requires io.holdfast.core;
    requires io.holdfast.dbus;
    requires io.holdfast.journal;
    requires io.holdfast.manager;
    requires io.holdfast.receiver;
    requires io.holdfast.varlink;
    requires java.net.http;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.cli;

    provides System.LoggerFinder with
            io.holdfast.cli.output.LogLines;
}
