package io.holdfast.dbus;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.stream.Inbox;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A message that the kernel refuses to send. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(60)
class SendFailureTest {
    private static final String TEST = "org.example.Test";
    private static final byte[] ANSWERS =
            "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n".getBytes(US_ASCII);
    private static final String OPENING =
            "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

    /** SEQPACKET, since it refuses a message that is larger than its buffer (EMSGSIZE). */
    private final UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);

    @AfterEach
    void close() {
        pair[0].close();
        pair[1].close();
    }

    private BusConnection connect() throws InterruptedException {
        pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
        return BusConnection.withPeer(pair[0], ConnectionOptions.standard());
    }

    private static void assertEnded(BusConnection connection) throws InterruptedException {
        connection.awaitEnd();
        assertThat(connection.isOpen()).isFalse();
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() -> connection.object("/p").call(TEST, "M"))
                .withMessageContaining("EMSGSIZE");
    }

    @Test
    void endsTheConnectionWithTheCause() throws Exception {
        try (BusConnection connection = connect();
                ExportedObject exported =
                        connection.export(
                                "/p", BusInterface.named(TEST).signal("S", "ay").build())) {
            assertThatExceptionOfType(ConnectionLostException.class)
                    .isThrownBy(() -> exported.emit(TEST, "S", new byte[8 << 20]))
                    .withMessageContaining("EMSGSIZE");
            assertEnded(connection);
        }
    }

    @Test
    void endsTheConnectionAlsoIfItWaitedForRoom() throws Exception {
        try (BusConnection connection = connect()) {
            for (int i = 0; i < 3_000; i++) {
                connection.offerSignal("", "/p", TEST, "S", "ay", new byte[1000]);
            }
            connection.offerSignal("", "/p", TEST, "S", "ay", new byte[8 << 20]);
            assertThat(connection.isOpen()).isTrue();
            ByteBuffer read = ByteBuffer.allocate(1 << 16);
            while (pair[1].receive(read.clear()) != UnixSocket.END) {
                // until the connection ends
            }
            assertEnded(connection);
        }
    }

    /** Runs without the capabilities that lift the limit on descriptors in flight. */
    static final class WithLimit {
        static void main() throws Exception {
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
            try (UnixSocket peer = pair[1];
                    Inbox inbox = new Inbox(peer, 16 << 20, () -> false);
                    BusConnection connection =
                            BusConnection.withPeer(pair[0], ConnectionOptions.standard())) {
                RemoteObject object = connection.object("/p");
                connection.offerSignal("", "/p", TEST, "S", "ay", new byte[4 << 20]);
                Fd[] pipe = Unistd.pipe2(0);
                FutureTask<Object> refused =
                        new FutureTask<>(() -> object.call(TEST, "Take", "h", pipe[0]));
                Thread caller = Thread.ofPlatform().start(refused);
                while (caller.getState() != Thread.State.TIMED_WAITING) {
                    Thread.onSpinWait(); // until the call is queued, and waits for its reply
                }
                FullTable.limit(128, BusConnection.class, Fd.class);
                List<UnixSocket> inFlight = sendMany(pipe[0]);
                assertThat(inbox.receive((_, _, _) -> OPENING.length())).isTrue();
                assertThat(inbox.next()).isTrue();
                assertThatExceptionOfType(ExecutionException.class)
                        .isThrownBy(refused::get)
                        .withMessageContaining(DBusException.LIMITS_EXCEEDED)
                        .withMessageContaining("ETOOMANYREFS");
                FutureTask<Object> next = new FutureTask<>(() -> object.call(TEST, "Echo"));
                Thread.ofVirtual().start(next);
                assertThat(inbox.next()).isTrue();
                assertThat(inbox.view().member()).isEqualTo("Echo");
                peer.sendFully(ByteBuffer.wrap(reply(inbox.view().serial())));
                assertThat(next.get()).isEqualTo(List.of());
                inFlight.forEach(UnixSocket::close);
                pipe[0].close();
                pipe[1].close();
            }
            System.out.println("lost one call");
        }

        private static byte[] reply(int serial) {
            return new MessageWriter()
                    .methodReturn(serial)
                    .serial(1)
                    .finish()
                    .toArray(ValueLayout.JAVA_BYTE);
        }

        /** Puts more descriptors in flight than RLIMIT_NOFILE permits. */
        private static List<UnixSocket> sendMany(Fd descriptor) throws InterruptedException {
            List<UnixSocket> open = new ArrayList<>();
            try {
                for (int i = 0; i < 8; i++) {
                    UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
                    Collections.addAll(open, pair);
                    int _ =
                            pair[0].send(
                                    ByteBuffer.wrap(new byte[1]),
                                    Collections.nCopies(200, descriptor));
                }
                throw new AssertionError("no limit on descriptors in flight");
            } catch (ErrnoException e) {
                return open;
            }
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void onlyTheMessageIsLostIfTooManyDescriptorsAreInFlight() {
        List<String> command = new ArrayList<>();
        command.addAll(List.of("setpriv", "--bounding-set=-sys_admin,-sys_resource", "--"));
        command.addAll(ChildJvm.command(List.of(), WithLimit.class));
        ChildJvm.Result result = ChildJvm.run(command);
        assertThat(result.output()).endsWith("lost one call\n");
        assertThat(result.status()).isZero();
    }

    @Test
    @Needs(features = Feature.PASS_RIGHTS)
    void theCallerGetsAnErrorIfThePeerRefusesTheDescriptorsOfItsReply() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        pair[1].sendFully(ByteBuffer.wrap(ANSWERS));
        CountDownLatch called = new CountDownLatch(1);
        BusInterface described =
                BusInterface.named(TEST)
                        .method(
                                "Give",
                                "",
                                "h",
                                _ -> {
                                    called.countDown();
                                    Fd[] pipe = Unistd.pipe2(0);
                                    pipe[1].close();
                                    return List.of(pipe[0]);
                                })
                        .build();
        try (UnixSocket peer = pair[1];
                Inbox inbox = new Inbox(peer, 16 << 20, () -> false);
                ExecutorService loop = Executors.newSingleThreadExecutor();
                BusConnection connection =
                        BusConnection.withPeer(pair[0], ConnectionOptions.standard());
                ExportedObject exported = connection.export("/p", loop, described)) {
            connection.offerSignal("", "/p", TEST, "S", "ay", new byte[4 << 20]);
            peer.sendFully(
                    ByteBuffer.wrap(
                            new MessageWriter()
                                    .methodCall("/p", TEST, "Give")
                                    .serial(7)
                                    .finish()
                                    .toArray(ValueLayout.JAVA_BYTE)));
            called.await();
            loop.submit(() -> {}).get(); // the reply waits behind the signal
            peer.refuseDescriptors();
            assertThat(inbox.receive((_, _, _) -> OPENING.length())).isTrue();
            assertThat(inbox.next()).isTrue();
            assertThat(inbox.next()).isTrue();
            assertThat(inbox.view().replySerial()).isEqualTo(7);
            assertThat(inbox.view().errorName()).isEqualTo(DBusException.NOT_SUPPORTED);
            assertThat(connection.isOpen()).isTrue();
        }
    }
}
