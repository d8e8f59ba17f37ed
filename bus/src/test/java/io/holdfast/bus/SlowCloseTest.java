package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.wait.FdCloser;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A descriptor whose last close(2) takes two minutes delays no client, wherever it is. */
@Timeout(60)
class SlowCloseTest {
    @Test
    void oneThatTheBusDropsHoldsUpNobody() throws Exception {
        try (TestBus bus = TestBus.ours();
                LingeringSocket lingering = LingeringSocket.make()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int ignored = a.send(a.call("no.body", "M").unixFds(1), lingering.fd());
            lingering.startClose();
            assertThat(a.heard()).containsExactly("ServiceUnknown");
            assertThat(b.query("NameHasOwner", a.name())).isEqualTo(true);
        }
    }

    /** Sends the first byte with the descriptor, closes that, and sends the rest. */
    private static void hand(TestClient from, Fd last) throws InterruptedException {
        byte[] message = TestClient.bytes(1_000, from.call("no.body", "M").unixFds(1).flags(1));
        int sent = from.socket().send(ByteBuffer.wrap(message, 0, 1), List.of(last));
        assertThat(sent).isEqualTo(1);
        last.close();
        from.sendBytes(Arrays.copyOfRange(message, 1, message.length));
    }

    @Test
    void onlySoManyOfAUsersWaitBehindIt() throws Exception {
        int each = 16;
        try (TestBus bus = TestBus.ours();
                LingeringSocket lingering = LingeringSocket.make();
                Fd file = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            hand(a, lingering.fd());
            Fd[] many = new Fd[each];
            Arrays.fill(many, file);
            for (int i = 0; i < FdCloser.MAX_WAITING / each; i++) {
                int serial = a.send(a.call("no.body", "M").unixFds(each), many);
                assertThat(a.describe(a.answer(serial))).isEqualTo("ServiceUnknown");
            }
            assertThat(b.query("NameHasOwner", a.name())).isEqualTo(true);
            assertThat(a.heard()).as("still connected without descriptors").isEmpty();

            int ignored = a.send(a.call("no.body", "M").unixFds(1), file);
            assertThat(a.untilClosed()).isEmpty();
            assertThat(bus.silent().untilClosed()).as("one more of that user").isEmpty();
            assertThat(b.query("NameHasOwner", a.name())).isEqualTo(false);

            lingering.end();
            Await.until(() -> mayConnect(bus));
        }
    }

    private static boolean mayConnect(TestBus bus) {
        try (TestClient late = bus.unkept()) {
            return !late.authenticate(true).hello().name().isEmpty();
        } catch (AssertionError | RuntimeException e) {
            return false; // disconnected
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneThatLiesUnreadInAConnectionThatEndsHoldsUpNobody() throws Exception {
        try (TestBus bus = TestBus.ours();
                LingeringSocket lingering = LingeringSocket.make()) {
            TestClient attacker = bus.connect();
            TestClient b = bus.connect();
            int ignored =
                    b.send(
                            TestClient.body(b.call(attacker.name(), "M"), new byte[1 << 20])
                                    .flags(1));
            assertThat(b.heard()).isEmpty();
            attacker.sendBytes(new byte[64]); // no message; its queue is still being sent
            while (b.query("NameHasOwner", attacker.name()).equals(true)) {
                Await.pause();
            }
            ignored = attacker.socket().send(ByteBuffer.allocate(1), List.of(lingering.fd()));
            lingering.startClose();
            attacker.close();

            TestClient late = bus.connect();
            assertThat(b.query("NameHasOwner", late.name())).isEqualTo(true);
        }
    }

    /** Sends a lingering socket with a byte out of band, and closes it before the bus reads. */
    private static final String SEND_OUT_OF_BAND =
            """
            import socket, struct
            server = socket.create_server(("127.0.0.1", 0))
            lingering = socket.create_connection(server.getsockname())
            deaf, _ = server.accept()
            lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 120))
            lingering.setblocking(False)
            try:
                while True:
                    lingering.send(bytes(1 << 16))
            except BlockingIOError:
                pass
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", lingering.fileno()))]
            socket.socket(fileno=3).sendmsg([b"l"], rights, socket.MSG_OOB)
            lingering.close()
            print("sent", flush=True)
            input()
            """;

    /** Such a byte hides its descriptor: the kernel drops both in the receiver's next call. */
    @Test
    void oneThatCameWithAByteOutOfBandHoldsUpNobody() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient attacker = bus.connect();
            TestClient b = bus.connect();
            try (Child sender =
                    Spawn.of("/usr/bin/python3", "-c", SEND_OUT_OF_BAND)
                            .descriptor(3, attacker.socket().fd())
                            .stdin(Stdio.pipe())
                            .stdout(Stdio.pipe())
                            .start()) {
                assertThat(sender.stdout().readNBytes(4)).asString().isEqualTo("sent");
                assertThat(b.query("NameHasOwner", b.name())).isEqualTo(true);
            }
        }
    }
}
