package io.holdfast.dbus;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Exported objects whose peer writes unusual messages, and does not read. */
@SuppressWarnings("try") // exported objects are only kept open
@SameOnEveryKernel
@Timeout(60)
class RawPeerTest {
    private static final String TEST = "org.example.Test";
    private static final byte[] ANSWERS =
            "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n".getBytes(US_ASCII);

    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final ExecutorService loop =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("the loop").factory());

    @AfterEach
    void close() {
        pair[0].close();
        pair[1].close();
        loop.shutdownNow();
    }

    private BusConnection connect(ConnectionOptions options) throws InterruptedException {
        pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
        return BusConnection.withPeer(pair[0], options);
    }

    private void send(MessageWriter writer) throws InterruptedException {
        pair[1].sendFully(ByteBuffer.wrap(writer.finish().toArray(ValueLayout.JAVA_BYTE)));
    }

    @Test
    void theSenderThatAPeerWritesIsNoUniqueName() throws Exception {
        BlockingQueue<String> senders = new LinkedBlockingQueue<>();
        BusInterface described =
                BusInterface.named(TEST)
                        .method(
                                "M",
                                "",
                                "",
                                call -> {
                                    senders.add(call.sender());
                                    return List.of();
                                })
                        .build();
        ObjectTree tree =
                new ObjectTree() {
                    @Override
                    public CompletionStage<List<BusInterface>> interfaces(String path) {
                        throw new AssertionError("the sender is passed, too");
                    }

                    @Override
                    public CompletionStage<List<BusInterface>> interfaces(
                            String path, String sender) {
                        senders.add(sender);
                        return CompletableFuture.completedStage(List.of(described));
                    }

                    @Override
                    public Collection<String> paths() {
                        return List.of();
                    }
                };
        try (BusConnection connection = connect(ConnectionOptions.standard());
                ExportedObject object = connection.export("/object", described);
                AutoCloseable exported = connection.exportTree("/tree", loop, tree)) {
            send(new MessageWriter().methodCall("/object", TEST, "M").serial(1).sender(":1.7"));
            assertThat(senders.take()).isEmpty();
            send(new MessageWriter().methodCall("/tree/a", TEST, "M").serial(2).sender(":1.7"));
            assertThat(senders.take()).isEmpty();
            assertThat(senders.take()).isEmpty();
        }
    }

    @Test
    void settingAPropertyDoesNotBlockTheExecutorOfItsObject() throws Exception {
        CountDownLatch written = new CountDownLatch(1);
        BusInterface described =
                BusInterface.named(TEST)
                        .signal("S", "ay")
                        .property("Zone", "s", () -> "UTC", _ -> written.countDown())
                        .build();
        try (BusConnection connection =
                        connect(ConnectionOptions.standard().withOutgoingBytes(10_000));
                ExportedObject object = connection.export("/p", loop, described)) {
            object.emit(TEST, "S", new byte[4 << 20]); // which the peer does not read
            MessageWriter set =
                    new MessageWriter()
                            .methodCall("/p", StandardInterfaces.PROPERTIES, "Set")
                            .serial(1);
            Values.writeAll(
                    set.body(Signature.of("ssv")), List.of(TEST, "Zone", Variant.of("CET")));
            send(set);
            written.await();
            loop.submit(() -> {}).get();
            assertThat(connection.isOpen()).isTrue();
            pair[1].close();
        }
    }

    @Test
    void onlyTheCallerSuffersThatSetsPropertiesFasterThanThePeerReads() throws Exception {
        BlockingQueue<Object> written = new LinkedBlockingQueue<>();
        CountDownLatch handled = new CountDownLatch(1);
        BusInterface described =
                BusInterface.named(TEST)
                        .signal("S", "ay")
                        .property("Text", "s", () -> "x".repeat(4000), written::add)
                        .method(
                                "Done",
                                "",
                                "",
                                _ -> {
                                    handled.countDown();
                                    return List.of();
                                })
                        .build();
        try (BusConnection connection =
                        connect(ConnectionOptions.standard().withOutgoingBytes(10_000));
                ExportedObject object = connection.export("/p", loop, described)) {
            object.emit(TEST, "S", new byte[4 << 20]); // which the peer does not read
            for (int i = 1; i <= 10; i++) {
                MessageWriter set =
                        new MessageWriter()
                                .methodCall("/p", StandardInterfaces.PROPERTIES, "Set")
                                .flags(MessageFlags.NO_REPLY_EXPECTED)
                                .serial(i);
                Values.writeAll(
                        set.body(Signature.of("ssv")),
                        List.of(TEST, "Text", Variant.of("x".repeat(4000))));
                send(set);
            }
            send(
                    new MessageWriter()
                            .methodCall("/p", TEST, "Done")
                            .flags(MessageFlags.NO_REPLY_EXPECTED)
                            .serial(11));
            handled.await();
            assertThat(written).as("the other calls were refused").hasSize(2);
            assertThat(connection.isOpen()).isTrue();
            pair[1].close();
        }
    }
}
