package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class SenderTest {
    private static final long NOBODY = 65533;
    private static final long NO_USER = 0xFFFFFFFFL;

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    @ParameterizedTest
    @EnumSource
    @Needs(features = Feature.PEER_PIDFD)
    void eachMessageNamesItsSender(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender();
                PidFd self = PidFd.self()) {
            two.passIdentity();
            one.sendFully(Messages.of("ours"));
            assertThat(Messages.receive(two, ancillary)).isEqualTo("ours");
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.pidFd()).contains(self);
                assertThat(sender).isNotInstanceOf(Sender.Gone.class);
                assertThat(sender.pid()).isEqualTo((int) ProcessHandle.current().pid());
                assertThat(sender.uid()).isEqualTo(Unistd.geteuid());
            }
            assertThat(ancillary.takeSender()).isEmpty();
            try (Child child =
                    Spawn.of("perl", "-e", "syswrite STDOUT, 'theirs'; sysread STDIN, my $x, 1")
                            .stdin(Stdio.pipe())
                            .stdout(Stdio.descriptor(one.fd()))
                            .start()) {
                assertThat(Messages.receive(two, ancillary)).isEqualTo("theirs");
                try (Sender sender = ancillary.takeSender().orElseThrow()) {
                    assertThat(sender.pidFd()).contains(child.pidFd());
                    assertThat(sender.pidFd()).isNotEqualTo(java.util.Optional.of(self));
                }
                assertThat(child.signal(io.holdfast.core.Signal.KILL)).isTrue();
                assertThat(child.await()).isInstanceOf(Exit.Killed.class);
            }
        }
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void aSenderThatIsGoneIsHeldOrReportedAsGone() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            two.passIdentity();
            try (Child child =
                    Spawn.of("perl", "-e", "syswrite STDOUT, 'last words'; exit 9")
                            .stdout(Stdio.descriptor(one.fd()))
                            .start()) {
                assertThat(child.await()).isEqualTo(new Exit.Exited(9));
                assertThat(Messages.receive(two, ancillary)).isEqualTo("last words");
                try (Sender sender = ancillary.takeSender().orElseThrow()) {
                    assertThat(sender.pidFd().isPresent())
                            .isNotEqualTo(sender instanceof Sender.Gone);
                    if (sender.pidFd().isPresent()) {
                        assertThat(sender.pidFd().get()).isEqualTo(child.pidFd());
                        assertThat(sender.pidFd().get().state()).isEqualTo(PidFd.State.REAPED);
                    }
                }
            }
        }
    }

    @Test
    void noSenderIsReportedWhereNoneWasRequested() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            one.sendFully(Messages.of("anonymous"));
            assertThat(Messages.receive(two, ancillary)).isEqualTo("anonymous");
            assertThat(ancillary.takeSender()).isEmpty();
        }
    }

    @Test
    void aMessageSentBeforeTheRequestHasNoSender() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            one.sendFully(Messages.of("early"));
            two.passIdentity();
            assertThat(Messages.receive(two, ancillary)).isEqualTo("early");
            assertThat(ancillary.takeSender()).isEmpty();
        }
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void descriptorsDoNotCrowdTheSenderOut() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                PidFd self = PidFd.self();
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            two.passIdentity();
            List<Fd> many = Collections.nCopies(MsgHdr.MAX_DESCRIPTORS, one.fd());
            assertThat(one.send(Messages.of("crowd"), many)).isEqualTo(5);
            assertThat(Messages.receive(two, ancillary)).isEqualTo("crowd");
            assertThat(ancillary.areDescriptorsCut()).isTrue();
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.pidFd()).contains(self);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Needs(root = true, features = Feature.PEER_PIDFD)
    void rootSpeaksForAnyUserAndStaysTheProcessItIs(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                PidFd self = PidFd.self();
                Ancillary ancillary = Ancillary.ofDescriptors(MsgHdr.MAX_DESCRIPTORS)) {
            two.passIdentity();
            List<Fd> many = Collections.nCopies(MsgHdr.MAX_DESCRIPTORS, one.fd());
            ByteBuffer direct = ByteBuffer.allocateDirect(5).put(Messages.of("for 7")).flip();

            assertThat(one.sendAs(7, 8, direct, many)).isEqualTo(5);
            assertThat(Messages.receive(two, ancillary)).isEqualTo("for 7");
            assertThat(ancillary.areDescriptorsCut()).isFalse();
            List<Fd> received = ancillary.takeDescriptors();
            received.forEach(Fd::close);
            assertThat(received).hasSize(MsgHdr.MAX_DESCRIPTORS);
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.uid()).isEqualTo(7);
                assertThat(sender.gid()).isEqualTo(8);
                assertThat(sender.pidFd()).contains(self);
            }

            one.sendFully(Messages.of("again for itself"));
            assertThat(Messages.receive(two, ancillary)).isEqualTo("again for itself");
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.uid()).isEqualTo(Unistd.geteuid());
            }
        }
    }

    @Test
    @Needs(root = true)
    void whoIsNotRootSpeaksForItselfAlone() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            two.passIdentity();
            AsUser.of(
                    NOBODY,
                    () -> {
                        assertThatThrownBy(() -> one.sendAs(0, NOBODY, Messages.of("x"), List.of()))
                                .isInstanceOf(ErrnoException.class)
                                .hasMessageStartingWith("sendmsg(SCM_CREDENTIALS)")
                                .hasMessageContaining("EPERM");
                        assertThatThrownBy(() -> one.sendAs(NOBODY, 0, Messages.of("x"), List.of()))
                                .hasMessageContaining("EPERM");
                        one.sendAs(NOBODY, NOBODY, Messages.of("nobody"), List.of());
                    });
            assertThat(Messages.receive(two, ancillary)).isEqualTo("nobody");
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.uid()).isEqualTo(NOBODY);
            }
        }
    }

    @Test
    @Needs(root = true, features = Feature.PEER_PIDFD)
    void aForwardedDatagramNamesItsSenderAsFarAsIsPermitted(@TempDir Path folder) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.DATAGRAM);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        UnixAddress.PathName address = new UnixAddress.PathName(folder.resolve("s").toString());
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                UnixSocket receiver = UnixSocket.bind(address, 0666);
                Ancillary ancillary = Ancillary.ofSender();
                PidFd self = PidFd.self()) {
            two.passIdentity();
            receiver.passIdentity();
            Child child =
                    Spawn.of("perl", "-e", "$) = $( = 8; $< = $> = 7; syswrite STDOUT, 'x'; <>")
                            .stdin(Stdio.pipe())
                            .stdout(Stdio.descriptor(one.fd()))
                            .start();
            assertThat(Messages.receive(two, ancillary)).isEqualTo("x");
            try (child;
                    Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(receiver.tryForwardTo(address, sender, Messages.of("y"))).isOne();
                assertThat(Messages.receive(receiver, ancillary)).isEqualTo("y");
                try (Sender forwarded = ancillary.takeSender().orElseThrow()) {
                    assertThat(forwarded.pidFd()).contains(child.pidFd());
                    assertThat(forwarded.uid()).isEqualTo(7);
                    assertThat(forwarded.gid()).isEqualTo(8);
                }
                assertThat(child.signal(io.holdfast.core.Signal.KILL)).isTrue();
                assertThat(child.await()).isInstanceOf(Exit.Killed.class);
                assertThat(receiver.tryForwardTo(address, sender, Messages.of("z"))).isOne();
                assertThat(Messages.receive(receiver, ancillary)).isEqualTo("z");
                try (Sender forwarded = ancillary.takeSender().orElseThrow()) {
                    assertThat(forwarded.pidFd()).contains(self);
                    assertThat(forwarded.uid()).isEqualTo(7);
                }
                AsUser.of(NOBODY, () -> receiver.tryForwardTo(address, sender, Messages.of("z")));
                assertThat(Messages.receive(receiver, ancillary)).isEqualTo("z");
                try (Sender forwarded = ancillary.takeSender().orElseThrow()) {
                    assertThat(forwarded.uid()).isEqualTo(NOBODY);
                }
            }
        }
    }

    @Test
    void anIdThatNoUserHasIsRefused() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            for (long id : List.of(-1L, NO_USER, NO_USER + 1)) {
                assertThatThrownBy(() -> one.trySendAs(id, 0, Messages.of("x"), List.of()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("no user has the id " + id);
                assertThatThrownBy(() -> one.trySendAs(0, id, Messages.of("x"), List.of()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("no group has the id " + id);
            }
            assertThat(two.tryReceive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.WOULD_BLOCK);
        }
    }

    @Test
    void aListenerAsksForItsConnectionsAndEarlyDataToo(@TempDir Path folder)
            throws InterruptedException {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 4)) {
            listener.passIdentity();
            try (UnixSocket client = UnixSocket.connect(address, SocketType.STREAM)) {
                client.sendFully(Messages.of("before the accept"));
                try (UnixSocket server = listener.accept();
                        Ancillary ancillary = Ancillary.ofSender()) {
                    assertThat(Messages.receive(server, ancillary)).isEqualTo("before the accept");
                    try (Sender sender = ancillary.takeSender().orElseThrow()) {
                        assertThat(sender.pid()).isEqualTo((int) ProcessHandle.current().pid());
                        assertThat(sender.pidFd().isPresent())
                                .isEqualTo(Feature.PEER_PIDFD.isPresent());
                    }
                }
            }
        }
    }

    @Test
    void descriptorsAndSenderComeTogether() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it");
                Ancillary ancillary = Ancillary.ofDescriptors(253)) {
            two.passIdentity();
            one.send(Messages.of("all"), Collections.nCopies(253, pipe));
            assertThat(Messages.receive(two, ancillary)).isEqualTo("all");
            assertThat(ancillary.areDescriptorsCut()).isFalse();
            List<Fd> taken = ancillary.takeDescriptors();
            assertThat(taken).hasSize(253);
            taken.forEach(Fd::close);
            try (Sender sender = ancillary.takeSender().orElseThrow()) {
                assertThat(sender.pid()).isEqualTo((int) ProcessHandle.current().pid());
            }
        }
    }

    @Test
    void aSenderThatIsNotTakenIsClosedByTheNextReceive() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofSender()) {
            two.passIdentity();
            int none = OpenDescriptors.now().count();
            for (int i = 0; i < 50; i++) {
                one.sendFully(Messages.of("message"));
                assertThat(Messages.receive(two, ancillary)).isEqualTo("message");
                assertThat(OpenDescriptors.now().count()).isLessThanOrEqualTo(none + 1);
            }
        }
    }
}
