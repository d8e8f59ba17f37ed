package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a service looks up the credentials of its callers on a slow bus. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(60)
class PeerQuestionsTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final int CALLERS = 100;

    /** A bus disconnects a client for which more than 64 descriptors wait; this leaves a margin. */
    private static final int SPARE = 32;

    @TempDir private Path folder;

    /** The look-ups that are not answered yet. */
    private final ConcurrentLinkedQueue<CompletableFuture<List<?>>> open =
            new ConcurrentLinkedQueue<>();

    @Test
    void fewAreOpenAtOnceHoweverManyCallersThereAre() throws Exception {
        Path socket = folder.resolve("bus");
        try (UnixListener listener =
                        UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 1);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                PidFd process = PidFd.self()) {
            Future<BusConnection> accepted =
                    threads.submit(() ->
                            BusConnection.accept(
                                    listener.accept(),
                                    GUID,
                                    ConnectionOptions.standard(),
                                    this::exportBus));
            try (BusConnection service = BusConnection.connect("unix:path=" + socket);
                    BusConnection bus = accepted.get()) {
                List<Future<Peer>> peers = new ArrayList<>();
                for (int i = 0; i < CALLERS; i++) {
                    String name = ":1." + i;
                    peers.add(threads.submit(() -> service.peer(name)));
                }
                for (int answered = 0; answered < CALLERS; answered++) {
                    Await.until(() -> !open.isEmpty());
                    // when this is answered, the messages before it have been read
                    var _ = service.bus().call("org.freedesktop.DBus.Peer", "Ping");
                    assertThat(open).hasSizeLessThanOrEqualTo(SPARE);
                    open.remove().complete(List.of(credentials(process)));
                }
                for (Future<Peer> peer : peers) {
                    peer.get().close();
                }
                assertThat(bus.isOpen()).isTrue();
            }
        }
    }

    private void exportBus(BusConnection bus) {
        ExportedObject _ =
                bus.export(
                        "/org/freedesktop/DBus",
                        BusInterface.named("org.freedesktop.DBus")
                                .method("Hello", "", "s", _ -> List.of(":1.0"))
                                .asyncMethod(
                                        "GetConnectionCredentials",
                                        "s",
                                        "a{sv}",
                                        (_, reply) -> open.add(reply))
                                .build());
    }

    private static Map<String, Variant> credentials(PidFd process) {
        return Map.of(
                "ProcessID", Variant.of("u", process.pid()),
                "UnixUserID", Variant.of("u", 0),
                "ProcessFD", Variant.of("h", process.fd().duplicate()));
    }
}
