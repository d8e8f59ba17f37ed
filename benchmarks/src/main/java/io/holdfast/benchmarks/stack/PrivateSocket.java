package io.holdfast.benchmarks.stack;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A connection to the private D-Bus socket of a manager, where there is no bus. */
final class PrivateSocket implements AutoCloseable {
    private static final String SYSTEMD = "org.freedesktop.systemd1.";
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    private static final int NAME = 0; // index in a row of ListUnits
    private static final int PATH = 6;

    private final BusConnection connection;

    private PrivateSocket(BusConnection connection) {
        this.connection = connection;
    }

    /** Connects, and waits until the manager answers. */
    static PrivateSocket connect(Path socket) throws InterruptedException {
        return new PrivateSocket(
                BusConnection.withPeer(
                        UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM),
                        ConnectionOptions.standard()));
    }

    /** Returns the main PIDs of the active services whose names match a pattern. */
    Map<String, Object> mainPids(String pattern) throws InterruptedException {
        List<?> units =
                (List<?>)
                        connection
                                .object("/org/freedesktop/systemd1")
                                .call(
                                        SYSTEMD + "Manager",
                                        "ListUnitsByPatterns",
                                        "asas",
                                        List.of("active"),
                                        List.of(pattern))
                                .getFirst();
        Map<String, CompletableFuture<Message>> replies = new TreeMap<>();
        for (Object unit : units) {
            Struct row = (Struct) unit;
            CompletableFuture<Message> reply =
                    connection
                            .object(((ObjectPath) row.get(PATH)).path())
                            .begin(PROPERTIES, "Get", "ss", SYSTEMD + "Service", "MainPID");
            replies.put((String) row.get(NAME), reply);
        }
        Map<String, Object> pids = new TreeMap<>();
        replies.forEach((name, reply) -> {
            try (Message message = reply.join()) {
                pids.put(name, ((Variant) message.values().getFirst()).value());
            }
        });
        return pids;
    }

    @Override
    public void close() {
        connection.close();
    }
}
