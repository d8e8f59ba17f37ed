package io.holdfast.authority.polkit1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;

/**
 * The interface {@code org.freedesktop.LogControl1} of a daemon whose log level is set on its
 * command line: the properties can be read, not changed.
 */
final class ReadOnlyLogControl {
    private static final String INTERFACE = "org.freedesktop.LogControl1";

    private final String identifier;

    ReadOnlyLogControl(String identifier) {
        this.identifier = identifier;
    }

    BusInterface description() {
        return BusInterface.named(INTERFACE)
                .property(
                        "LogLevel",
                        "s",
                        () -> "info",
                        value -> {
                            throw new DBusException(
                                    DBusException.NOT_SUPPORTED,
                                    "the log level is decided where the daemon is started, not \""
                                            + value
                                            + "\"");
                        },
                        BusInterface.Change.SILENT)
                .property("LogTarget", "s", () -> "console", null, BusInterface.Change.SILENT)
                .property(
                        "SyslogIdentifier",
                        "s",
                        () -> identifier,
                        null,
                        BusInterface.Change.CONSTANT)
                .build();
    }
}
