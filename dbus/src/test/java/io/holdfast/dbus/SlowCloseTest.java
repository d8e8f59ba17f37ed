package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.LingeringSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A caller's descriptor whose last close takes two minutes delays no other call. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(60)
class SlowCloseTest {
    private static final String NAME = "org.example.Test";
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final ConnectionOptions OPTIONS =
            ConnectionOptions.standard().withCallTimeout(Duration.ofSeconds(10));

    private final CountDownLatch received = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);

    @Test
    void theObjectAnswersTheNextCall() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        FutureTask<BusConnection> accepting =
                new FutureTask<>(() ->
                        BusConnection.accept(
                                pair[0], GUID, ConnectionOptions.standard(), this::export));
        Thread.ofVirtual().start(accepting);
        try (LingeringSocket lingering = LingeringSocket.make();
                BusConnection client = BusConnection.withPeer(pair[1], OPTIONS);
                BusConnection server = accepting.get()) {
            RemoteObject object = client.object("/test");
            Thread caller =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    var _ = object.call(NAME, "Take", "h", lingering.fd());
                                } catch (InterruptedException | RuntimeException e) {
                                    throw new AssertionError(e);
                                }
                            });
            received.await();
            Await.parked(caller); // its send has ended, so it does not close the descriptor
            lingering.fd().close();
            release.countDown(); // the server has the last duplicate
            caller.join();
            assertThat(object.call(NAME, "Echo", "s", "soon")).containsExactly("soon");
            assertThat(server.isOpen()).isTrue();
        }
    }

    private void export(BusConnection server) {
        ExportedObject _ =
                server.export(
                        "/test",
                        BusInterface.named(NAME)
                                .method("Echo", "s", "s", call -> List.of(call.string(0)))
                                .method(
                                        "Take",
                                        "h",
                                        "",
                                        _ -> {
                                            received.countDown();
                                            release.await();
                                            return List.of();
                                        })
                                .build());
    }
}
