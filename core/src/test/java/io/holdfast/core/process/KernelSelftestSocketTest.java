package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernel's scm_pidfd and scm_rights tests. */
@Timeout(60)
class KernelSelftestSocketTest {
    @TempDir private static Path folder;

    private ForeignParent parent;

    @BeforeEach
    void startParent() {
        parent = ForeignParent.start();
    }

    @AfterEach
    void endParent() {
        parent.close();
    }

    static Stream<Arguments> connections() {
        String name = "@holdfast-selftest-" + ProcessHandle.current().pid();
        return Stream.of(SocketType.STREAM, SocketType.SEQPACKET)
                .flatMap(type ->
                        Stream.of(
                                Arguments.of(type, folder.resolve("s-" + type).toString()),
                                Arguments.of(type, name + type)));
    }

    @ParameterizedTest
    @MethodSource("connections")
    void thePeerAndTheSenderAreTheProcessThatConnected(SocketType type, String address)
            throws Exception {
        try (UnixListener listener = listen(type, address);
                PidFd client = parent.held("client", option(type, address), "uid=12345");
                UnixSocket accepted = listener.accept();
                Peer peer = accepted.peer();
                Sender sender = hello(accepted)) {
            // the client connected after it had changed to that user
            assertThat(peer.pid()).isEqualTo(client.pid());
            assertThat(peer.uid()).isEqualTo(12345);
            assertThat(peer.gid()).isEqualTo(12345);
            assertThat(sender.pid()).isEqualTo(client.pid());
            assertThat(sender.uid()).isEqualTo(12345);
            assertThat(sender).isNotInstanceOf(Sender.Gone.class);
            if (Feature.PEER_PIDFD.isPresent()) {
                assertThat(peer).isInstanceOf(Peer.Held.class);
                assertThat(peer.pidFd()).hasValue(client);
                assertThat(sender.pidFd()).hasValue(client);
            } else {
                assertThat(peer).isInstanceOf(Peer.BestEffort.class);
                assertThat(peer.pidFd()).isEmpty();
                assertThat(sender.pidFd()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("connections")
    void aPeerThatIsReapedIsHeldOrSaidToBeGoneButNeverAnother(SocketType type, String address)
            throws Exception {
        try (UnixListener listener = listen(type, address)) {
            int client = parent.child("client", option(type, address), "exit=9");
            assertThat(parent.reap(client)).isEqualTo(new Exit.Exited(9));
            try (UnixSocket accepted = listener.accept();
                    Peer peer = accepted.peer()) {
                assertThat(peer.pid()).isEqualTo(client);
                assertThat(peer.uid()).isEqualTo(0);
                switch (peer) {
                    case Peer.Held held -> {
                        assertThat(held.process().state()).isEqualTo(PidFd.State.REAPED);
                        assertThat(held.process().info().exit()).hasValue(new Exit.Exited(9));
                    }
                    case Peer.Gone _ -> {
                        assertThat(Feature.PEER_PIDFD.isPresent()).isTrue();
                        assertThat(Feature.PASS_RIGHTS.isPresent())
                                .as("Linux 6.16 holds reaped peers")
                                .isFalse();
                    }
                    case Peer.BestEffort _ -> assertThat(Feature.PEER_PIDFD.isPresent()).isFalse();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("connections")
    void aSenderThatIsReapedIsHeldOrSaidToBeGoneButNeverAnother(SocketType type, String address)
            throws Exception {
        try (UnixListener listener = listen(type, address)) {
            int client = parent.child("client", option(type, address), "exit=9");
            assertThat(parent.reap(client)).isEqualTo(new Exit.Exited(9));
            try (UnixSocket accepted = listener.accept();
                    Sender sender = hello(accepted)) {
                assertThat(sender.pid()).isEqualTo(client);
                if (sender.pidFd().isPresent()) {
                    PidFd process = sender.pidFd().get();
                    assertThat(process.state()).isEqualTo(PidFd.State.REAPED);
                    assertThat(process.info().exit()).hasValue(new Exit.Exited(9));
                    assertThat(sender).isNotInstanceOf(Sender.Gone.class);
                } else {
                    assertThat(sender instanceof Sender.Gone)
                            .isEqualTo(Feature.PEER_PIDFD.isPresent());
                }
            }
        }
    }

    @Test
    void theSenderOfADatagramIsHeld() throws Exception {
        for (String address :
                new String[] {
                    folder.resolve("datagrams").toString(),
                    "@holdfast-datagrams-" + ProcessHandle.current().pid()
                }) {
            try (UnixSocket socket = UnixSocket.bind(UnixAddress.parse(address))) {
                socket.passIdentity();
                try (PidFd client = parent.held("client", "datagram=" + address);
                        Sender sender = hello(socket)) {
                    assertThat(sender.pid()).isEqualTo(client.pid());
                    assertThat(sender.pidFd().isPresent())
                            .isEqualTo(Feature.PEER_PIDFD.isPresent());
                    sender.pidFd().ifPresent(held -> assertThat(held).isEqualTo(client));
                }
            }
        }
    }

    @Test
    void bothEndsOfAPairAreOurs() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                PidFd self = PidFd.self();
                Peer peer = one.peer();
                Peer other = two.peer()) {
            assertThat(peer.pid()).isEqualTo(self.pid());
            assertThat(other.pid()).isEqualTo(self.pid());
            peer.pidFd().ifPresent(held -> assertThat(held).isEqualTo(self));
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    @Needs(features = Feature.PASS_RIGHTS)
    void whoRefusesDescriptorsGetsNone(SocketType type) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket refusing = pair[0];
                UnixSocket sending = pair[1];
                Fd file = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
            refusing.refuseDescriptors();
            assertThatThrownBy(() -> sending.send(bytes("x"), List.of(file)))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.errno()).isEqualTo(Errno.EPERM));
            assertThat(sending.send(bytes("hello"))).isEqualTo(5);
            assertThat(refusing.send(bytes("x"), List.of(file))).as("the other way").isOne();
        }
    }

    static SocketType[] types() {
        return SocketType.values();
    }

    @Test
    @Needs(without = Feature.PASS_RIGHTS)
    void refusingDescriptorsIsSaidToBeMissingBeforeLinux616() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket _ = pair[1]) {
            assertThatThrownBy(one::refuseDescriptors)
                    .isInstanceOf(NotSupportedException.class)
                    .hasMessageContaining("6.16");
        }
    }

    private static UnixListener listen(SocketType type, String address) {
        UnixListener listener = UnixListener.listen(UnixAddress.parse(address), type, 5);
        listener.passIdentity();
        if (address.startsWith("/")) {
            // for clients of another user
            assertThat(folder.toFile().setExecutable(true, false)).isTrue();
            assertThat(folder.resolve(address).toFile().setWritable(true, false)).isTrue();
        }
        return listener;
    }

    private static Sender hello(UnixSocket socket) throws InterruptedException {
        ByteBuffer room = ByteBuffer.allocate(16);
        try (Ancillary ancillary = Ancillary.ofSender()) {
            assertThat(socket.receive(room, ancillary)).isEqualTo(5);
            return ancillary.takeSender().orElseThrow();
        }
    }

    private static String option(SocketType type, String address) {
        return type.name().toLowerCase(Locale.ROOT) + "=" + address;
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
