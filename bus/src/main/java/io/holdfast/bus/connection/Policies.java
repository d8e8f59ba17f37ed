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
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration lets whom do. Questions of normal life are answered with null, or with the
 * reason: the rule that decides, and where it stands.
 */
public final class Policies {
    private static final String EXTERNAL = "EXTERNAL";

    private final long owner;
    private BusConfig config;
    private PolicySet policies;

    /**
     * @param owner the user of the bus
     */
    public Policies(BusConfig config, long owner) {
        this.owner = owner;
        this.config = config;
        this.policies = compile(config);
    }

    /** What a configuration means on this machine. Looks users up, and may block. By any thread. */
    public PolicySet compile(BusConfig fresh) {
        try {
            return new PolicySet(fresh, Accounts.SYSTEM, owner);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking up users", e);
        }
    }

    /** Which limits hold for whom. Looks users up, and may block. By any thread. */
    public static LimitTable limits(BusConfig config) {
        try {
            return LimitTable.compile(config.limits(), Accounts.SYSTEM);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking up users", e);
        }
    }

    /** Also for those who are there; who may connect is asked no more of them. */
    public void reload(BusConfig fresh, PolicySet compiled, Iterable<Connection> connections) {
        config = fresh;
        policies = compiled;
        connections.forEach(this::registered);
    }

    /**
     * How a client may say who it is. ANONYMOUS is offered only where the configuration lets nobody
     * in particular in; such a client is, to policies, still the user that the kernel says.
     */
    SaslServer.Config authentication(String guid, long uid) {
        List<String> mechanisms = config.auth();
        boolean external = mechanisms.isEmpty() || mechanisms.contains(EXTERNAL);
        boolean anonymous =
                config.allowAnonymous()
                        && (mechanisms.isEmpty() || mechanisms.contains("ANONYMOUS"));
        return authentication(guid, uid, external, anonymous);
    }

    /** For whoever must be the user that the kernel says. */
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

    /** Names in the configuration that this machine does not know. */
    public Iterable<String> unknown() {
        return policies.unknown();
    }

    @Nullable String refusesConnection(Peer peer) {
        long[] gids = gids(peer);
        return policies.canConnect(peer.uid(), gids)
                ? null
                : "the policy: " + PeerPolicy.explain(policies.connectRule(peer.uid(), gids));
    }

    /** Gives a connection what holds for its user. */
    public void registered(Connection connection) {
        Peer peer = connection.peer();
        connection.policy =
                policies.forPeer(peer.uid(), gids(peer), place -> isIn(peer, place), false);
    }

    /** By its descriptor; a peer that is not held is in no cgroup that counts. */
    private static boolean isIn(Peer peer, CgroupPath place) {
        try {
            return peer.pidFd().map(process -> CgroupPlace.isIn(process, place)).orElse(false);
        } catch (ErrnoException e) {
            return false; // it is reaped
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
     * Whether a message may be sent.
     *
     * @param to a client, the bus, or whom it is to be started for
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
     * Whether a message may pass from one client to another.
     *
     * @param requested whether it is a reply that the other waits for
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

    /** The same of a broadcast, where nobody asks why. */
    public boolean passes(Connection from, Connection to, MessageView message) {
        return from.policy().canSend(message, to, false)
                && to.policy().canReceive(message, from, false, false);
    }

    /** Whether a client may get what the bus says; its replies are always waited for. */
    public boolean passesFromBus(Connection to, MessageView message) {
        return to.policy().canReceive(message, Party.bus(), message.replySerial() != 0, false);
    }

    private static String denied(Connection who, String what, @Nullable PolicyRule rule) {
        return "%s of user %d may not %s: %s"
                .formatted(who.name(), who.peer().uid(), what, PeerPolicy.explain(rule));
    }
}
