package io.holdfast.cli.up;

import io.holdfast.cli.command.HostInit;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.log.JournalSocket;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the receiver of a manager listens and stores. That of the machine's manager takes the place
 * of systemd-journald; where systemd runs, and for all other managers, both are in the runtime
 * folder of the manager.
 *
 * @param sockets the folder of the sockets
 * @param storage the folder of the files; the folder of this machine in it, if {@code isMachines}
 * @param isMachines whether it receives for the machine
 */
public record JournalPlace(Path sockets, Path storage, boolean isMachines) {
    static final UnitName RECEIVER = UnitName.of("systemd-journald.service");
    static final UnitName SOCKET = UnitName.of("systemd-journald.socket");
    static final UnitName VARLINK_SOCKET = UnitName.of("systemd-journald-varlink.socket");
    static final UnitName SYSLOG_SOCKET = UnitName.of("systemd-journald-dev-log.socket");

    private static final Path PERSISTENT = Path.of("/var/log/journal");
    private static final Path VOLATILE = Path.of("/run/log/journal");
    private static final Path MACHINES = Path.of("/run/systemd/journal");

    /**
     * Units that start with the manager and rarely write: the manager passes their lines on, so
     * that the receiver starts only once there is a message.
     */
    private static final Set<UnitName> QUIET =
            Set.of(RECEIVER, UnitName.of("dbus.service"), UnitName.of("polkit.service"));

    public static JournalPlace of(ManagerOptions options) {
        Path runtime = options.runtimeDirectory();
        boolean isMachines =
                !options.scope().user()
                        && runtime.equals(ManagerOptions.system(Map.of()).runtimeDirectory())
                        && !HostInit.isSystemd();
        return isMachines
                ? new JournalPlace(
                        MACHINES, Files.isDirectory(PERSISTENT) ? PERSISTENT : VOLATILE, true)
                : new JournalPlace(runtime.resolve("journal"), runtime.resolve("log"), false);
    }

    /** Returns the folders of the files. */
    public List<Path> folders() {
        return isMachines ? List.of(VOLATILE, PERSISTENT) : List.of(storage);
    }

    /** Opens the way of a manager's own messages. */
    EventJournal events(boolean user) {
        return new EventJournal(sockets.resolve("socket"), user);
    }

    /** Returns the socket to which units connect. */
    JournalSocket socket() {
        return new JournalSocket(
                sockets.resolve("stdout"),
                QUIET,
                Set.of(RECEIVER, SOCKET, VARLINK_SOCKET, SYSLOG_SOCKET));
    }
}
