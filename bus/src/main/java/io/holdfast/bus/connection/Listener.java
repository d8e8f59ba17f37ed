package io.holdfast.bus.connection;

import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One address of a bus. It takes the pidfd of a new client before it reads a byte from the client.
 *
 * <p>When this process has no descriptor left, the listener accepts the waiting client with a
 * reserved descriptor and disconnects it at once: the client notices it, and the bus neither spins
 * nor ends.
 */
public final class Listener implements AutoCloseable {
    /** How long no client is accepted when the reserved descriptor is gone too. */
    private static final Duration ACCEPT_PAUSE = Duration.ofMillis(100);

    private static final int AT_ONCE = 16; // connections in one turn of the loop

    private final Connections connections;
    private final Policies policies;
    private final UnixListener socket;
    private final String guid;
    private final @Nullable Container container;
    private final EventLoop.Watch watch;

    /** A file whose close never waits; the close of a duplicate of the socket may be deferred. */
    private @Nullable PidFd reserve;

    /**
     * @param guid the id of this address: 32 lower-case hexadecimal digits
     * @param socket owned by the listener from now on, unless this fails
     * @param container the container whose socket it is; null for a socket of the bus
     * @throws ErrnoException if the loop cannot watch it, or there is no descriptor for the reserve
     */
    public Listener(
            Connections connections,
            Policies policies,
            UnixListener socket,
            String guid,
            @Nullable Container container) {
        this.connections = connections;
        this.policies = policies;
        this.socket = socket;
        this.guid = guid;
        this.container = container;
        PidFd kept = PidFd.self();
        try {
            this.watch = connections.loop.watch(socket.fd(), Readiness.IN, events -> accept());
        } catch (ErrnoException e) {
            kept.close();
            throw e;
        }
        this.reserve = kept;
    }

    private void accept() {
        for (int i = 0; i < AT_ONCE && watch.events() != 0; i++) {
            int number = SysSocket.accept(socket.fd());
            if (number >= 0) {
                admit(accepted(number));
            } else if (number == -Errno.EAGAIN) {
                return;
            } else if (number == -Errno.EMFILE || number == -Errno.ENFILE) {
                outOfDescriptors(number);
                return;
            } else {
                pauseAccepting("accept4: " + Errno.name(-number));
                return;
            }
        }
    }

    /**
     * Takes over an accepted connection, in which descriptors may already be: neither a close nor a
     * receive is to wait for theirs. One that comes with a byte out of band is seen only inline.
     */
    private static Fd accepted(int number) {
        Fd client = Fd.adopt(number);
        Ucred user = SysSocket.peercred(client);
        client.closeWith(FdCloser.automatic(user == null ? client : user.uid()));
        int ignored = SysSocket.setOption(client, SysSocket.SO_OOBINLINE, 1);
        return client;
    }

    private void admit(Fd client) {
        connections.counters.accepted++;
        Optional<String> tooOften = connections.charges.refusesConnect(SysSocket.peercred(client));
        if (tooOften.isPresent()) {
            refuse(client, tooOften.get());
            return;
        }
        Peer peer;
        try {
            Optional<Peer> found = Peer.of(client);
            if (found.isEmpty()) {
                client.close();
                return;
            }
            peer = found.get();
        } catch (ErrnoException e) {
            refuse(client, String.valueOf(e.getMessage()));
            return;
        }
        String denied = refusal(peer);
        if (denied != null) {
            refuse(client, peer, denied);
            return;
        }
        if (connections.closer.isFull(peer.uid())) {
            refuse(
                    client,
                    peer,
                    FdCloser.MAX_WAITING + " descriptors of its user are still being closed");
            return;
        }
        Account account = connections.charges.open(peer);
        if (account == null) {
            refuse(client, peer, connections.charges.refusal());
            return;
        }
        try {
            SaslServer.Config authentication =
                    container == null
                            ? policies.authentication(guid, peer.uid())
                            : Policies.external(guid, peer.uid());
            Connection connection =
                    new Connection(
                            connections,
                            client,
                            peer,
                            account,
                            new SaslServer(authentication),
                            container);
            if (container != null) {
                container.joined(connection);
            }
            connections.accepted(connection);
        } catch (ErrnoException e) { // the loop cannot watch it: ENOSPC, ENOMEM
            connections.charges.quota().close(account);
            refuse(client, peer, String.valueOf(e.getMessage()));
        }
    }

    private @Nullable String refusal(Peer peer) {
        return container == null
                ? policies.refusesConnection(peer)
                : container.refuses(
                        peer,
                        connections
                                .charges()
                                .limits()
                                .getInt(BusLimit.MAX_CONNECTIONS_PER_CONTAINER));
    }

    private void refuse(Fd client, @Nullable Peer peer, String why) {
        client.close();
        connections.counters.refusedAtAccept++;
        if (peer == null) {
            connections.log.notAccepted(
                    RefusalLog.UNKNOWN_USER, "a client without peer credentials", why);
        } else {
            connections.log.notAccepted(peer.uid(), peer.toString(), why);
            peer.close();
        }
    }

    /** Refuses a client whose identity was not taken. */
    private void refuse(Fd client, String why) {
        try (client) { // closes it whatever its lookup throws
            refuse(client, Peer.withoutPidFd(client).orElse(null), why);
        }
    }

    private void outOfDescriptors(int errno) {
        PidFd kept = reserve;
        int number = errno;
        if (kept != null) {
            kept.close();
            reserve = null;
            try {
                number = SysSocket.accept(socket.fd());
                if (number >= 0) {
                    refuse(accepted(number), "accept4: " + Errno.name(-errno));
                }
            } finally {
                restoreReserve();
            }
        } else {
            restoreReserve();
        }
        if (reserve == null || (number < 0 && number != -Errno.EAGAIN)) {
            pauseAccepting("accept4: " + Errno.name(-errno));
        }
    }

    private void pauseAccepting(String why) {
        connections.log.acceptPaused(why);
        watch.events(0);
        EventLoop.Timer ignored =
                connections.loop.after(
                        ACCEPT_PAUSE,
                        () -> {
                            restoreReserve();
                            watch.events(Readiness.IN);
                        });
    }

    private void restoreReserve() {
        if (reserve == null) {
            try {
                reserve = PidFd.self();
            } catch (ErrnoException e) {
                // the next call tries again
            }
        }
    }

    @Override
    public void close() {
        watch.close();
        if (reserve != null) {
            reserve.close();
        }
        socket.close();
    }
}
