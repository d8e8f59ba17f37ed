package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.ConnectionLostException.Reason;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.stream.Inbox;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections without a bus, and what a hostile peer cannot do. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PeerToPeerTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final String TEST = "org.example.Test";
    private static final byte[] ANSWERS =
            ("DATA\r\nOK " + GUID + "\r\nAGREE_UNIX_FD\r\n").getBytes(StandardCharsets.US_ASCII);

    private final OpenDescriptors before = OpenDescriptors.now();
    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void leavesNothing() {
        pair[0].close();
        pair[1].close();
        threads.close();
        before.awaitSameNumber();
    }

    private BusConnection connect(ConnectionOptions options) throws Exception {
        return BusConnection.withPeer(pair[0], options);
    }

    /** Returns both ends of a connection. */
    private BusConnection[] both(ConnectionOptions options) throws Exception {
        Future<BusConnection> accepted =
                threads.submit(() -> BusConnection.accept(pair[1], GUID, options));
        BusConnection connected = connect(options);
        return new BusConnection[] {connected, accepted.get()};
    }

    @Test
    void bothSidesCallEachOther() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard());
        BusInterface echo =
                BusInterface.named(TEST).method("Echo", "s", "s", MethodCall::arguments).build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject ofOne = one.export("/one", echo);
                ExportedObject ofOther = other.export("/other", echo)) {
            assertThat(one.object("/other").call(TEST, "Echo", "s", "a")).containsExactly("a");
            assertThat(other.object("/one").call(TEST, "Echo", "s", "b")).containsExactly("b");
            assertThat(one.guid()).isEqualTo(GUID);
            assertThat(one.uniqueName()).isEmpty();
            assertThat(one.passesDescriptors()).isTrue();
        }
    }

    @Test
    void aSocketThatCannotBeAcceptedIsClosed() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> BusConnection.accept(pair[1], "no id", ConnectionOptions.standard()));
        assertThat(pair[1].fd().isOpen()).isFalse();

        List<BusConnection> given = new ArrayList<>();
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        BusConnection.accept(
                                pair[0],
                                GUID,
                                ConnectionOptions.standard(),
                                connection -> {
                                    given.add(connection);
                                    throw new IllegalStateException("nothing to export");
                                }));
        assertThat(pair[0].fd().isOpen()).isFalse();
        assertThat(given).singleElement().matches(connection -> !connection.isOpen());
    }

    @Test
    void signalsGoToThePeer() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard());
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported =
                        one.export("/one", BusInterface.named(TEST).signal("S", "i").build());
                Subscription signals = other.subscribe("member='S'")) {
            exported.emit(TEST, "S", 4);
            try (Message signal = signals.take()) {
                assertThat(signal.values()).containsExactly(4);
            }
        }
    }

    @Test
    void theCallerIsTheProcessAtTheOtherEnd() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard());
        BusInterface who =
                BusInterface.named(TEST)
                        .method("Who", "", "u", call -> List.of(call.peer().pid()))
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported = one.export("/one", who);
                Peer peer = one.peer("org.example.Any");
                PidFd self = PidFd.self()) {
            assertThat(other.object("/one").call(TEST, "Who"))
                    .containsExactly(ProcessHandle.current().pid());
            peer.pidFd().ifPresent(held -> assertThat(held).isEqualTo(self));
        }
    }

    @Test
    void anonymousIsAcceptedWhereBothAgree() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard().withAnonymous(true));
        try (BusConnection one = both[0];
                BusConnection other = both[1]) {
            assertThat(one.object("/").call(StandardInterfaces.PEER, "Ping")).isEmpty();
            assertThat(other.isOpen()).isTrue();
        }
    }

    @Test
    void whoNeverAnswersIsGivenUpInTime() {
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() ->
                        connect(
                                        ConnectionOptions.standard()
                                                .withConnectTimeout(Duration.ofMillis(50)))
                                .close())
                .withMessageContaining("no authentication within PT0.05S");
    }

    @Test
    void whoClosesWhileAuthenticatingIsReported() {
        pair[1].shutdown();
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() -> connect(ConnectionOptions.standard()).close());
    }

    @Test
    void whoIsNoDBusServerIsReportedWithWhatItSaid() throws Exception {
        pair[1].sendFully(
                ByteBuffer.wrap(
                        "HTTP/1.1 400 Bad Request\r\n".getBytes(StandardCharsets.US_ASCII)));
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() -> connect(ConnectionOptions.standard()).close())
                .withMessageContaining("HTTP/1.1 400")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.REFUSED));
    }

    /** Connects to a peer that answers the authentication and then sends bytes. */
    private BusConnection connectTo(ConnectionOptions options, byte[]... bytes) throws Exception {
        pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
        for (byte[] more : bytes) {
            pair[1].sendFully(ByteBuffer.wrap(more));
        }
        return connect(options);
    }

    private static byte[] signal(String text) {
        return new MessageWriter()
                .signal("/p", TEST, "S")
                .serial(1)
                .body(io.holdfast.dbus.wire.Signature.of("s"))
                .putString(text)
                .end()
                .finish()
                .toArray(ValueLayout.JAVA_BYTE);
    }

    private static ConnectionLostException lostWith(BusConnection connection) throws Exception {
        try (Subscription signals = connection.subscribe("member='S'")) {
            for (; ; ) {
                signals.take().close();
            }
        } catch (ConnectionLostException e) {
            return e;
        }
    }

    @Test
    void invalidBytesEndTheConnectionWithTheReason() throws Exception {
        try (BusConnection connection =
                connectTo(
                        ConnectionOptions.standard(),
                        signal("ok"),
                        "nonsense ".repeat(9).getBytes(StandardCharsets.US_ASCII))) {
            ConnectionLostException lost = lostWith(connection);
            assertThat(lost.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(lost).hasMessageContaining("at byte 0");
        }
    }

    private static final int LIMIT = 300;

    @Test
    void aMessageOverTheLimitIsPassedOver() throws Exception {
        byte[] fits = signal("x".repeat(100));
        ConnectionOptions options = ConnectionOptions.standard().withMessageBytes(fits.length);
        try (BusConnection connection = connectTo(options);
                Subscription signals = connection.subscribe("member='S'")) {
            for (int length : new int[] {120, 1 << 16, 1 << 20}) {
                pair[1].sendFully(ByteBuffer.wrap(signal("x".repeat(length))));
                pair[1].sendFully(ByteBuffer.wrap(fits));
                assertThat(signals.take().values()).containsExactly("x".repeat(100));
            }
        }
    }

    @Test
    void callsAndRepliesOverTheLimitFailAlone() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard().withMessageBytes(LIMIT));
        BusInterface echo =
                BusInterface.named(TEST)
                        .method("Echo", "s", "s", MethodCall::arguments)
                        .method("Long", "", "s", _ -> List.of("x".repeat(LIMIT)))
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported = other.export("/other", echo)) {
            RemoteObject object = one.object("/other");
            for (int i = 0; i < 3; i++) {
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() -> object.call(TEST, "Echo", "s", "x".repeat(100_000)))
                        .withMessageContaining("messageBytes=300")
                        .satisfies(
                                e -> assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED));
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() -> object.call(TEST, "Long"))
                        .satisfies(
                                e -> assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED));
                assertThat(object.call(TEST, "Echo", "s", "a")).containsExactly("a");
            }
        }
    }

    @Test
    void descriptorsOfAMessageOverTheLimitAreClosedAndThoseOfTheNextAreItsOwn() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard().withMessageBytes(LIMIT));
        BusInterface inodes =
                BusInterface.named(TEST)
                        .method("Inode", "hs", "t", PeerToPeerTest::inodeOfDescriptor)
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported = other.export("/other", inodes)) {
            RemoteObject object = one.object("/other");
            Fd[] pipe = Unistd.pipe2(0);
            Fd[] another = Unistd.pipe2(0);
            try (Fd in = pipe[0];
                    Fd out = pipe[1];
                    Fd second = another[0];
                    Fd writer = another[1]) {
                assertThat(object.call(TEST, "Inode", "hs", second, ""))
                        .containsExactly(SysStat.inode(second));
                OpenDescriptors before = OpenDescriptors.now();
                for (int i = 0; i < 5; i++) {
                    assertThatExceptionOfType(DBusException.class)
                            .isThrownBy(
                                    () -> object.call(TEST, "Inode", "hs", in, "x".repeat(70_000)));
                    assertThat(object.call(TEST, "Inode", "hs", second, ""))
                            .containsExactly(SysStat.inode(second));
                }
                before.awaitSameNumberButWakers();
                assertThat(out.isOpen() && writer.isOpen()).isTrue();
            }
        }
    }

    private static List<?> inodeOfDescriptor(MethodCall call) {
        return List.of(SysStat.inode(call.descriptor(call.argument(0, Handle.class))));
    }

    @Test
    void aHeaderOverTheLimitEndsTheConnection() throws Exception {
        byte[] header =
                new MessageWriter()
                        .signal("/" + "x".repeat(LIMIT), TEST, "S")
                        .serial(1)
                        .finish()
                        .toArray(ValueLayout.JAVA_BYTE);
        try (BusConnection connection =
                connectTo(ConnectionOptions.standard().withMessageBytes(LIMIT), header)) {
            ConnectionLostException lost = lostWith(connection);
            assertThat(lost.reason()).isEqualTo(Reason.PROTOCOL);
            assertThat(lost).hasMessageContaining("the limit is " + LIMIT);
        }
    }

    @Test
    void callsUnderWayAreBoundedByTheirBytesTogether() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard().withIncomingBytes(1000));
        CompletableFuture<CompletableFuture<List<?>>> waits = new CompletableFuture<>();
        BusInterface slow =
                BusInterface.named(TEST)
                        .asyncMethod("Wait", "s", "", (_, reply) -> waits.complete(reply))
                        .method("Echo", "s", "s", MethodCall::arguments)
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported = other.export("/other", slow)) {
            RemoteObject object = one.object("/other");
            Future<List<?>> waiting =
                    threads.submit(() -> object.call(TEST, "Wait", "s", "x".repeat(2000)));
            CompletableFuture<List<?>> reply = waits.get();
            assertThat(isRefused(object, "y")).isTrue();
            assertThat(isRefused(object, "y".repeat(500))).isTrue();

            reply.complete(List.of());
            assertThat(waiting.get()).isEmpty();
            assertThat(object.call(TEST, "Echo", "s", "z".repeat(2000)))
                    .as("one alone may be longer")
                    .containsExactly("z".repeat(2000));
        }
    }

    @Test
    void theHeadersOfCallsUnderWayCountToo() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard().withIncomingBytes(1000));
        CompletableFuture<CompletableFuture<List<?>>> waits = new CompletableFuture<>();
        BusInterface slow =
                BusInterface.named(TEST)
                        .asyncMethod("Wait", "", "", (_, reply) -> waits.complete(reply))
                        .method("Echo", "s", "s", MethodCall::arguments)
                        .build();
        String path = "/" + "x".repeat(2000);
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject exported = other.export(path, slow)) {
            Future<List<?>> waiting = threads.submit(() -> one.object(path).call(TEST, "Wait"));
            CompletableFuture<List<?>> reply = waits.get();
            assertThat(isRefused(one.object(path), "y")).isTrue();
            reply.complete(List.of());
            assertThat(waiting.get()).isEmpty();
            assertThat(isRefused(one.object(path), "y")).isFalse();
        }
    }

    @Test
    void whoCallsWhenHeHasTheAnswerIsAlone() throws Exception {
        BusConnection[] both =
                both(ConnectionOptions.standard().withIncomingBytes(1000).withIncomingCalls(1));
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject ordered = other.export("/ordered", echo().build());
                ExportedObject concurrent =
                        other.export("/concurrent", echo().concurrent().build())) {
            String text = "x".repeat(2000);
            for (int i = 0; i < 500; i++) {
                for (String path : List.of("/ordered", "/concurrent")) {
                    for (String member : List.of("Echo", "Later")) {
                        assertThat(one.object(path).call(TEST, member, "s", text))
                                .containsExactly(text);
                    }
                }
            }
        }
    }

    private static BusInterface.Builder echo() {
        return BusInterface.named(TEST)
                .method("Echo", "s", "s", MethodCall::arguments)
                .asyncMethod("Later", "s", "s", (call, reply) -> reply.complete(call.arguments()));
    }

    @Test
    void callsWhoseAnswersWaitForRoomAreUnderWay() throws Exception {
        ConnectionOptions options =
                ConnectionOptions.standard().withOutgoingBytes(50_000).withIncomingCalls(2);
        AtomicInteger handled = new AtomicInteger();
        BusInterface large =
                BusInterface.named(TEST)
                        .method(
                                "Get",
                                "",
                                "ay",
                                _ -> {
                                    int _ = handled.incrementAndGet();
                                    return List.of(new byte[4 << 20]);
                                })
                        .concurrent()
                        .build();
        int count = 20;
        try (BusConnection connection = connectTo(options);
                ExportedObject exported = connection.export("/p", large);
                Subscription signals = connection.subscribe("member='S'")) {
            for (int i = 1; i <= count; i++) {
                pair[1].sendFully(ByteBuffer.wrap(call(i)));
            }
            pair[1].sendFully(ByteBuffer.wrap(signal("that was all")));
            signals.take().close();
            int refused = 0;
            try (Inbox inbox = new Inbox(pair[1], 8 << 20, () -> false)) {
                assertThat(inbox.receive((_, _, _) -> OPENING.length())).isTrue();
                for (int i = 0; i < count; i++) {
                    assertThat(inbox.next()).isTrue();
                    refused += inbox.view().type() == MessageType.ERROR ? 1 : 0;
                }
            }
            assertThat(refused).isGreaterThanOrEqualTo(count - options.incomingCalls - 1);
            assertThat(handled.get()).isBetween(count - refused, options.incomingCalls + 1);
        }
    }

    private static final String OPENING =
            "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

    private static byte[] call(int serial) {
        return new MessageWriter()
                .methodCall("/p", TEST, "Get")
                .serial(serial)
                .finish()
                .toArray(ValueLayout.JAVA_BYTE);
    }

    private static boolean isRefused(RemoteObject object, String text) {
        try {
            return object.call(TEST, "Echo", "s", text).isEmpty();
        } catch (DBusException e) {
            assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED);
            return true;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void descriptorsThatDoNotComeEndTheConnectionAndThoseThatDoAreClosed() throws Exception {
        byte[] declares =
                new MessageWriter()
                        .signal("/p", TEST, "S")
                        .serial(1)
                        .unixFds(2)
                        .finish()
                        .toArray(ValueLayout.JAVA_BYTE);
        try (BusConnection connection = connectTo(ConnectionOptions.standard())) {
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd in = pipe[0];
                    Fd out = pipe[1]) {
                assertThat(pair[1].send(ByteBuffer.wrap(declares), List.of(in)))
                        .isEqualTo(declares.length);
                assertThat(out.isOpen()).isTrue();
            }
            ConnectionLostException lost = lostWith(connection);
            assertThat(lost)
                    .hasMessageContaining("UNIX_FDS")
                    .hasMessageContaining("2 declared, 1 received");
        }
    }

    @Test
    void unaskedRepliesAreDropped() throws Exception {
        byte[] reply =
                new MessageWriter()
                        .methodReturn(77)
                        .serial(1)
                        .finish()
                        .toArray(ValueLayout.JAVA_BYTE);
        try (BusConnection connection =
                        connectTo(ConnectionOptions.standard(), reply, signal("a"));
                Subscription signals = connection.subscribe("member='S'")) {
            pair[1].sendFully(ByteBuffer.wrap(signal("b")));
            Message last = signals.take();
            while (!last.values().equals(List.of("b"))) {
                last = signals.take();
            }
            assertThat(connection.isOpen()).isTrue();
        }
    }

    @Test
    void whoFloodsWithCallsAndNeverReadsIsCutOff() throws Exception {
        byte[] ping =
                new MessageWriter()
                        .methodCall("/", StandardInterfaces.PEER, "GetMachineId")
                        .serial(1)
                        .finish()
                        .toArray(ValueLayout.JAVA_BYTE);
        ConnectionOptions options = ConnectionOptions.standard().withOutgoingBytes(10_000);
        try (BusConnection connection = connectTo(options)) {
            CompletableFuture<ConnectionLostException> lost = new CompletableFuture<>();
            var _ =
                    threads.submit(() -> {
                        lost.complete(lostWith(connection));
                        return null;
                    });
            assertThatExceptionOfType(io.holdfast.core.ErrnoException.class)
                    .isThrownBy(() -> {
                        for (; ; ) {
                            pair[1].sendFully(ByteBuffer.wrap(ping));
                        }
                    });
            assertThat(lost.get().reason()).isEqualTo(Reason.LIMIT);
            assertThat(lost.get()).hasMessageContaining("outgoingBytes=10000");
        }
    }

    @Test
    void sendersWaitWhileTheOtherSideDoesNotReadAndNothingIsLost() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withOutgoingBytes(10_000);
        try (BusConnection connection = connectTo(options);
                ExportedObject exported =
                        connection.export(
                                "/p", BusInterface.named(TEST).signal("S", "s").build())) {
            int count = 2_000;
            CountDownLatch all = new CountDownLatch(4);
            for (int sender = 0; sender < 4; sender++) {
                var _ =
                        threads.submit(() -> {
                            for (int i = 0; i < count / 4; i++) {
                                exported.emit(TEST, "S", "x".repeat(500));
                            }
                            all.countDown();
                            return null;
                        });
            }
            try (Inbox inbox = new Inbox(pair[1], 1 << 20, () -> false)) {
                assertThat(
                                inbox.receive((bytes, offset, length) -> {
                                    assertThat(length).isPositive();
                                    return OPENING.length();
                                }))
                        .isTrue();
                for (int i = 0; i < count; i++) {
                    assertThat(inbox.next()).isTrue();
                    assertThat(inbox.view().bodyLength()).isEqualTo(505);
                }
            }
            all.await();
        }
    }

    @Test
    void aWaitingSenderIsReleasedByTheEnd() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withOutgoingBytes(10_000);
        BusConnection connection = connectTo(options);
        ExportedObject exported =
                connection.export("/p", BusInterface.named(TEST).signal("S", "ay").build());
        Future<?> sender =
                threads.submit(() -> {
                    for (; ; ) {
                        exported.emit(TEST, "S", new byte[10_000]);
                    }
                });
        pair[1].close();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(sender::get)
                .withCauseInstanceOf(ConnectionLostException.class);
        connection.close();
    }

    @Test
    void aLargeMessageThatWaitsIsNoReasonToEndTheConnection() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withOutgoingBytes(10_000);
        BusInterface described = BusInterface.named(TEST).signal("S", "ay").build();
        try (BusConnection connection = connectTo(options);
                ExportedObject exported = connection.export("/p", described)) {
            exported.emit(TEST, "S", new byte[4 << 20]);
            connection.export("/p/below", described).close();
            assertThat(connection.isOpen()).isTrue();
            pair[1].close();
        }
    }

    @Test
    void aClosedDescriptorIsRefusedAndTheConnectionLives() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard());
        BusInterface take =
                BusInterface.named(TEST)
                        .method("Take", "h", "", call -> List.of())
                        .method("Echo", "s", "s", MethodCall::arguments)
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject object = other.export("/other", take)) {
            Fd[] pipe = Unistd.pipe2(0);
            pipe[0].close();
            pipe[1].close();
            RemoteObject remote = one.object("/other");
            assertThatIllegalStateException()
                    .isThrownBy(() -> remote.call(TEST, "Take", "h", pipe[0]));
            assertThat(remote.call(TEST, "Echo", "s", "a")).containsExactly("a");
        }
    }

    @Test
    void whateverAHandlerThrowsIsAnsweredAndTheNextCallServed() throws Exception {
        BusConnection[] both = both(ConnectionOptions.standard());
        BusInterface failing =
                BusInterface.named(TEST)
                        .method(
                                "Fail",
                                "i",
                                "",
                                call -> {
                                    switch (call.argument(0, Integer.class)) {
                                        case 0 -> throw new IllegalStateException("a\0b");
                                        case 1 -> throw new IllegalStateException("\ud83d");
                                        case 2 -> throw new NoClassDefFoundError("x/Y");
                                        case 3 -> throw new ClassCastException("class x.Y");
                                        default -> throw new DBusException("a.b", "\0");
                                    }
                                })
                        .build();
        try (BusConnection one = both[0];
                BusConnection other = both[1];
                ExportedObject object = other.export("/other", failing)) {
            for (int i = 0; i < 5; i++) {
                int kind = i;
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() -> one.object("/other").call(TEST, "Fail", "i", kind))
                        .satisfies(e -> {
                            assertThat(e.name())
                                    .isEqualTo(kind == 4 ? "a.b" : DBusException.FAILED);
                            assertThat(String.valueOf(e.getMessage()).contains("internal error"))
                                    .isEqualTo(kind == 3);
                            assertThat(e.getMessage()).doesNotContain("x.Y");
                        });
            }
        }
    }

    @Test
    void optionsThatCannotBeAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConnectionOptions.standard().withCalls(0))
                .withMessageContaining("calls");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConnectionOptions.standard().withCallTimeout(Duration.ZERO));
    }

    static Stream<Gen> cases() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whateverTheOtherSideSendsTheConnectionEndsCleanly(Gen gen) throws Exception {
        byte[] good = signal("hello");
        byte[] damaged = good.clone();
        for (int i = gen.between(0, 3); i > 0; i--) {
            damaged[gen.between(0, damaged.length - 1)] = (byte) gen.anyLong();
        }
        try (BusConnection connection =
                connectTo(
                        ConnectionOptions.standard().withMessageBytes(1 << 20),
                        good,
                        damaged,
                        gen.chance(0.5) ? gen.bytes(300) : good)) {
            pair[1].shutdownOutput();
            assertThat(lostWith(connection).reason()).isIn(Reason.PROTOCOL, Reason.DISCONNECTED);
        }
    }
}
