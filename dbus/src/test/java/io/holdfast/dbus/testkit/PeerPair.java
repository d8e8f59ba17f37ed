package io.holdfast.dbus.testkit;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import java.util.concurrent.FutureTask;

/** Two connections that are connected to each other, without a bus. */
public record PeerPair(BusConnection client, BusConnection server) implements AutoCloseable {
    private static final String GUID = "0123456789abcdef0123456789abcdef";

    public static PeerPair connect() throws Exception {
        return connect(ConnectionOptions.standard());
    }

    /** Connects with options for the server. */
    public static PeerPair connect(ConnectionOptions options) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        FutureTask<BusConnection> accepting =
                new FutureTask<>(() -> BusConnection.accept(pair[1], GUID, options));
        Thread.ofVirtual().start(accepting);
        BusConnection client = BusConnection.withPeer(pair[0], ConnectionOptions.standard());
        return new PeerPair(client, accepting.get());
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
