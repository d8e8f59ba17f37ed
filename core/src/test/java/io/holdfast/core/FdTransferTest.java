package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How streams and channels treat the kinds of files: their ends, errors and limits. */
@Timeout(60)
class FdTransferTest {
    /** A pseudo-terminal in blocking mode: the master side and the slave side. */
    private static Fd[] terminal() {
        Fd master = Fcntl.open("/dev/ptmx", Fcntl.O_RDWR | Fcntl.O_NOCTTY);
        assertThat(SysIoctl.unlock(master)).isZero();
        int flags = Fcntl.O_RDWR | Fcntl.O_NOCTTY | Fcntl.O_CLOEXEC;
        return new Fd[] {master, Fd.adopt(SysIoctl.peer(master, flags), "peer", master)};
    }

    @Test
    void theMasterSideEndsWhenTheSlaveSideIsClosed() throws IOException {
        Fd[] terminal = terminal();
        terminal[1].close();
        try (FdInputStream in = FdInputStream.borrowing(terminal[0]);
                FdChannel channel = new FdChannel(terminal[0])) {
            assertThat(in.read()).isEqualTo(-1);
            assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void anInputErrorOfAnotherFileIsNoEnd() throws IOException {
        Fd unmapped = Fcntl.open("/proc/self/mem", Fcntl.O_RDONLY); // nothing is at the address 0
        try (FdInputStream in = FdInputStream.borrowing(unmapped);
                FdChannel channel = new FdChannel(unmapped)) {
            assertThatThrownBy(in::read)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EIO");
            assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EIO");
        }
    }

    @Test
    @Needs(programs = "stty")
    void aWriterOfAFullTerminalInBlockingModeCanBeEnded() throws Exception {
        Fd[] terminal = terminal();
        FdOutputStream out = new FdOutputStream(terminal[0]);
        try (Fd slave = terminal[1];
                Child stty = Spawn.of("stty", "raw").stdin(Stdio.descriptor(slave)).start()) {
            assertThat(stty.await()).isEqualTo(new Exit.Exited(0));
            out.write(new byte[3_000]);
            out.flush();
            FutureTask<Void> writer =
                    new FutureTask<>(() -> {
                        out.write(new byte[1_000_000]);
                        return null;
                    });
            Await.parked(Thread.startVirtualThread(writer)); // not blocked in write(2)
            out.closeNow();
            assertThatThrownBy(writer::get).cause().isInstanceOf(IOException.class);
        } finally {
            out.closeNow();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"DATAGRAM", "SEQPACKET"})
    void aChannelPassesALongMessageAsOne(SocketType type) throws IOException {
        byte[] message = new byte[100_000];
        Arrays.fill(message, (byte) 'm');
        UnixSocket[] pair = UnixSocket.pair(type);
        try (FdChannel sender = new FdChannel(pair[0].fd());
                FdChannel receiver = new FdChannel(pair[1].fd())) {
            assertThat(sender.write(ByteBuffer.wrap(message))).isEqualTo(message.length);
            ByteBuffer received = ByteBuffer.allocate(2 * message.length);
            assertThat(receiver.read(received)).isEqualTo(message.length);
            assertThat(received.flip()).isEqualTo(ByteBuffer.wrap(message));
        }
    }

    /** Runs in a JVM whose memory has no room for a copy of the buffer. */
    static final class HugeBuffer {
        public static void main(String[] arguments) throws Exception {
            byte[] huge = new byte[HUGE];
            for (SocketType type : List.of(SocketType.DATAGRAM, SocketType.SEQPACKET)) {
                UnixSocket[] pair = UnixSocket.pair(type);
                try (FdChannel sender = new FdChannel(pair[0].fd());
                        FdChannel receiver = FdChannel.borrowing(pair[1].fd());
                        FdInputStream in = new FdInputStream(pair[1].fd())) {
                    for (int length : new int[] {1, 100_000}) {
                        int _ = sender.write(ByteBuffer.allocate(length));
                        System.out.print(receiver.read(ByteBuffer.wrap(huge)) + " ");
                        int _ = sender.write(ByteBuffer.allocate(length));
                        System.out.print(in.read(huge, 0, huge.length) + " ");
                    }
                }
            }
        }
    }

    @Test
    void aMessageTakesAsMuchMemoryAsItIsLongHoweverLargeTheBuffer() {
        List<String> small = List.of("-Xmx110m", "-XX:MaxDirectMemorySize=8m");
        ChildJvm.Result result = ChildJvm.run(small, HugeBuffer.class);
        assertThat(result.output()).isEqualTo("1 1 100000 100000 ".repeat(2));
        assertThat(result.status()).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"DATAGRAM", "SEQPACKET"})
    void anEmptyMessageIsTakenWithALargeBuffer(SocketType type) throws IOException {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket sender = pair[0];
                FdChannel receiver = new FdChannel(pair[1].fd())) {
            assertThat(SysSocket.send(sender.fd(), new byte[0], 0, 0)).isZero();
            assertThat(SysSocket.send(sender.fd(), new byte[5], 0, 5)).isEqualTo(5);
            assertThat(receiver.read(ByteBuffer.allocate(1_000_000))).isEqualTo(-1);
            assertThat(receiver.read(ByteBuffer.allocate(1_000_000))).isEqualTo(5);
        }
    }

    private static final int HUGE = 64_000_000;

    /** Runs in a JVM that has room for the huge array, but not for a copy of it. */
    static final class HugeArrays {
        public static void main(String[] arguments) throws Exception {
            byte[] huge = new byte[HUGE];
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            try (FdInputStream in = new FdInputStream(pair[0].fd());
                    FdOutputStream out = FdOutputStream.borrowing(pair[1].fd());
                    UnixSocket socket = pair[1]) {
                Thread reader = Thread.ofPlatform().start(() -> expect(in, 2L * HUGE));
                out.write(huge);
                socket.sendFully(ByteBuffer.wrap(huge).asReadOnlyBuffer());
                reader.join();
                out.write(1);
                out.flush();
                System.out.println(in.read(huge, 0, huge.length));
            }
        }

        private static void expect(FdInputStream in, long count) {
            try {
                in.skipNBytes(count);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void aHugeArrayPassesASocketWithoutACopyOfAllOfIt() {
        List<String> small = List.of("-Xmx110m", "-XX:MaxDirectMemorySize=8m");
        ChildJvm.Result result = ChildJvm.run(small, HugeArrays.class);
        assertThat(result.output()).isEqualTo("1\n");
        assertThat(result.status()).isZero();
    }
}
