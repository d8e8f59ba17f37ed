package io.holdfast.authority.polkit1;

import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.client.Authority;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.NameFlag;
import io.holdfast.dbus.NameReply;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * The D-Bus interface of an authority, {@code org.freedesktop.PolicyKit1}, for clients of polkit.
 * Its callers and subjects are held by pidfd if the bus passes ProcessFD.
 */
public final class PolicyKit1 implements AutoCloseable {
    /** The interface of the agents. */
    public static final String AGENT_INTERFACE = Authority.BUS_NAME + ".AuthenticationAgent";

    /** The interface for Holdfast's own helper, on the same object as the authority. */
    public static final String HELPER_INTERFACE = "io.holdfast.AuthenticationHelper";

    /** Its method, called before PAM runs: may this agent's cookie authenticate this user? */
    public static final String BEGIN_ATTEMPT = "BeginAttempt";

    /** The prefix of the names of its errors. */
    static final String ERROR = Authority.BUS_NAME + ".Error.";

    /** The error of a call that was cancelled, or whose dialog the user has dismissed. */
    public static final String CANCELLED = ERROR + "Cancelled";

    /** The general error. */
    public static final String FAILED = ERROR + "Failed";

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final AuthorityEngine engine;
    private final BusConnection bus;
    private final BusPeers peers;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final List<AutoCloseable> open = new ArrayList<>();
    private final BusAgents agents;
    private final ExportedObject authority;

    private PolicyKit1(AuthorityEngine engine, BusConnection bus) throws InterruptedException {
        this.engine = engine;
        this.bus = bus;
        this.peers = new BusPeers();
        this.agents = new BusAgents(engine, bus, peers);
        PolicyKitMethods methods = new PolicyKitMethods(engine, peers, agents);
        this.authority =
                bus.export(
                        Authority.OBJECT_PATH, methods.description(), methods.helperDescription());
    }

    /**
     * Serves an authority under its well-known name. Another authority may replace it.
     *
     * @param bus remains the caller's
     * @param replace whether to take the name from an owner that allows it
     * @throws DBusException ACCESS_DENIED if the bus refuses the name
     * @throws IllegalStateException if the name has another owner
     */
    public static PolicyKit1 serve(AuthorityEngine engine, BusConnection bus, boolean replace)
            throws InterruptedException {
        PolicyKit1 face = new PolicyKit1(engine, bus);
        try {
            face.begin(replace);
            return face;
        } catch (RuntimeException | InterruptedException e) {
            face.close();
            throw e;
        }
    }

    private void begin(boolean replace) throws InterruptedException {
        Subscription owners =
                bus.subscribe(
                        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                                + "member='NameOwnerChanged',arg2=''");
        open.add(owners);
        var _ = Thread.ofVirtual().name("connections of " + bus).start(() -> follow(owners));
        Subscription ownName =
                bus.subscribe(
                        "type='signal',sender='org.freedesktop.DBus',"
                                + "interface='org.freedesktop.DBus',member='NameLost',arg0='"
                                + Authority.BUS_NAME
                                + "'",
                        _ -> ended.countDown());
        open.add(ownName);
        open.add(
                bus.export(
                        "/org/freedesktop/LogControl1",
                        new ReadOnlyLogControl("polkitd").description()));
        open.add(engine.onChange(this::changed));
        agents.restore();
        List<NameFlag> flags =
                new ArrayList<>(List.of(NameFlag.ALLOW_REPLACEMENT, NameFlag.DO_NOT_QUEUE));
        if (replace) {
            flags.add(NameFlag.REPLACE_EXISTING);
        }
        NameReply reply = bus.requestName(Authority.BUS_NAME, flags.toArray(NameFlag[]::new));
        if (reply != NameReply.PRIMARY_OWNER && reply != NameReply.ALREADY_OWNER) {
            throw new IllegalStateException(
                    Authority.BUS_NAME
                            + " is already owned on "
                            + bus
                            + (replace
                                    ? ", and its owner allows no replacement"
                                    : "; use --replace"));
        }
    }

    /**
     * Waits until the connection is lost, the name is lost, or this is closed.
     *
     * @return whether the connection is lost
     */
    public boolean awaitLoss() throws InterruptedException {
        ended.await();
        return !bus.isOpen();
    }

    /** Handles connections that leave, until this connection is lost or this is closed. */
    private void follow(Subscription owners) {
        long missed = 0;
        while (true) {
            try {
                try (Message signal = owners.take()) {
                    nameLost(signal);
                }
                if (owners.lost() != missed) {
                    missed = owners.lost();
                    lookForAll();
                }
            } catch (ConnectionLostException e) {
                ended.countDown();
                return;
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                if (ended.getCount() == 0) {
                    return;
                }
                LOG.log(WARNING, "could not follow the connections of " + bus, e);
            }
        }
    }

    private void nameLost(Message signal) {
        if (signal.values().getFirst() instanceof String name && name.startsWith(":")) {
            peers.forget(name);
            engine.disconnected(peers.connection(name));
        }
    }

    /** Handles lost signals: any connection may have left meanwhile. */
    private void lookForAll() throws InterruptedException {
        peers.forgetAll();
        for (String connection : engine.connections()) {
            Optional<String> name = peers.uniqueName(connection);
            if (name.isPresent() && bus.owner(name.get()).isEmpty()) {
                engine.disconnected(connection);
            }
        }
    }

    private void changed(AuthorityEngine.Change change) {
        int which = change == AuthorityEngine.Change.SESSIONS ? 1 : 0;
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus signal Changed")
                        .start(() -> {
                            try {
                                authority.emit(Authority.BUS_INTERFACE, "Changed", which);
                            } catch (ConnectionLostException e) {
                                ended.countDown();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
    }

    /** Releases the name, and removes the cached callers and the agents of this bus. */
    @Override
    public void close() {
        ended.countDown();
        for (AutoCloseable each : open.reversed()) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.log(WARNING, "closing a part of " + this, e);
            }
        }
        try {
            if (bus.isOpen()) {
                bus.releaseName(Authority.BUS_NAME);
            }
        } catch (ConnectionLostException e) {
            // the bus has gone, and with it the name
        } catch (DBusException e) {
            LOG.log(WARNING, "cannot give up " + Authority.BUS_NAME + ": {0}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        authority.close();
        peers.close();
        engine.disconnected(connection -> peers.uniqueName(connection).isPresent());
    }

    @Override
    public String toString() {
        return Authority.BUS_NAME + " on " + bus;
    }
}
