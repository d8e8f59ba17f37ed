package io.holdfast.dbus.testkit;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The other reference bus, {@code dbus-broker(1)}, controlled as its launcher does: over a socket
 * pair, on which it receives the socket to listen on.
 */
public final class DbusBroker implements TestBus {
    private static final String PATH = "/org/bus1/DBus/Broker";
    private static final String BATCH = "(bta(btbs)a(btssssuutt)a(btssssuutt))";
    private static final String POLICY = "(a(u" + BATCH + ")a(buu" + BATCH + ")a(ss)bs)";
    private static final long EVERYBODY = 0xFFFFFFFFL;
    private static final long NO_LIMIT = -1;

    private final Child child;
    private final BusConnection controller;
    private final UnixListener listener;
    private final String address;

    private DbusBroker(
            Child child, BusConnection controller, UnixListener listener, String address) {
        this.child = child;
        this.controller = controller;
        this.listener = listener;
        this.address = address;
    }

    /**
     * Starts the bus, and waits until it listens.
     *
     * @param folder the folder for its socket and log
     */
    public static DbusBroker start(Path folder) throws IOException, InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket theirs = pair[1]) {
            Child child =
                    Spawn.of("dbus-broker", "--controller", "3")
                            .arguments(List.of("--machine-id", "0123456789abcdef0123456789abcdef"))
                            .arguments(List.of("--max-bytes", "536870912", "--max-fds", "4096"))
                            .arguments(List.of("--max-matches", "131072"))
                            .arguments(List.of("--max-objects", "1048576"))
                            .descriptor(3, theirs.fd())
                            .stderr(Stdio.to(folder.resolve("dbus-broker.log")))
                            .start();
            BusConnection controller =
                    BusConnection.withPeer(pair[0], ConnectionOptions.standard());
            Path socket = folder.resolve("dbus-broker.socket");
            UnixListener listener =
                    UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 4096);
            DbusBroker broker = new DbusBroker(child, controller, listener, "unix:path=" + socket);
            broker.listen();
            return broker;
        }
    }

    private void listen() throws InterruptedException {
        var _ =
                controller.export(
                        "/org/bus1/DBus/Controller",
                        BusInterface.named("org.bus1.DBus.Controller")
                                .method("ReloadConfig", "", "", _ -> List.of())
                                .build());
        controller
                .object(PATH)
                .call(
                        "org.bus1.DBus.Broker",
                        "AddListener",
                        "ohv",
                        "/org/bus1/DBus/Listener/0",
                        listener.fd(),
                        Variant.of(POLICY, allowAll()));
    }

    private static Struct allowAll() {
        Struct anything = Struct.of(true, 1, "", "", "", "", 0, 0, 0, NO_LIMIT);
        Struct batch =
                Struct.of(
                        true,
                        1,
                        List.of(Struct.of(true, 1, true, "")),
                        List.of(anything),
                        List.of(anything));
        return Struct.of(
                List.of(Struct.of(EVERYBODY, batch)), List.of(), List.of(), false, "session");
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public Kind kind() {
        return Kind.DBUS_BROKER;
    }

    @Override
    public void close() {
        try (child;
                listener;
                controller) {
            boolean ignored = child.signal(Signal.TERM);
            var _ = child.onExit().join();
        }
    }
}
