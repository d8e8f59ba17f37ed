package io.holdfast.core.sys.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.testkit.LingeringSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A byte that is sent out of band (MSG_OOB) hides its descriptors: unless the socket takes such
 * bytes inline, the kernel drops them in the receiver's next call.
 */
@Timeout(60)
class OutOfBandTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int MSG_OOB = 1;

    private static void sendOutOfBand(UnixSocket from, LingeringSocket lingering) {
        Libc.Function sendmsg = Libc.bind("sendmsg");
        Scratch scratch = Scratch.take();
        try {
            long data = scratch.address + MsgHdr.OUTGOING_SIZE;
            long sent =
                    lingering
                            .fd()
                            .<Long>with(number -> {
                                MsgHdr.outgoing(
                                        scratch.bytes,
                                        scratch.address,
                                        data,
                                        1,
                                        null,
                                        new int[] {number},
                                        null);
                                return from.fd()
                                        .<Long>with(socket ->
                                                Libc.wordCall(
                                                        sendmsg,
                                                        scratch.errno,
                                                        socket,
                                                        scratch.address,
                                                        MSG_OOB,
                                                        0,
                                                        0,
                                                        0));
                            });
            assumeTrue(sent != -Errno.EOPNOTSUPP, "needs MSG_OOB of AF_UNIX (Linux 5.15)");
            assertThat(sent).isEqualTo(1);
        } finally {
            scratch.release();
        }
        lingering.fd().close();
    }

    private static void assertEnds(Runnable step) throws InterruptedException {
        Thread running = Thread.ofPlatform().daemon().start(step);
        assertThat(running.join(SOON)).as("it returns at once").isTrue();
    }

    @Test
    void itDelaysNoReceive() throws Exception {
        UnixAddress address = UnixAddress.abstractName("holdfast-test-" + UUID.randomUUID());
        try (LingeringSocket lingering = LingeringSocket.make();
                LingeringSocket another = LingeringSocket.make();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM);
                UnixSocket accepted = listener.accept();
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            sendOutOfBand(client, lingering);
            sendOutOfBand(client, another);
            client.sendFully(ByteBuffer.allocate(1));
            assertEnds(() -> {
                int ignored = accepted.tryReceive(ByteBuffer.allocate(3), ancillary);
                ignored = accepted.tryReceive(ByteBuffer.allocate(3));
                ignored = accepted.tryReceive(ByteBuffer.allocate(3));
            });
        }
    }

    @Test
    void itDelaysNoClose() throws Exception {
        UnixAddress address = UnixAddress.abstractName("holdfast-test-" + UUID.randomUUID());
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1)) {
            UnixSocket client = UnixSocket.connect(address, SocketType.STREAM);
            UnixSocket accepted = listener.accept();
            sendOutOfBand(client, lingering);
            client.close();
            assertEnds(accepted::close);
        }
    }

    /** The attacker has both ends, and sends one of them. */
    @Test
    void oneThatItsSenderHasReadAlreadyDelaysNoCloseOfTheSocket() throws Exception {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM);
        UnixSocket[] connection = UnixSocket.pair(SocketType.STREAM);
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixSocket from = connection[0];
                UnixSocket to = connection[1];
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            try (UnixSocket other = UnixSocket.adopt(pair[0])) {
                sendOutOfBand(other, lingering);
            }
            receiveOutOfBand(pair[1]);
            assertThat(from.send(ByteBuffer.allocate(1), List.of(pair[1]))).isEqualTo(1);
            pair[1].close();
            assertThat(to.receive(ByteBuffer.allocate(1), ancillary)).isEqualTo(1);
            Fd received = ancillary.takeDescriptors().getFirst();
            assertEnds(received::close);
        }
    }

    private static void receiveOutOfBand(Fd socket) {
        Libc.Function recv = Libc.bind("recv");
        Scratch scratch = Scratch.take();
        try {
            long address = scratch.address;
            long count =
                    socket.<Long>with(number ->
                            Libc.wordCall(recv, scratch.errno, number, address, 1, MSG_OOB, 0, 0));
            assertThat(count).isEqualTo(1);
        } finally {
            scratch.release();
        }
    }
}
