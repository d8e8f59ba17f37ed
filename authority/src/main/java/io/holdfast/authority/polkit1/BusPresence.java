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
 * An authority's presence on a bus: connects, serves {@link PolicyKit1} there, and comes back when
 * the bus has been started anew. Ends when another takes the name, or the bus refuses it. Safe for
 * use by any thread.
 */
public final class BusPresence implements AutoCloseable {
    /** Between two attempts to reach a bus that has gone. */
    static final Duration PAUSE = Duration.ofMillis(500);

    /**
     * Of all users together: so many that a few of them, each at its own limits of checks and
     * dialogs, keep nobody else from asking.
     */
    private static final int CALLS = AuthorityLimits.CALLS.intValue();

    private static final ConnectionOptions OPTIONS =
            ConnectionOptions.DEFAULT
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

    /** On no bus. */
    public static BusPresence none() {
        return new BusPresence(List.of(), false);
    }

    /**
     * @param addresses tried in turn
     * @param replace whether the name is taken from another that allows it
     */
    public static BusPresence on(List<BusAddress> addresses, boolean replace) {
        return new BusPresence(addresses, replace);
    }

    /**
     * Finds units by the manager on this bus (GetUnitByPIDFD), and by the cgroup alone where there
     * is none.
     */
    public UnitLookup units() {
        return addresses.isEmpty() ? CgroupUnits.ofMachine() : units;
    }

    /**
     * Serves an authority, from now until this is closed.
     *
     * @param ended called when this has ended by itself, which {@link #failure} explains
     * @throws ConnectionLostException if the bus cannot be reached
     * @throws IllegalStateException if another has the name, or the bus refuses it
     */
    public void serve(AuthorityEngine engine, Runnable ended) throws InterruptedException {
        if (addresses.isEmpty()) {
            return;
        }
        PolicyKit1 first;
        try {
            first = begin(engine);
        } catch (DBusException e) {
            throw new IllegalStateException("the bus refuses us: " + e.getMessage(), e);
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
                LOG.log(WARNING, "the bus has gone: trying to come back");
                PolicyKit1 again = comeBack(engine);
                LOG.log(INFO, "back on the bus");
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
        } catch (RuntimeException | Error e) { // not foreseen, but it must not end in silence
            failure = "cannot stay on the bus: " + e;
            ended.run();
        }
    }

    /** Until the connection is lost, or (false) another has taken the name. */
    private boolean serveOn(PolicyKit1 face) throws InterruptedException {
        try (face) {
            return face.awaitLoss();
        } finally {
            closeConnection();
        }
    }

    private PolicyKit1 comeBack(AuthorityEngine engine) throws InterruptedException {
        while (true) {
            Thread.sleep(PAUSE);
            try {
                return begin(engine);
            } catch (ConnectionLostException e) {
                LOG.log(System.Logger.Level.DEBUG, "the bus is still gone: {0}", e.getMessage());
            } catch (ErrnoException e) { // no descriptor is left, for now
                LOG.log(WARNING, "cannot reach the bus, and try again: {0}", e.getMessage());
            }
        }
    }

    private void closeConnection() {
        BusConnection known = connection;
        if (known != null) {
            known.close();
        }
    }

    /** Why it has ended by itself. */
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
