package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class UnixSocketTest {
    private static final int AF_INET = 2;

    /** Opens what the JDK keeps open after its first channel. */
    @BeforeAll
    static void makeAChannel() throws IOException {
        ServerSocketChannel.open(StandardProtocolFamily.INET).close();
    }

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private UnixAddress address(String name) {
        return UnixAddress.path(folder.resolve(name));
    }

    @ParameterizedTest
    @EnumSource
    void aPairTalksBothWays(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            assertThat(one.type()).isEqualTo(type);
            assertThat(one.send(Messages.of("there"))).isEqualTo(5);
            assertThat(Messages.receive(two)).isEqualTo("there");
            two.sendFully(Messages.of("and back"));
            assertThat(Messages.receive(one)).isEqualTo("and back");
            assertThat(one.localAddress()).isEqualTo(UnixAddress.unnamed());
            assertThat(one.remoteAddress()).isEqualTo(UnixAddress.unnamed());
        }
    }

    @ParameterizedTest
    @EnumSource
    void messagesKeepTheirBoundsAndStreamsHaveNone(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            one.sendFully(Messages.of("ab"));
            one.sendFully(Messages.of("cd"));
            String first = Messages.receive(two);
            assertThat(first).isEqualTo(type == SocketType.STREAM ? "abcd" : "ab");
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfBufferIsTakenFromItsPositionToItsLimit(SocketType type)
            throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            ByteBuffer direct = ByteBuffer.allocateDirect(20_000);
            for (int i = 0; i < direct.capacity(); i++) {
                direct.put(i, (byte) i);
            }
            ByteBuffer heap = ByteBuffer.allocate(20_000).put(0, direct, 0, 20_000);
            for (ByteBuffer whole :
                    List.of(direct, heap, heap.asReadOnlyBuffer(), direct.slice(5, 15_000))) {
                for (int length : new int[] {1, 8192, 8193, 12_345}) {
                    for (ByteBuffer room :
                            List.of(
                                    ByteBuffer.allocate(30_000),
                                    ByteBuffer.allocateDirect(30_000))) {
                        ByteBuffer data = whole.duplicate().position(100).limit(100 + length);
                        ByteBuffer expected = data.slice();
                        room.position(17);
                        one.sendFully(data);
                        assertThat(data.hasRemaining()).isFalse();
                        int got = 0;
                        while (got < length) {
                            got += two.receive(room);
                        }
                        assertThat(room.position()).isEqualTo(17 + length);
                        assertThat(room.slice(17, length)).isEqualTo(expected);
                    }
                }
            }
        }
    }

    @Test
    void aPathWithoutRoomForItsNulIsAnAddressLikeAnyOther() throws InterruptedException {
        int left = 108 - folder.toString().length() - 1;
        UnixAddress longest = address("x".repeat(left));
        try (UnixSocket one = UnixSocket.bind(longest);
                UnixSocket two = UnixSocket.bind(address("two"));
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            assertThat(one.localAddress()).isEqualTo(longest);
            int _ = one.sendTo(address("two"), Messages.of("question"), List.of());
            int _ = two.receive(ByteBuffer.allocate(100), ancillary);
            UnixAddress sender = ancillary.senderAddress();
            assertThat(sender).isEqualTo(longest);
            int _ = two.sendTo(sender, Messages.of("answer"), List.of());
            assertThat(Messages.receive(one)).isEqualTo("answer");
        }
    }

    @Test
    void aMessageOfAnyLengthIsWholeFromAndToAnArray() throws InterruptedException {
        for (int length : new int[] {1, 6_000, 8_192, 8_193, 65_536, 65_537, 150_000}) {
            for (boolean isPlain : new boolean[] {true, false}) {
                UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
                try (UnixSocket one = pair[0];
                        UnixSocket two = pair[1];
                        Ancillary ancillary = Ancillary.ofDescriptors(1)) {
                    byte[] bytes = new byte[length];
                    Arrays.fill(bytes, (byte) length);
                    bytes[length - 1] = 7;
                    ByteBuffer data = ByteBuffer.wrap(bytes).asReadOnlyBuffer();
                    ByteBuffer room = ByteBuffer.allocate(length + 3).position(2);
                    int sent = isPlain ? one.send(data) : one.send(data, List.of(two.fd()));
                    assertThat(sent).isEqualTo(length);
                    int received = isPlain ? two.receive(room) : two.receive(room, ancillary);
                    assertThat(received).isEqualTo(length);
                    assertThat(room.flip().position(2)).isEqualTo(ByteBuffer.wrap(bytes));
                }
            }
        }
    }

    @Test
    void aRoomThatIsFullReceivesNothing() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            one.sendFully(Messages.of("message"));
            ByteBuffer none = ByteBuffer.allocate(0);
            assertThat(two.receive(none)).isZero();
            assertThat(two.receive(none, ancillary)).isZero();
            assertThat(Messages.receive(two)).isEqualTo("message");
        }
    }

    @Test
    void aMessageLongerThanTheRoomIsCutAndSaysSo() throws InterruptedException {
        for (SocketType type : new SocketType[] {SocketType.SEQPACKET, SocketType.DATAGRAM}) {
            UnixSocket[] pair = UnixSocket.pair(type);
            try (UnixSocket one = pair[0];
                    UnixSocket two = pair[1];
                    Ancillary ancillary = Ancillary.ofSender()) {
                one.sendFully(Messages.of("0123456789"));
                one.sendFully(Messages.of("next"));
                ByteBuffer room = ByteBuffer.allocate(4);
                assertThat(two.receive(room, ancillary)).isEqualTo(4);
                assertThat(Messages.text(room)).isEqualTo("0123");
                assertThat(ancillary.isDataCut()).isTrue();
                assertThat(Messages.receive(two, ancillary)).isEqualTo("next");
                assertThat(ancillary.isDataCut()).isFalse();
            }
        }
    }

    @Test
    void anEmptyDatagramIsAMessageAndNotTheEnd() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.DATAGRAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            assertThat(one.send(ByteBuffer.allocate(0))).isZero();
            assertThat(two.receive(ByteBuffer.allocate(10))).isZero();
        }
    }

    @Test
    void megabytesPassBothWaysAtOnceBetweenVirtualThreads() throws Exception {
        byte[] sent = new byte[3_000_001];
        new SplittableRandom(7).nextBytes(sent);
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            for (UnixSocket socket : pair) {
                Thread.startVirtualThread(() -> {
                    try {
                        socket.outputStream().write(sent);
                        socket.shutdownOutput();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
            }
            FutureTask<byte[]> first = new FutureTask<>(() -> one.inputStream().readAllBytes());
            FutureTask<byte[]> second = new FutureTask<>(() -> two.inputStream().readAllBytes());
            Thread.startVirtualThread(first);
            Thread.startVirtualThread(second);
            assertThat(Arrays.equals(first.get(), sent)).isTrue();
            assertThat(Arrays.equals(second.get(), sent)).isTrue();
        }
    }

    @Test
    void aShutDownSideIsReadToItsEndAndTheOtherGoesOn() throws InterruptedException {
        for (SocketType type : new SocketType[] {SocketType.STREAM, SocketType.SEQPACKET}) {
            UnixSocket[] pair = UnixSocket.pair(type);
            try (UnixSocket one = pair[0];
                    UnixSocket two = pair[1]) {
                one.sendFully(Messages.of("last words"));
                one.shutdownOutput();
                assertThat(Messages.receive(two)).isEqualTo("last words");
                assertThat(two.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
                assertThat(two.receive(ByteBuffer.allocateDirect(1))).isEqualTo(UnixSocket.END);
                two.sendFully(Messages.of("heard"));
                assertThat(Messages.receive(one)).isEqualTo("heard");
                assertThatThrownBy(() -> one.send(Messages.of("more")))
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining("EPIPE");
                two.shutdown();
                two.shutdown();
                assertThat(one.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            }
        }
    }

    @Test
    void aPeerThatIsClosedIsTheEndOrAnError() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0]) {
            pair[1].close();
            assertThat(one.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            assertThatThrownBy(() -> one.send(Messages.of("x"))).hasMessageContaining("EPIPE");
        }
        UnixSocket[] unread = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = unread[0]) {
            one.sendFully(Messages.of("never read"));
            unread[1].close();
            assertThatThrownBy(() -> one.receive(ByteBuffer.allocate(1)))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("ECONNRESET");
        }
    }

    @SuppressWarnings("try") // closed early on purpose
    @Test
    void streamsSpeakJavaIo() throws IOException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            OutputStream out = one.outputStream();
            InputStream in = two.inputStream();
            out.write(255);
            out.write(0);
            assertThat(in.available()).isEqualTo(2);
            assertThat(in.read()).isEqualTo(255);
            assertThat(in.read()).isZero();
            assertThat(in.read(new byte[3], 0, 0)).isZero();
            one.close();
            assertThat(in.read()).isEqualTo(-1);
            assertThatThrownBy(() -> out.write(1)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aCloseWakesWhoReceivesAndWhoSends() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket two = pair[1]) {
            FutureTask<Integer> receiver =
                    new FutureTask<>(() -> pair[0].receive(ByteBuffer.allocate(1)));
            FutureTask<Integer> sender =
                    new FutureTask<>(() -> {
                        pair[0].sendFully(ByteBuffer.allocate(10_000_000));
                        return 0;
                    });
            Await.parked(Thread.startVirtualThread(receiver));
            Await.parked(Thread.startVirtualThread(sender));
            pair[0].close();
            for (FutureTask<Integer> task : List.of(receiver, sender)) {
                assertThatThrownBy(task::get)
                        .cause()
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed");
            }
            assertThat(two.fd().isOpen()).isTrue();
        }
        assertThatIllegalStateException().isThrownBy(() -> pair[0].send(Messages.of("x")));
    }

    @Test
    void anInterruptEndsAReceive() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            FutureTask<String> receiver = new FutureTask<>(() -> Messages.receive(one));
            Thread thread = Thread.startVirtualThread(receiver);
            Await.parked(thread);
            thread.interrupt();
            assertThatThrownBy(receiver::get).cause().isInstanceOf(InterruptedException.class);
            assertThat(two.fd().isOpen()).isTrue();
        }
    }

    @Test
    void theTryVariantsNeverWait() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            assertThat(one.tryReceive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.WOULD_BLOCK);
            assertThat(one.tryReceive(ByteBuffer.allocateDirect(1), ancillary))
                    .isEqualTo(UnixSocket.WOULD_BLOCK);
            ByteBuffer block = ByteBuffer.allocate(8192);
            int n;
            do {
                n = one.trySend(block.clear());
            } while (n > 0);
            assertThat(n).isEqualTo(UnixSocket.WOULD_BLOCK);
            assertThat(block.clear().limit(1).position()).isZero();
            assertThat(one.trySend(block, List.of(two.fd()))).isEqualTo(UnixSocket.WOULD_BLOCK);
            assertThat(block.position()).isZero();
            assertThat(two.tryReceive(ByteBuffer.allocate(10))).isEqualTo(10);
        }
    }

    @Test
    void datagramsCarryTheirSendersAddress() throws InterruptedException {
        try (UnixSocket server = UnixSocket.bind(address("server"));
                UnixSocket client = UnixSocket.bind(address("client"));
                UnixSocket nameless = UnixSocket.datagram();
                Ancillary ancillary = Ancillary.ofSender()) {
            assertThat(client.sendTo(address("server"), Messages.of("hello"), List.of()))
                    .isEqualTo(5);
            assertThat(Messages.receive(server, ancillary)).isEqualTo("hello");
            UnixAddress sender = ancillary.senderAddress();
            assertThat(sender).isEqualTo(address("client"));
            server.sendTo(sender, Messages.of("answer"), List.of());
            assertThat(Messages.receive(client)).isEqualTo("answer");
            nameless.sendTo(address("server"), Messages.of("who am I"), List.of());
            assertThat(Messages.receive(server, ancillary)).isEqualTo("who am I");
            assertThat(ancillary.senderAddress()).isEqualTo(UnixAddress.unnamed());
        }
    }

    @Test
    void aConnectedDatagramSocketParksWhileTheReceiversQueueIsFull() throws Exception {
        try (UnixSocket server = UnixSocket.bind(address("server"));
                UnixSocket client = UnixSocket.connect(address("server"), SocketType.DATAGRAM)) {
            int queued = 0;
            while (client.trySend(Messages.of("message")) != UnixSocket.WOULD_BLOCK) {
                queued++;
            }
            FutureTask<Integer> sender = new FutureTask<>(() -> client.send(Messages.of("last")));
            FutureTask<Integer> other =
                    new FutureTask<>(() -> {
                        try (UnixSocket free = UnixSocket.datagram()) {
                            return free.sendTo(address("server"), Messages.of("other"), List.of());
                        }
                    });
            Await.parked(Thread.startVirtualThread(sender));
            Await.parked(Thread.startVirtualThread(other));
            int received = 0;
            while (received < queued + 2) {
                String message = Messages.receive(server);
                assertThat(message).isIn("message", "last", "other");
                received++;
            }
            assertThat(sender.get()).isEqualTo(4);
            assertThat(other.get()).isEqualTo(5);
        }
    }

    @Test
    void anUnnamedBindGetsAnAbstractName() {
        try (UnixSocket socket = UnixSocket.bind(UnixAddress.unnamed())) {
            assertThat(socket.localAddress()).isInstanceOf(UnixAddress.AbstractName.class);
        }
    }

    @Test
    void aFailedConnectNamesTheAddressAndTheReason() throws IOException {
        assertThatThrownBy(() -> UnixSocket.connect(address("none"), SocketType.STREAM))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("connect %s: ENOENT (no such file or directory)", address("none"));
        assertThatThrownBy(() ->
                        UnixSocket.connect(
                                UnixAddress.abstractName("holdfast nobody"), SocketType.STREAM))
                .hasMessageContaining("@holdfast nobody")
                .hasMessageContaining("ECONNREFUSED (no listener at that address)");
        Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> UnixSocket.connect(address("file"), SocketType.STREAM))
                .hasMessageContaining("ECONNREFUSED");
        try (UnixSocket datagrams = UnixSocket.bind(address("datagrams"))) {
            assertThatThrownBy(() -> UnixSocket.connect(address("datagrams"), SocketType.STREAM))
                    .hasMessageContaining("EPROTOTYPE")
                    .hasMessageContaining("of another type");
            assertThat(datagrams.type()).isEqualTo(SocketType.DATAGRAM);
        }
    }

    @Test
    void aBindThatFailsNamesTheAddress() {
        assertThatThrownBy(() -> UnixSocket.bind(address("no/folder")))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("bind " + address("no/folder"))
                .hasMessageContaining("ENOENT");
        try (UnixSocket first = UnixSocket.bind(address("taken"))) {
            assertThatThrownBy(() -> UnixSocket.bind(address("taken")))
                    .hasMessageContaining("EADDRINUSE");
            assertThat(first.localAddress()).isEqualTo(address("taken"));
        }
    }

    @Test
    void aDatagramWithoutAReceiverNamesTheAddress() {
        try (UnixSocket socket = UnixSocket.datagram()) {
            assertThatThrownBy(() -> socket.sendTo(address("none"), Messages.of("x"), List.of()))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("sendto " + address("none"))
                    .hasMessageContaining("ENOENT");
            assertThatThrownBy(() -> socket.send(Messages.of("x")))
                    .hasMessageContaining("ENOTCONN");
            assertThatThrownBy(socket::remoteAddress).hasMessageContaining("ENOTCONN");
        }
    }

    @Test
    void aMessageThatIsTooLargeIsRefused() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            assertThatThrownBy(() -> one.send(ByteBuffer.allocate(50_000_000)))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EMSGSIZE");
            assertThat(two.tryReceive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.WOULD_BLOCK);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAdoptedSocketIsKnownByItsTypeAndStaysInItsMode(SocketType type)
            throws InterruptedException {
        for (int mode : new int[] {0, Fcntl.O_NONBLOCK}) {
            UnixSocket[] pair = UnixSocket.pair(type);
            try (UnixSocket two = pair[1]) {
                Fd received = pair[0].fd().duplicate();
                pair[0].close();
                assertThat(Fcntl.setfl(received, mode)).isZero();
                try (UnixSocket adopted = UnixSocket.adopt(received)) {
                    assertThat(received.isOpen()).isFalse();
                    assertThat(adopted.type()).isEqualTo(type);
                    assertThat(adopted.tryReceive(ByteBuffer.allocate(1)))
                            .isEqualTo(UnixSocket.WOULD_BLOCK);
                    two.sendFully(Messages.of("found"));
                    assertThat(Messages.receive(adopted)).isEqualTo("found");
                    assertThat(adopted.await(Readiness.OUT) & Readiness.OUT).isNotZero();
                    assertThat(modeOf(adopted)).isEqualTo(mode);
                }
            }
        }
    }

    private static int modeOf(UnixSocket socket) {
        return Fcntl.getfl(socket.fd()) & Fcntl.O_NONBLOCK;
    }

    @Test
    void socketsAreInBlockingModeAsProgramsThatAreGivenOneExpect() throws InterruptedException {
        UnixAddress address = address("listener");
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                UnixSocket datagrams = UnixSocket.bind(address("datagrams"));
                UnixSocket nameless = UnixSocket.datagram();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket connected = UnixSocket.connect(address, SocketType.STREAM);
                UnixSocket accepted = listener.accept()) {
            assertThat(Stream.of(one, two, datagrams, nameless, connected, accepted))
                    .extracting(UnixSocketTest::modeOf)
                    .containsOnly(0);
        }
    }

    @Test
    void whatIsNoUnixSocketIsNotAdoptedAndStaysTheGivers() throws IOException {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            assertThatThrownBy(() -> UnixSocket.adopt(in))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("ENOTSOCK");
            assertThat(in.isOpen()).isTrue();
            assertThat(out.isOpen()).isTrue();
        }
        try (ServerSocketChannel tcp = ServerSocketChannel.open(StandardProtocolFamily.INET);
                Fd fd = Fd.adopt(numberOf(tcp)).duplicate()) {
            assertThatThrownBy(() -> UnixSocket.adopt(fd))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EAFNOSUPPORT");
            assertThat(fd.isOpen()).isTrue();
        }
    }

    /** Returns the descriptor number of the only internet socket of this JVM. */
    private static int numberOf(ServerSocketChannel channel) {
        assertThat(channel.isOpen()).isTrue();
        return OpenDescriptors.now().byNumber().entrySet().stream()
                .filter(e -> e.getValue().startsWith("socket:"))
                .map(Map.Entry::getKey)
                .filter(n -> SysSocket.option(Fd.adopt(n), SysSocket.SO_DOMAIN) == AF_INET)
                .findFirst()
                .orElseThrow();
    }
}
