package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.Manager;
import io.holdfast.manager.access.AuthorityPermission;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.runtime.BusNameWatcher;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A manager's D-Bus interface {@code org.freedesktop.systemd1}, for systemctl(1) and busctl(1): on
 * a private socket, and on a bus if configured.
 *
 * <p>Every caller may read. Changes are allowed to root and the manager's user, and to callers that
 * the polkit authority on the bus allows. The check passes the pidfd of the caller's process to the
 * authority. Without an authority no other caller may change anything.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/org.freedesktop.systemd1.html">
 *     org.freedesktop.systemd1</a>
 */
public final class Systemd1 implements AutoCloseable {
    private final Systemd1Face face;
    private final Permission permission;
    private final List<PrivateSocket> sockets = new CopyOnWriteArrayList<>();
    private volatile @Nullable BusLink bus;

    private Systemd1(Manager manager, Path folder) {
        permission = new AuthorityPermission(this::connection, manager.view().refusals());
        face = new Systemd1Face(manager.view(), permission);
        try {
            sockets.add(PrivateSocket.open(face, folder));
        } catch (RuntimeException e) {
            face.close();
            throw e;
        }
    }

    /**
     * Serves the manager on {@code systemd/private} in a folder; {@code systemctl --user} finds it
     * if {@code XDG_RUNTIME_DIR} names that folder. Only the manager's user and root may connect.
     *
     * @throws io.holdfast.core.ErrnoException EADDRINUSE if another process serves there, EPERM if
     *     other users could change the contents of the folder, other errors if it cannot be made
     */
    public static Systemd1 serve(Manager manager, Path folder) {
        return new Systemd1(manager, folder);
    }

    /**
     * Serves in another folder as well: in a user's real {@code XDG_RUNTIME_DIR}, {@code systemctl
     * --user} finds the manager without further settings.
     *
     * @throws io.holdfast.core.ErrnoException as in {@link #serve}
     */
    public void serveAlso(Path folder) {
        sockets.add(PrivateSocket.open(face, folder));
    }

    /**
     * Acquires the name {@code org.freedesktop.systemd1} on a bus, and reconnects whenever the bus
     * was lost. May be called once.
     *
     * @param addresses as {@code unix:path=/run/dbus/system_bus_socket}, tried in turn
     * @return reports the owners of names there
     * @throws io.holdfast.dbus.address.BusAddressException if they are malformed
     * @throws io.holdfast.dbus.ConnectionLostException if there is no bus now
     * @throws io.holdfast.dbus.DBusException if the name cannot be acquired
     */
    public BusNameWatcher connect(String addresses) throws InterruptedException {
        BusLink link = BusLink.open(face, BusAddress.parseList(addresses));
        bus = link;
        return link;
    }

    /**
     * Connects like {@link #connect} to a bus that may start later: acquires the name as soon as
     * the bus exists. Logs once that it does not exist yet. May be called once.
     *
     * @throws io.holdfast.dbus.address.BusAddressException if the addresses are malformed
     */
    public BusNameWatcher follow(String addresses) {
        BusLink link = BusLink.follow(face, BusAddress.parseList(addresses));
        bus = link;
        return link;
    }

    /** Returns the permission checks, for other interfaces of the same manager. */
    public Permission permission() {
        return permission;
    }

    private Optional<BusConnection> connection() {
        BusLink link = bus;
        return link == null ? Optional.empty() : link.connection();
    }

    /** Closes all connections. */
    @Override
    public void close() {
        BusLink link = bus;
        if (link != null) {
            link.close();
        }
        sockets.forEach(PrivateSocket::close);
        face.close();
    }
}
