package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DescriptorPassingTest {
    private static final int MOST = 253;

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    @ParameterizedTest
    @EnumSource
    void aDescriptorArrivesAsAnotherOneOfTheSameFile(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("from the pipe");
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            assertThat(one.send(Messages.of("take it"), List.of(pipe))).isEqualTo(7);
            assertThat(pipe.isOpen()).as("it stays the sender's").isTrue();
            assertThat(Messages.receive(two, ancillary)).isEqualTo("take it");
            assertThat(ancillary.areDescriptorsCut()).isFalse();
            List<Fd> taken = ancillary.takeDescriptors();
            assertThat(taken).hasSize(1);
            try (Fd received = taken.getFirst()) {
                assertThat(SysStat.inode(received)).isEqualTo(SysStat.inode(pipe));
                assertThat(Messages.textOf(received)).isEqualTo("from the pipe");
                assertThat(flags(received)).as("close-on-exec").contains("02000000");
            }
            assertThat(ancillary.takeDescriptors()).isEmpty();
        }
    }

    /** Returns the flags of the descriptor in octal, O_CLOEXEC only. */
    private static String flags(Fd fd) {
        String info = fd.with(n -> KernelFile.text(null, "/proc/self/fdinfo/" + n));
        int flags = Integer.parseInt(info.replaceAll("(?s).*flags:\\s*(\\d+).*", "$1"), 8);
        return String.format("%08o", flags & 0x80000);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16, 252, MOST})
    void asManyArriveInTheirOrderAsThereIsRoomFor(int count) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        List<Fd> given = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            given.add(Messages.pipeWith(Integer.toString(i)));
        }
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Ancillary ancillary = Ancillary.ofDescriptors(count)) {
            one.send(Messages.of("x"), given);
            assertThat(Messages.receive(two, ancillary)).isEqualTo("x");
            assertThat(ancillary.areDescriptorsCut()).isFalse();
            List<Fd> taken = ancillary.takeDescriptors();
            assertThat(taken).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertThat(Messages.textOf(taken.get(i))).isEqualTo(Integer.toString(i));
                taken.get(i).close();
            }
        }
        given.forEach(Fd::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 7, 100, 252})
    void ofMoreThanThereIsRoomForTheRestIsClosedAndItSaysSo(int room) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it")) {
            for (int count : new int[] {room + 1, Math.min(MOST, room + 50), MOST}) {
                try (Ancillary ancillary = Ancillary.ofDescriptors(room)) {
                    one.send(Messages.of("x"), Collections.nCopies(count, pipe));
                    assertThat(Messages.receive(two, ancillary)).isEqualTo("x");
                    assertThat(ancillary.areDescriptorsCut()).isTrue();
                    List<Fd> taken = ancillary.takeDescriptors();
                    assertThat(taken).hasSize(room);
                    assertThat(OpenDescriptors.count(pipe)).isEqualTo(room + 1);
                    taken.forEach(Fd::close);
                }
                assertThat(OpenDescriptors.count(pipe)).isEqualTo(1);
            }
        }
    }

    @Test
    void whatIsNotTakenIsClosedByTheNextReceiveAndByTheClose() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it")) {
            try (Ancillary ancillary = Ancillary.ofDescriptors(5)) {
                one.send(Messages.of("a"), List.of(pipe, pipe, pipe));
                one.send(Messages.of("b"), List.of(pipe));
                one.send(Messages.of("c"));
                one.send(Messages.of("d"), List.of(pipe, pipe));
                assertThat(Messages.receive(two, ancillary)).isEqualTo("a");
                assertThat(OpenDescriptors.count(pipe)).isEqualTo(4);
                assertThat(Messages.receive(two, ancillary)).isEqualTo("b");
                assertThat(OpenDescriptors.count(pipe)).isEqualTo(2);
                assertThat(Messages.receive(two, ancillary)).isEqualTo("c");
                assertThat(OpenDescriptors.count(pipe)).isEqualTo(1);
                assertThat(Messages.receive(two, ancillary)).isEqualTo("d");
            }
            assertThat(OpenDescriptors.count(pipe)).isEqualTo(1);
        }
    }

    @Test
    void aReceiveThatFindsNothingClosesWhatIsLeftOfTheLastMessage() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it");
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            one.send(Messages.of("a"), List.of(pipe));
            assertThat(Messages.receive(two, ancillary)).isEqualTo("a");
            assertThat(two.tryReceive(ByteBuffer.allocate(1), ancillary))
                    .isEqualTo(UnixSocket.WOULD_BLOCK);
            assertThat(ancillary.takeDescriptors()).isEmpty();
            assertThat(OpenDescriptors.count(pipe)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoReceivesDataAloneGetsNoDescriptors(SocketType type) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it")) {
            for (ByteBuffer room :
                    List.of(
                            ByteBuffer.allocate(10),
                            ByteBuffer.allocate(10_000),
                            ByteBuffer.allocateDirect(10),
                            ByteBuffer.allocate(10).slice(2, 8))) {
                one.send(Messages.of("unasked"), List.of(pipe, pipe));
                assertThat(two.receive(room)).isEqualTo(7);
                assertThat(OpenDescriptors.count(pipe)).isEqualTo(1);
            }
        }
    }

    @SuppressWarnings("try") // closed early on purpose
    @Test
    void descriptorsOfUnreadMessagesGoWithTheSocket() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            Fd[] watched = io.holdfast.core.sys.Unistd.pipe2(0);
            try (Fd in = watched[0]) {
                one.send(Messages.of("never received"), List.of(watched[1]));
                watched[1].close();
                two.close();
                one.close();
                // the last writer was in the message: now there is no writer
                assertThat(Messages.textOf(in)).isEmpty();
            }
        }
    }

    @Test
    void moreThanAMessageTakesAreRefused() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() ->
                            one.send(Messages.of("x"), Collections.nCopies(MOST + 1, two.fd())))
                    .withMessageContaining("254")
                    .withMessageContaining("253");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Ancillary.ofDescriptors(MOST + 1));
            assertThatIllegalArgumentException().isThrownBy(() -> Ancillary.ofDescriptors(-1));
            assertThat(two.tryReceive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.WOULD_BLOCK);
        }
    }

    @Test
    void aClosedDescriptorIsNotSentAndNothingIs() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd open = Messages.pipeWith("it")) {
            Fd closed = Messages.pipeWith("it");
            closed.close();
            ByteBuffer data = Messages.of("x");
            assertThatIllegalStateException()
                    .isThrownBy(() -> one.send(data, List.of(open, closed)));
            assertThat(data.remaining()).isEqualTo(1);
            assertThat(two.tryReceive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.WOULD_BLOCK);
            open.move().close(); // no reference was left pinned
        }
    }

    @Test
    void aDatagramCarriesDescriptorsToItsAddress(@TempDir Path folder) throws InterruptedException {
        UnixAddress address = UnixAddress.path(folder.resolve("server"));
        try (UnixSocket server = UnixSocket.bind(address);
                UnixSocket client = UnixSocket.datagram();
                Fd pipe = Messages.pipeWith("it");
                Ancillary ancillary = Ancillary.ofDescriptors(2)) {
            client.sendTo(address, Messages.of("two"), List.of(pipe, pipe));
            assertThat(Messages.receive(server, ancillary)).isEqualTo("two");
            List<Fd> taken = ancillary.takeDescriptors();
            assertThat(taken).hasSize(2);
            assertThat(Messages.textOf(taken.get(1))).isEqualTo("it");
            taken.forEach(Fd::close);
        }
    }

    @Test
    void descriptorsComeWithTheFirstByteOfTheirMessageInAStream() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Fd pipe = Messages.pipeWith("it");
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            one.send(Messages.of("long message"), List.of(pipe));
            ByteBuffer room = ByteBuffer.allocate(4);
            assertThat(two.receive(room, ancillary)).isEqualTo(4);
            List<Fd> taken = ancillary.takeDescriptors();
            assertThat(taken).hasSize(1);
            taken.getFirst().close();
            assertThat(Messages.receive(two, ancillary)).isEqualTo(" message");
            assertThat(ancillary.takeDescriptors()).isEmpty();
        }
    }

    @SuppressWarnings("try") // closed early on purpose
    @Test
    void aSocketPassesThroughASocket() throws InterruptedException {
        UnixSocket[] outer = UnixSocket.pair(SocketType.STREAM);
        UnixSocket[] inner = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket one = outer[0];
                UnixSocket two = outer[1];
                UnixSocket passed = inner[0];
                UnixSocket kept = inner[1];
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            one.send(Messages.of("x"), List.of(passed.fd()));
            passed.close();
            assertThat(Messages.receive(two, ancillary)).isEqualTo("x");
            try (UnixSocket received = UnixSocket.adopt(ancillary.takeDescriptors().getFirst())) {
                assertThat(received.type()).isEqualTo(SocketType.SEQPACKET);
                kept.sendFully(Messages.of("through"));
                assertThat(Messages.receive(received)).isEqualTo("through");
            }
        }
    }

    @Test
    @Needs(features = Feature.PASS_RIGHTS)
    void refusedDescriptorsFailAtTheSender() throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1]) {
            two.refuseDescriptors();
            assertThatThrownBy(() -> one.send(Messages.of("x"), List.of(two.fd())))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EPERM");
            one.sendFully(Messages.of("data is welcome"));
            assertThat(Messages.receive(two)).isEqualTo("data is welcome");
        }
    }
}
