package io.holdfast.authority.polkit1;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.subject.CgroupUnits;
import io.holdfast.authority.subject.UnitLookup;
import io.holdfast.core.ErrnoException;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The presence of an authority on a bus: connects, serves {@link PolicyKit1} there, and reconnects
 * when the bus is restarted. It ends when another process takes the name, or the bus refuses it.
 * Thread-safe.
 */
public final class BusPresence implements AutoCloseable {
    /** The time between two attempts to reconnect to the bus. */
    static final Duration PAUSE = Duration.ofMillis(500);

    /**
     * The maximum number of calls of all users under way: enough that a few users, each at the
     * user's own limits of checks and dialogs, keep no other user from calling.
     */
    private static final int CALLS = AuthorityLimits.CALLS.intValue();

    private static final ConnectionOptions OPTIONS =
            ConnectionOptions.standard()
                    .withIncomingCalls(CALLS)
                    .withIncomingBytes(4 << 20)
                    .withMessageBytes(128 << 10)
                    .withCalls(CALLS)
                    .withReader(Thread.ofPlatform().daemon().factory());

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final List<BusAddress> addresses;
    private final boolean replace;
    private final BusUnits units;
    private volatile @Nullable BusConnection connection;
    private volatile @Nullable String failure;
    private volatile boolean closed;
    private @Nullable Thread keeper;

    private BusPresence(List<BusAddress> addresses, boolean replace) {
        this.addresses = List.copyOf(addresses);
        this.replace = replace;
        this.units = new BusUnits(() -> Optional.ofNullable(connection), CgroupUnits.ofMachine());
    }

    /** Makes a presence on no bus. */
    public static BusPresence none() {
        return new BusPresence(List.of(), false);
    }

    /**
     * Makes a presence that is not connected yet.
     *
     * @param addresses tried in turn
     * @param replace whether to take the name from an owner that allows it
     */
    public static BusPresence on(List<BusAddress> addresses, boolean replace) {
        return new BusPresence(addresses, replace);
    }

    /**
     * Returns the lookup of units by the manager on this bus (GetUnitByPIDFD), or by the cgroup
     * alone if there is no manager or no bus.
     */
    public UnitLookup units() {
        return addresses.isEmpty() ? CgroupUnits.ofMachine() : units;
    }

    /**
     * Serves an authority from now on, until this is closed. Returns once it has the name.
     *
     * @param ended called if this ends without being closed; {@link #failure} has the reason
     * @throws ConnectionLostException if the bus cannot be reached
     * @throws IllegalStateException if the name has another owner, or the bus refuses it
     */
    public void serve(AuthorityEngine engine, Runnable ended) throws InterruptedException {
        if (addresses.isEmpty()) {
            return;
        }
        PolicyKit1 first;
        try {
            first = begin(engine);
        } catch (DBusException e) {
            throw new IllegalStateException(
                    "cannot serve " + Authority.BUS_NAME + " on the bus: " + e.getMessage(), e);
        }
        keeper =
                Thread.ofVirtual()
                        .name("holdfast-bus-presence")
                        .start(() -> keep(engine, first, ended));
    }

    private PolicyKit1 begin(AuthorityEngine engine) throws InterruptedException {
        BusConnection made = BusConnection.connect(addresses, OPTIONS);
        connection = made;
        try {
            return PolicyKit1.serve(engine, made, replace);
        } catch (RuntimeException | InterruptedException e) {
            made.close();
            throw e;
        }
    }

    private void keep(AuthorityEngine engine, PolicyKit1 first, Runnable ended) {
        try {
            boolean isLost = serveOn(first);
            while (isLost && !closed) {
                LOG.log(WARNING, "the connection to the bus is lost; reconnecting");
                PolicyKit1 again = reconnect(engine);
                LOG.log(INFO, "reconnected to the bus");
                isLost = serveOn(again);
            }
            if (!closed) {
                failure = "another authority has taken the name " + Authority.BUS_NAME;
                ended.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (DBusException | IllegalStateException e) {
            failure = e.getMessage();
            ended.run();
        } catch (RuntimeException | Error e) { // unexpected, but it must be reported
            failure = "cannot stay on the bus: " + e;
            ended.run();
        }
    }

    /** Serves until the connection is lost (true), or the name has another owner (false). */
    private boolean serveOn(PolicyKit1 face) throws InterruptedException {
        try (face) {
            return face.awaitLoss();
        } finally {
            closeConnection();
        }
    }

    private PolicyKit1 reconnect(AuthorityEngine engine) throws InterruptedException {
        while (true) {
            Thread.sleep(PAUSE);
            try {
                return begin(engine);
            } catch (ConnectionLostException e) {
                LOG.log(
                        System.Logger.Level.DEBUG,
                        "cannot reconnect to the bus: {0}",
                        e.getMessage());
            } catch (ErrnoException e) { // such as EMFILE, which may pass
                LOG.log(WARNING, "cannot reconnect to the bus; trying again: {0}", e.getMessage());
            }
        }
    }

    private void closeConnection() {
        BusConnection known = connection;
        if (known != null) {
            known.close();
        }
    }

    /** Returns why this has ended without being closed. */
    public Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void close() {
        closed = true;
        if (keeper != null) {
            keeper.interrupt();
            try {
                keeper.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        closeConnection();
    }
}
