/** Linux processes, held by pidfd, and descriptors, files, sockets and cgroups. */
@SuppressWarnings("module") // the modules to which the bindings are exported are built later
module io.holdfast.core {
    requires jdk.unsupported;
    requires static jdk.jfr;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.core;
    exports io.holdfast.core.file;
    exports io.holdfast.core.process;
    exports io.holdfast.core.run;
    exports io.holdfast.core.scope;
    exports io.holdfast.core.socket;
    exports io.holdfast.core.terminal;
    exports io.holdfast.core.machine to
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.process.privilege to
            io.holdfast.manager;
    exports io.holdfast.core.state to
            io.holdfast.manager,
            io.holdfast.authority;
    exports io.holdfast.core.sys to
            io.holdfast.varlink,
            io.holdfast.journal,
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.sys.process to
            io.holdfast.varlink,
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.sys.socket to
            io.holdfast.varlink,
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.limit to
            io.holdfast.varlink,
            io.holdfast.journal,
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority.client,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.text to
            io.holdfast.journal,
            io.holdfast.dbus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.receiver,
            io.holdfast.cli;
    exports io.holdfast.core.wait to
            io.holdfast.varlink,
            io.holdfast.bus,
            io.holdfast.manager;
    exports io.holdfast.core.file.folder to
            io.holdfast.journal,
            io.holdfast.receiver,
            io.holdfast.dbus,
            io.holdfast.bus,
            io.holdfast.manager,
            io.holdfast.authority,
            io.holdfast.cli;
}
