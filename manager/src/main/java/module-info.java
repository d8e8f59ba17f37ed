/** A service manager that identifies the processes of its units by pidfd. */
module io.holdfast.manager {
    requires transitive io.holdfast.core;
    requires io.holdfast.dbus;
    requires transitive io.holdfast.varlink;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.manager;
    exports io.holdfast.manager.access;
    exports io.holdfast.manager.catalog;
    exports io.holdfast.manager.exec;
    exports io.holdfast.manager.generator;
    exports io.holdfast.manager.job;
    exports io.holdfast.manager.log;
    exports io.holdfast.manager.process;
    exports io.holdfast.manager.resource;
    exports io.holdfast.manager.runtime;
    exports io.holdfast.manager.survival;
    exports io.holdfast.manager.systemd1;
    exports io.holdfast.manager.unit;
    exports io.holdfast.manager.unit.calendar;
    exports io.holdfast.manager.unit.condition;
    exports io.holdfast.manager.unit.file;
    exports io.holdfast.manager.unit.host;
    exports io.holdfast.manager.unit.install;
    exports io.holdfast.manager.unit.resource;
    exports io.holdfast.manager.unit.section;
    exports io.holdfast.manager.unit.settings;
    exports io.holdfast.manager.unit.value;
    exports io.holdfast.manager.varlink;
    exports io.holdfast.manager.verify;
    exports io.holdfast.manager.view;
}
