package io.holdfast.dbus;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Calls that arrive while the thread that reads is busy, and the end of their connection. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(60)
class ArrivedCallsTest {
    private static final String TEST = "org.example.Test";
    private static final byte[] ANSWERS =
            "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n".getBytes(US_ASCII);

    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final CountDownLatch holding = new CountDownLatch(1);
    private final CountDownLatch held = new CountDownLatch(1);
    private final BlockingQueue<Object> handled = new LinkedBlockingQueue<>();

    @AfterEach
    void close() {
        pair[0].close();
        pair[1].close();
    }

    private BusConnection connect(ConnectionOptions options) throws InterruptedException {
        pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
        return BusConnection.withPeer(pair[0], options);
    }

    private void call(int serial, String method) throws InterruptedException {
        MessageWriter call =
                new MessageWriter()
                        .methodCall("/object", TEST, method)
                        .flags(MessageFlags.NO_REPLY_EXPECTED)
                        .serial(serial);
        pair[1].sendFully(ByteBuffer.wrap(call.finish().toArray(ValueLayout.JAVA_BYTE)));
    }

    /** Describes an object whose method Hold keeps the thread that reads, until it may go on. */
    private BusInterface described(AsyncMethodHandler handler) {
        return BusInterface.named(TEST)
                .asyncMethod(
                        "Hold",
                        "",
                        "",
                        (_, reply) -> {
                            holding.countDown();
                            Uninterruptible.await(() -> {
                                held.await();
                                return true;
                            });
                            reply.complete(List.of());
                        })
                .asyncMethod("M", "", "", handler)
                .build();
    }

    private void tellUser(MethodCall call, CompletableFuture<List<?>> reply) {
        try {
            Peer peer = Uninterruptible.await(call::peer);
            handled.add(peer.uid());
        } catch (RuntimeException e) {
            handled.add(e);
        }
        reply.complete(List.of());
    }

    @Test
    void aCallIsHandledWhileTheSocketIsOpenThoughItsCallerHasShutItDown() throws Exception {
        try (BusConnection connection = connect(ConnectionOptions.standard());
                ExportedObject object = connection.export("/object", described(this::tellUser))) {
            call(1, "Hold");
            holding.await();
            call(2, "M");
            pair[1].shutdown();
            held.countDown();
            assertThat(handled.take()).isEqualTo(Unistd.geteuid());
        }
    }

    @Test
    void aPeerMaySendMoreCallsAtOnceThanMayBeUnderWay() throws Exception {
        BusInterface described =
                described((_, reply) -> {
                    handled.add("a call");
                    reply.complete(List.of());
                });
        try (BusConnection connection = connect(ConnectionOptions.standard().withIncomingCalls(4));
                ExportedObject object = connection.export("/object", described)) {
            call(1, "Hold");
            holding.await();
            for (int serial = 2; serial < 100; serial++) {
                call(serial, "M");
            }
            pair[1].shutdown();
            held.countDown();
            connection.awaitEnd();
            assertThat(handled).hasSize(98);
        }
    }

    @Test
    void subscribersOfABusGetItsEndThoughEachHandlerFails(@TempDir Path folder) throws Exception {
        BusInterface failing =
                described((_, _) -> {
                    throw new InternalError("thrown by a test");
                });
        try (TestBus bus = DbusDaemon.start(folder);
                BusConnection connection = BusConnection.connect(bus.address());
                Subscription signals = connection.subscribe("type='signal',member='S'");
                ExportedObject object = connection.export("/object", failing);
                BusConnection caller = BusConnection.connect(bus.address())) {
            RemoteObject remote = caller.object(connection.uniqueName(), "/object");
            CompletableFuture<Message> first = remote.begin(TEST, "Hold", "");
            holding.await();
            for (int i = 0; i < 3; i++) {
                CompletableFuture<Message> _ = remote.begin(TEST, "M", "");
            }
            List<Object> _ = caller.bus().call("org.freedesktop.DBus", "GetId"); // all are routed
            held.countDown();
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(signals::take);
            first.join().close();
        }
    }
}
