package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.FdCloser;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A descriptor whose last close(2) takes two minutes holds up nobody, wherever it lies. */
@Timeout(60)
class SlowCloseTest {
    private static final int LINGER_SECONDS = 120;

    /** A TCP socket that waits when it is closed last: the other end never takes its data. */
    private static final class Lingering implements AutoCloseable {
        final ServerSocketChannel server;
        final SocketChannel deaf;
        final Fd fd;
        private Thread closing = new Thread();

        Lingering() throws IOException {
            server = ServerSocketChannel.open();
            server.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            try (SocketChannel client = SocketChannel.open(server.getLocalAddress())) {
                deaf = server.accept();
                client.configureBlocking(false);
                client.setOption(StandardSocketOptions.SO_LINGER, LINGER_SECONDS);
                while (client.write(ByteBuffer.allocate(1 << 16)) > 0) {
                    // until nothing more fits
                }
                fd = descriptorOf(((InetSocketAddress) client.getLocalAddress()).getPort());
            }
        }

        private static Fd descriptorOf(int port) throws IOException {
            String local = ":%04X ".formatted(port);
            try (Stream<String> lines = Stream.of("tcp", "tcp6").flatMap(Lingering::sockets);
                    Stream<Path> open = Files.list(Path.of("/proc/self/fd"));
                    PidFd self = PidFd.self()) {
                String inode =
                        lines.map(line -> line.strip().split("\\s+"))
                                .filter(fields -> (fields[1] + " ").endsWith(local))
                                .map(fields -> fields[9])
                                .findFirst()
                                .orElseThrow();
                for (Path one : open.toList()) {
                    if (target(one).equals("socket:[" + inode + "]")) {
                        return self.getFd(Integer.parseInt(one.getFileName().toString()));
                    }
                }
            }
            throw new AssertionError("no descriptor of port " + port);
        }

        private static Stream<String> sockets(String table) {
            try {
                return Files.readAllLines(Path.of("/proc/self/net/" + table)).stream().skip(1);
            } catch (IOException e) {
                return Stream.empty();
            }
        }

        private static String target(Path link) {
            try {
                return Files.readSymbolicLink(link).toString();
            } catch (IOException e) {
                return ""; // closed meanwhile
            }
        }

        /** Ours, elsewhere: whoever is the last to close it waits, and that need not be the bus. */
        void letGo() {
            closing = Thread.ofPlatform().name("lets go").start(fd::close);
        }

        /** Whoever waits in its close(2) goes on. */
        void end() throws IOException {
            if (deaf.isOpen()) {
                deaf.setOption(StandardSocketOptions.SO_LINGER, 0);
                deaf.close(); // a reset
            }
        }

        @Override
        public void close() throws IOException {
            end();
            server.close();
            try {
                closing.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            fd.close();
        }
    }

    @Test
    void oneThatTheBusDropsHoldsUpNobody() throws Exception {
        try (TestBus bus = TestBus.ours();
                Lingering lingering = new Lingering()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int ignored = a.send(a.call("no.body", "M").unixFds(1), lingering.fd);
            lingering.letGo();
            assertThat(a.heard()).containsExactly("ServiceUnknown");
            assertThat(b.ask("NameHasOwner", a.name())).isEqualTo(true);
        }
    }

    /** Sends the first byte and the descriptor, lets go of that, and sends the rest. */
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
                Lingering lingering = new Lingering();
                Fd file = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            hand(a, lingering.fd);
            Fd[] many = new Fd[each];
            Arrays.fill(many, file);
            for (int i = 0; i < FdCloser.MAX_WAITING / each; i++) {
                int serial = a.send(a.call("no.body", "M").unixFds(each), many);
                assertThat(a.describe(a.answer(serial))).isEqualTo("ServiceUnknown");
            }
            assertThat(b.ask("NameHasOwner", a.name())).isEqualTo(true);
            assertThat(a.heard()).as("without descriptors it goes on").isEmpty();

            int ignored = a.send(a.call("no.body", "M").unixFds(1), file);
            assertThat(a.untilClosed()).isEmpty();
            assertThat(bus.silent().untilClosed()).as("one more of that user").isEmpty();
            assertThat(b.ask("NameHasOwner", a.name())).isEqualTo(false);

            lingering.end();
            Await.until(() -> mayConnect(bus));
        }
    }

    private static boolean mayConnect(TestBus bus) {
        try (TestClient late = bus.unkept()) {
            return !late.authenticate(true).hello().name().isEmpty();
        } catch (AssertionError | RuntimeException e) {
            return false; // put off
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneThatLiesUnreadInAConnectionThatEndsHoldsUpNobody() throws Exception {
        try (TestBus bus = TestBus.ours();
                Lingering lingering = new Lingering()) {
            TestClient attacker = bus.connect();
            TestClient b = bus.connect();
            int ignored =
                    b.send(
                            TestClient.body(b.call(attacker.name(), "M"), new byte[1 << 20])
                                    .flags(1));
            assertThat(b.heard()).isEmpty();
            attacker.sendBytes(new byte[64]); // no message: what it was to get is still on its way
            while (b.ask("NameHasOwner", attacker.name()).equals(true)) {
                Thread.onSpinWait();
            }
            ignored = attacker.socket().send(ByteBuffer.allocate(1), List.of(lingering.fd));
            lingering.letGo();
            attacker.close();

            TestClient late = bus.connect();
            assertThat(b.ask("NameHasOwner", late.name())).isEqualTo(true);
        }
    }
}
