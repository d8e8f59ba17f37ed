/** Processes, descriptors, sockets and cgroups of Linux, held by pidfd. */
module io.holdfast.core {
    requires jdk.unsupported;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.core.file;
    exports io.holdfast.core.limit;
    exports io.holdfast.core.linux;
    exports io.holdfast.core.process;
    exports io.holdfast.core.run;
    exports io.holdfast.core.scope;
    exports io.holdfast.core.socket;
    exports io.holdfast.core.text;
}
