package io.holdfast.authority.polkit1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;

/**
 * {@code org.freedesktop.LogControl1} of a daemon whose logging its command line decides: levels
 * can be read.
 */
final class LogControl {
    private static final String INTERFACE = "org.freedesktop.LogControl1";

    private final String identifier;

    LogControl(String identifier) {
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
