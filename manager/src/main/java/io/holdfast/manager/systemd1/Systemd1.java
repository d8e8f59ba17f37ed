package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.Manager;
import io.holdfast.manager.access.AuthorityPermission;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.runtime.BusNames;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A manager's face on D-Bus, {@code org.freedesktop.systemd1}, as systemctl(1) and busctl(1) speak
 * with it: on a private socket, and on a bus if it is told to.
 *
 * <p>Everybody may read. To change something one must be root or the manager's own user, or
 * polkit's authority on the bus must allow it; it is asked with the descriptor of the caller's
 * process, and without an authority nobody else may.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/org.freedesktop.systemd1.html">
 *     org.freedesktop.systemd1</a>
 */
public final class Systemd1 implements AutoCloseable {
    private final Face face;
    private final Permission permission;
    private final List<PrivateSocket> sockets = new CopyOnWriteArrayList<>();
    private volatile @Nullable BusLink bus;

    private Systemd1(Manager manager, Path folder) {
        permission = new AuthorityPermission(this::connection, manager.view().refusals());
        face = new Face(manager.view(), permission);
        try {
            sockets.add(PrivateSocket.open(face, folder));
        } catch (RuntimeException e) {
            face.close();
            throw e;
        }
    }

    /**
     * Serves the manager on {@code systemd/private} in a folder, which is then what {@code
     * XDG_RUNTIME_DIR} names for {@code systemctl --user}. Only the manager's user and root may
     * connect.
     *
     * @throws io.holdfast.core.ErrnoException EADDRINUSE if somebody serves there, EPERM if other
     *     users could change what is in the folder, others if it cannot be made
     */
    public static Systemd1 serve(Manager manager, Path folder) {
        return new Systemd1(manager, folder);
    }

    /**
     * Serves in another folder, too: in a user's {@code XDG_RUNTIME_DIR} itself {@code systemctl
     * --user} finds the manager unasked.
     *
     * @throws io.holdfast.core.ErrnoException as of {@link #serve}
     */
    public void serveAlso(Path folder) {
        sockets.add(PrivateSocket.open(face, folder));
    }

    /**
     * Takes the name {@code org.freedesktop.systemd1} on a bus, and comes back to it when the bus
     * was away. Once.
     *
     * @param addresses as {@code unix:path=/run/dbus/system_bus_socket}, tried in turn
     * @return who owns which name there
     * @throws io.holdfast.dbus.address.BusAddressException if they are malformed
     * @throws io.holdfast.dbus.ConnectionLostException if no bus is there now
     * @throws io.holdfast.dbus.DBusException if the name cannot be had
     */
    public BusNames connect(String addresses) throws InterruptedException {
        BusLink link = BusLink.open(face, BusAddress.parseList(addresses));
        bus = link;
        return link;
    }

    /**
     * The same of a bus that is still to come: takes the name as soon as it is there. Says once
     * that it is not yet. Once.
     *
     * @throws io.holdfast.dbus.address.BusAddressException if the addresses are malformed
     */
    public BusNames follow(String addresses) {
        BusLink link = BusLink.follow(face, BusAddress.parseList(addresses));
        bus = link;
        return link;
    }

    /** Who may change something: for other faces of the same manager. */
    public Permission permission() {
        return permission;
    }

    private Optional<BusConnection> connection() {
        BusLink link = bus;
        return link == null ? Optional.empty() : link.connection();
    }

    /** Ends all connections. */
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
