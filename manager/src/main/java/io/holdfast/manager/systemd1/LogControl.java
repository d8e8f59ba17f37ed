package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Names;

/** {@code org.freedesktop.LogControl1}: the log level of the manager. */
final class LogControl {
    private LogControl() {}

    /**
     * @param writable whether this connection may set the level: all peers of the private socket
     *     may do everything
     */
    static BusInterface describe(ManagerView manager, boolean writable) {
        BusInterface.Builder builder = BusInterface.named(Names.LOG_CONTROL);
        builder.property(
                "LogLevel",
                "s",
                () -> word(manager.logLevel()),
                writable ? value -> manager.logLevel(level(String.valueOf(value))) : null,
                BusInterface.Change.SILENT);
        builder.property("LogTarget", "s", () -> "console", null, BusInterface.Change.CONSTANT);
        builder.property(
                "SyslogIdentifier", "s", () -> "holdfast", null, BusInterface.Change.CONSTANT);
        return builder.build();
    }

    private static String word(Level level) {
        return switch (level) {
            case ERROR -> "err";
            case WARNING -> "warning";
            case NOTICE -> "notice";
            case INFO -> "info";
            case DEBUG -> "debug";
        };
    }

    private static Level level(String word) {
        return switch (word) {
            case "emerg", "alert", "crit", "err" -> Level.ERROR;
            case "warning" -> Level.WARNING;
            case "notice" -> Level.NOTICE;
            case "info" -> Level.INFO;
            case "debug" -> Level.DEBUG;
            default -> throw Errors.invalid("Invalid log level '" + word + "'");
        };
    }
}
