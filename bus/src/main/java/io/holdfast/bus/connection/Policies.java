package io.holdfast.bus.connection;

import io.holdfast.bus.account.LimitTable;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.policy.PeerPolicy;
import io.holdfast.bus.policy.PolicySet;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Checks clients and messages against the configured policy. A check returns null if the policy
 * allows, or else the reason: the rule that decides, and its place.
 */
public final class Policies {
    private static final String EXTERNAL = "EXTERNAL";

    private final long owner;
    private BusConfig config;
    private PolicySet policies;

    /**
     * @param owner the uid that the bus runs as
     */
    public Policies(BusConfig config, long owner) {
        this.owner = owner;
        this.config = config;
        this.policies = compile(config);
    }

    /**
     * Compiles a configuration for this machine. Looks users up, and may block. Any thread may call
     * it.
     */
    public PolicySet compile(BusConfig fresh) {
        try {
            return new PolicySet(fresh, Accounts.SYSTEM, owner);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking up users", e);
        }
    }

    /**
     * Resolves the limits of a configuration. Looks users up, and may block. Any thread may call
     * it.
     */
    public static LimitTable limits(BusConfig config) {
        try {
            return LimitTable.compile(config.limits(), Accounts.SYSTEM);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking up users", e);
        }
    }

    /**
     * Replaces the policies, for connected clients too; whether they may connect is not checked
     * again.
     */
    public void reload(BusConfig fresh, PolicySet compiled, Iterable<Connection> connections) {
        config = fresh;
        policies = compiled;
        connections.forEach(this::registered);
    }

    /**
     * Returns how a client may authenticate. ANONYMOUS is offered only if the configuration allows
     * it; for policies, such a client is still the user that the kernel reports.
     */
    SaslServer.Config authentication(String guid, long uid) {
        List<String> mechanisms = config.auth();
        boolean external = mechanisms.isEmpty() || mechanisms.contains(EXTERNAL);
        boolean anonymous =
                config.allowAnonymous()
                        && (mechanisms.isEmpty() || mechanisms.contains("ANONYMOUS"));
        return authentication(guid, uid, external, anonymous);
    }

    /** Returns the settings for a client that must be the user that the kernel reports. */
    static SaslServer.Config external(String guid, long uid) {
        return authentication(guid, uid, true, false);
    }

    private static SaslServer.Config authentication(
            String guid, long uid, boolean external, boolean anonymous) {
        return new SaslServer.Config(
                guid,
                external,
                anonymous,
                OptionalLong.of(uid),
                true,
                SaslServer.Config.DEFAULT_REJECTIONS,
                SaslServer.Config.DEFAULT_LINES);
    }

    /** Returns one line for each name in the configuration that this machine does not know. */
    public Iterable<String> unknown() {
        return policies.unknown();
    }

    @Nullable String refusesConnection(Peer peer) {
        long[] gids = gids(peer);
        return policies.canConnect(peer.uid(), gids)
                ? null
                : "the policy: " + PeerPolicy.explain(policies.connectRule(peer.uid(), gids));
    }

    /** Gives a connection the policy of its user. */
    public void registered(Connection connection) {
        Peer peer = connection.peer();
        connection.policy =
                policies.forPeer(peer.uid(), gids(peer), place -> isIn(peer, place), false);
    }

    /** Checks by the pidfd; a peer without one is in no cgroup. */
    private static boolean isIn(Peer peer, CgroupPath place) {
        try {
            return peer.pidFd().map(process -> CgroupPlace.isIn(process, place)).orElse(false);
        } catch (ErrnoException e) {
            return false; // the process is reaped
        }
    }

    private static long[] gids(Peer peer) {
        long[] gids = new long[peer.groups().size() + 1];
        gids[0] = peer.gid();
        for (int i = 1; i < gids.length; i++) {
            gids[i] = peer.groups().get(i - 1);
        }
        return gids;
    }

    public @Nullable String refusesName(Connection by, String name) {
        PeerPolicy policy = by.policy();
        return policy.canOwn(name) ? null : denied(by, "own " + name, policy.ownRule(name));
    }

    /**
     * Returns why a message may not be sent, or null.
     *
     * @param to a client, the bus, or the service that is to be started
     */
    public @Nullable String refusesSending(Connection from, Party to, MessageView message) {
        return refusesSending(from, to, message, false);
    }

    private static @Nullable String refusesSending(
            Connection from, Party to, MessageView message, boolean requested) {
        PeerPolicy policy = from.policy();
        return policy.canSend(message, to, requested)
                ? null
                : denied(from, "send this", policy.sendRule(message, to, requested));
    }

    /**
     * Returns why a message may not pass from one client to another, or null.
     *
     * @param requested whether it is a reply that the receiver waits for
     */
    public @Nullable String refusesPassing(
            Connection from, Connection to, MessageView message, boolean requested) {
        String denied = refusesSending(from, to, message, requested);
        if (denied != null) {
            return denied;
        }
        PeerPolicy policy = to.policy();
        return policy.canReceive(message, from, requested, false)
                ? null
                : denied(to, "receive this", policy.receiveRule(message, from, requested, false));
    }

    /** Returns whether a broadcast may pass from one client to another. */
    public boolean passes(Connection from, Connection to, MessageView message) {
        return from.policy().canSend(message, to, false)
                && to.policy().canReceive(message, from, false, false);
    }

    /**
     * Returns whether a client may receive a message of the bus, whose replies are always
     * requested.
     */
    public boolean passesFromBus(Connection to, MessageView message) {
        return to.policy().canReceive(message, Party.bus(), message.replySerial() != 0, false);
    }

    private static String denied(Connection who, String what, @Nullable PolicyRule rule) {
        return "%s of user %d may not %s: %s"
                .formatted(who.name(), who.peer().uid(), what, PeerPolicy.explain(rule));
    }
}
