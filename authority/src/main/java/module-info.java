/**
 * The authority: decides which subject may do which action, in the terms of polkit(8). Process
 * subjects are held by pidfd.
 */
@SuppressWarnings("module") // io.holdfast.cli is built after this module
module io.holdfast.authority {
    requires transitive io.holdfast.authority.client;
    requires transitive io.holdfast.core;
    requires transitive io.holdfast.dbus;
    requires transitive io.holdfast.varlink;
    requires java.management;
    requires java.xml;
    requires jdk.jfr;
    requires jdk.management;
    requires org.mozilla.rhino;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.authority;
    exports io.holdfast.authority.action;
    exports io.holdfast.authority.agent;
    exports io.holdfast.authority.polkit1 to
            io.holdfast.cli;
    exports io.holdfast.authority.rules;
    exports io.holdfast.authority.rules.engine to
            io.holdfast.cli;
    exports io.holdfast.authority.subject;
    exports io.holdfast.authority.temporary;
    exports io.holdfast.authority.varlink to
            io.holdfast.cli;
}
