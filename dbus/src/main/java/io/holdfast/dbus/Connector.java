package io.holdfast.dbus;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.ConnectionLostException.Reason;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.stream.ConnectedSocket;
import io.holdfast.dbus.stream.Handshake;
import io.holdfast.dbus.wire.sasl.SaslClient;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Opens connections for {@link BusConnection}: connects to a bus or takes over the socket of a
 * peer, and chooses the authentication.
 */
final class Connector {
    private Connector() {}

    /** Connects to a bus by the first address that leads to one. */
    static BusConnection connect(List<BusAddress> addresses, ConnectionOptions options)
            throws InterruptedException {
        List<RuntimeException> failures = new ArrayList<>();
        for (BusAddress address : addresses) {
            try {
                return open(address, options);
            } catch (ConnectionLostException | BusAddressException e) {
                failures.add(e);
            }
        }
        if (failures.size() == 1) {
            throw failures.getFirst();
        }
        List<String> reasons = failures.stream().map(e -> String.valueOf(e.getMessage())).toList();
        throw new ConnectionLostException(
                Reason.DISCONNECTED, "cannot connect to a bus: " + String.join("; ", reasons));
    }

    private static BusConnection open(BusAddress address, ConnectionOptions options)
            throws InterruptedException {
        Deadline deadline = Deadline.after(options.connectTimeout);
        ConnectedSocket connected;
        try {
            connected = ConnectedSocket.connect(address, deadline.left());
        } catch (ErrnoException e) {
            throw new ConnectionLostException(
                    Reason.DISCONNECTED, address + ": " + e.getMessage(), e);
        }
        Handshake handshake = client(options, address.guid());
        BusConnection connection =
                new BusConnection(connected, handshake, true, address.toString(), options);
        return connection.started(deadline);
    }

    private static Handshake client(ConnectionOptions options, Optional<String> guid) {
        SaslClient.Mechanism mechanism =
                options.anonymous ? SaslClient.Mechanism.ANONYMOUS : SaslClient.Mechanism.EXTERNAL;
        return new Handshake.Client(new SaslClient(mechanism, options.descriptors, guid));
    }

    static BusConnection withPeer(UnixSocket socket, ConnectionOptions options)
            throws InterruptedException {
        Handshake handshake = client(options, Optional.empty());
        return new BusConnection(
                        new ConnectedSocket(socket, Optional.empty()),
                        handshake,
                        false,
                        "a peer",
                        options)
                .started(Deadline.after(options.connectTimeout));
    }

    static BusConnection accept(
            UnixSocket socket,
            String guid,
            ConnectionOptions options,
            Consumer<BusConnection> prepared)
            throws InterruptedException {
        BusConnection connection;
        try {
            connection = accepting(socket, guid, options);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
        try {
            prepared.accept(connection);
        } catch (RuntimeException e) {
            connection.close();
            socket.close(); // the reader closes it, but it has not started yet
            throw e;
        }
        return connection.started(Deadline.after(options.connectTimeout));
    }

    private static BusConnection accepting(
            UnixSocket socket, String guid, ConnectionOptions options) {
        OptionalLong uid;
        try (Peer peer = socket.peer()) {
            boolean trusted = peer.uid() == 0 || peer.uid() == Unistd.geteuid();
            uid = trusted ? OptionalLong.of(peer.uid()) : OptionalLong.empty();
        }
        SaslServer.Config config =
                new SaslServer.Config(
                        guid,
                        true,
                        options.anonymous,
                        uid,
                        options.descriptors,
                        SaslServer.Config.DEFAULT_REJECTIONS,
                        SaslServer.Config.DEFAULT_LINES);
        return new BusConnection(
                new ConnectedSocket(socket, Optional.empty()),
                new Handshake.Server(new SaslServer(config), guid),
                false,
                "a peer",
                options);
    }
}
