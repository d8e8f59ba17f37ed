package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PeerTest {
    private static final String CONNECT =
            "use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die; "
                    + "connect($s, pack_sockaddr_un(shift)) or die \"connect: $!\"; ";

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private UnixListener listen() {
        return UnixListener.listen(
                UnixAddress.path(folder.resolve("socket")), SocketType.STREAM, 8);
    }

    /**
     * Starts a Perl script that connects, runs the given statements, and waits until its standard
     * input ends.
     */
    private Process client(String then, String... before) throws IOException {
        List<String> command = new ArrayList<>(List.of(before));
        command.addAll(List.of("perl", "-e", CONNECT + then, folder.resolve("socket").toString()));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static final String STAY = "syswrite $s, 'here'; sysread STDIN, my $x, 1;";

    @SuppressWarnings("try") // closed early on purpose
    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void aConnectedPeerIsHeld() throws Exception {
        Process perl;
        try (UnixListener listener = listen()) {
            perl = client(STAY);
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer();
                    PidFd same = PidFd.of(perl)) {
                assertThat(peer).isInstanceOf(Peer.Held.class);
                PidFd held = peer.pidFd().orElseThrow();
                assertThat(held).isEqualTo(same);
                assertThat(held.isAlive()).isTrue();
                assertThat(peer.pid()).isEqualTo(perl.pid());
                assertThat(peer.uid()).isEqualTo(Unistd.geteuid());
                assertThat(peer).hasToString(held + " of user " + peer.uid());
                perl.getOutputStream().close();
                Exit exit = held.await();
                if (Feature.EXIT_INFO.isPresent()) {
                    assertThat(exit).isEqualTo(new Exit.Exited(0));
                } else { // depends on whether Java has reaped it by now
                    assertThat(exit).isIn(new Exit.Exited(0), new Exit.Unknown());
                }
                peer.close();
                assertThat(held.fd().isOpen()).isFalse();
            }
        }
        assertThat(perl.waitFor()).isZero();
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void theAcceptingSideIsWhoListens() throws InterruptedException {
        try (UnixListener listener = listen();
                UnixSocket client = UnixSocket.connect(listener.address(), SocketType.STREAM);
                Peer peer = client.peer();
                PidFd self = PidFd.self()) {
            assertThat(peer.pidFd()).contains(self);
        }
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void eachEndOfAPairIsWhoMadeIt() {
        for (SocketType type : SocketType.values()) {
            UnixSocket[] pair = UnixSocket.pair(type);
            try (UnixSocket one = pair[0];
                    UnixSocket two = pair[1];
                    Peer first = one.peer();
                    Peer second = two.peer();
                    PidFd self = PidFd.self()) {
                assertThat(first.pidFd()).contains(self);
                assertThat(second.pidFd()).isEqualTo(first.pidFd());
            }
        }
    }

    @Test
    void aPeerThatIsDeadAndReapedIsNeverTakenForAnother() throws Exception {
        try (UnixListener listener = listen()) {
            Process perl = client("syswrite $s, 'bye'; exit 7;");
            assertThat(perl.waitFor()).isEqualTo(7);
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer()) {
                assertThat(peer.pid()).isEqualTo(perl.pid());
                assertThat(peer.uid()).isEqualTo(Unistd.geteuid());
                switch (peer) {
                    case Peer.Held held -> {
                        assertThat(held.process().state()).isEqualTo(PidFd.State.REAPED);
                        if (Feature.EXIT_INFO.isPresent()) {
                            assertThat(held.process().info().exit()).contains(new Exit.Exited(7));
                        }
                    }
                    case Peer.Gone gone -> assertThat(gone.pidFd()).isEmpty();
                    case Peer.BestEffort known -> assertThat(known.pidFd()).isEmpty();
                }
                if (Feature.PASS_RIGHTS.isPresent() && Feature.PEER_PIDFD.isPresent()) {
                    assertThat(peer).isInstanceOf(Peer.Held.class); // Linux 6.16
                }
                assertThat(Messages.receive(socket)).isEqualTo("bye");
            }
        }
    }

    @Test
    @Needs(features = {Feature.PEER_PIDFD, Feature.PASS_RIGHTS})
    void whoInheritsASocketDoesNotBecomeItsPeer() throws Exception {
        try (UnixListener listener = listen()) {
            Process connector =
                    client(
                            "if (my $child = fork) { exit 3 } close STDOUT; "
                                    + "sysread $s, my $x, 1; syswrite $s, 'heir ' . $$;");
            assertThat(connector.waitFor()).isEqualTo(3);
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer()) {
                PidFd held = peer.pidFd().orElseThrow();
                assertThat(peer.pid()).isEqualTo(connector.pid());
                assertThat(held.state()).isEqualTo(PidFd.State.REAPED);
                socket.sendFully(Messages.of("?"));
                String heir = Messages.receive(socket);
                assertThat(heir).startsWith("heir ").isNotEqualTo("heir " + connector.pid());
                assertThat(socket.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            }
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void userGroupAndGroupsAreTheConnectors() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (UnixListener listener = listen()) {
            Files.setPosixFilePermissions(
                    folder.resolve("socket"), PosixFilePermissions.fromString("rwxrwxrwx"));
            Process nobody =
                    client(
                            STAY,
                            "setpriv",
                            "--reuid=65534",
                            "--regid=65533",
                            "--groups=1,4294967294,77");
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer()) {
                assertThat(Messages.receive(socket)).isEqualTo("here");
                assertThat(peer.uid()).isEqualTo(65534);
                assertThat(peer.gid()).isEqualTo(65533);
                assertThat(peer.groups()).containsExactlyInAnyOrder(1L, 77L, 4294967294L);
                assertThat(peer.pid()).isEqualTo(nobody.pid());
            }
            nobody.getOutputStream().close();
            assertThat(nobody.waitFor()).isZero();

            Process alone =
                    client(STAY, "setpriv", "--reuid=65534", "--regid=65533", "--clear-groups");
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer()) {
                assertThat(Messages.receive(socket)).isEqualTo("here");
                assertThat(peer.groups()).isEmpty();
            }
            alone.getOutputStream().close();
            assertThat(alone.waitFor()).isZero();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void moreGroupsThanFitAtOnceAreAllReported() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> groups = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            groups.add(Integer.toString(100_000 + i));
        }
        try (UnixListener listener = listen()) {
            Process many = client(STAY, "setpriv", "--groups=" + String.join(",", groups));
            try (UnixSocket socket = listener.accept();
                    Peer peer = socket.peer()) {
                assertThat(Messages.receive(socket)).isEqualTo("here");
                assertThat(peer.groups()).hasSize(3_000).contains(100_000L, 102_999L);
            }
            many.getOutputStream().close();
            assertThat(many.waitFor()).isZero();
        }
    }

    @Test
    void aLabelIsReportedWhereASecurityModuleGivesOne() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Peer peer = one.peer()) {
            Path current = Path.of("/proc/self/attr/current");
            Optional<String> label = peer.label();
            if (label.isPresent()) {
                assertThat(label.get()).isNotBlank().doesNotContain("\0");
            } else {
                assertThat(current)
                        .satisfiesAnyOf(
                                path -> assertThat(path).doesNotExist(),
                                path ->
                                        assertThat(
                                                        io.holdfast.core.sys.socket.SysSocket
                                                                .optionBytes(
                                                                        two.fd(),
                                                                        io.holdfast.core.sys.socket
                                                                                .SysSocket
                                                                                .SO_PEERSEC))
                                                .isNull());
            }
        }
    }

    @Test
    void whatIsNoSocketHasNoPeerToAskFor() {
        try (Fd pipe = Messages.pipeWith("")) {
            assertThatThrownBy(() -> Peer.of(pipe))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.errno()).isEqualTo(Errno.ENOTSOCK));
            assertThatThrownBy(() -> SysSocket.optionBytes(pipe, SysSocket.SO_PEERGROUPS))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.errno()).isEqualTo(Errno.ENOTSOCK));
        }
    }

    @Test
    void aSocketWithoutPeerSaysSo() {
        try (UnixSocket datagram = UnixSocket.datagram()) {
            assertThatThrownBy(datagram::peer)
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("ENOTCONN");
        }
    }

    @Test
    @Needs(without = Feature.PEER_PIDFD)
    void withoutPeerPidfdsThePeerIsKnownByUserOnlyAndTheTypeSaysSo() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Peer peer = one.peer()) {
            assertThat(peer).isInstanceOf(Peer.BestEffort.class);
            assertThat(peer.pidFd()).isEmpty();
            assertThat(peer.uid()).isEqualTo(Unistd.geteuid());
            assertThat(peer).asString().contains("not held");
            assertThat(OptionalInt.of(peer.pid())).hasValue((int) ProcessHandle.current().pid());
            assertThat(two.fd().isOpen()).isTrue();
        }
    }
}
