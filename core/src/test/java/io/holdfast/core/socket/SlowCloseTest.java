package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.FdCloser;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of another process whose last close takes two minutes delays no thread of this process.
 */
@Timeout(60)
class SlowCloseTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    private static void assertCloses(AutoCloseable resource) throws Exception {
        Thread closing =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            try {
                                resource.close();
                            } catch (Exception e) {
                                throw new AssertionError(e);
                            }
                        });
        assertThat(closing.join(SOON)).as("it is closed at once").isTrue();
    }

    /** Receives the socket from another process, which has closed it. */
    private static Fd received(LingeringSocket lingering) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket from = pair[0];
                UnixSocket to = pair[1];
                Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            assertThat(from.send(ByteBuffer.allocate(1), List.of(lingering.fd()))).isEqualTo(1);
            assertThat(to.receive(ByteBuffer.allocate(1), ancillary)).isEqualTo(1);
            Fd received = ancillary.takeDescriptors().getFirst();
            lingering.fd().close();
            return received;
        }
    }

    @Test
    void oneThatWasReceivedIsClosedWithoutWaiting() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (LingeringSocket lingering = LingeringSocket.make()) {
            assertCloses(received(lingering));
        }
        before.awaitSameNumber();
    }

    @Test
    void itsNextOwnerDoesNotWaitEither() throws Exception {
        try (LingeringSocket lingering = LingeringSocket.make()) {
            Fd received = received(lingering);
            Fd duplicate = received.duplicate();
            received.close();
            assertCloses(duplicate.move());
        }
    }

    @Test
    void aConnectionInWhichOneLiesUnreadIsClosedWithoutWaiting(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM)) {
            UnixSocket accepted = listener.accept();
            assertThat(client.send(ByteBuffer.allocate(1), List.of(lingering.fd()))).isEqualTo(1);
            lingering.fd().close();
            assertCloses(accepted);
        }
    }

    @Test
    void aListenerIsClosedWithoutWaitingForAnUnacceptedConnection(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make()) {
            UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
            try (UnixSocket client = UnixSocket.connect(address, SocketType.STREAM)) {
                assertThat(client.send(ByteBuffer.allocate(1), List.of(lingering.fd())))
                        .isEqualTo(1);
                lingering.fd().close();
            }
            assertCloses(listener);
        }
    }

    @Test
    void aDatagramSocketIsClosedWithoutWaitingForWhatIsUnread(@TempDir Path folder)
            throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        try (LingeringSocket lingering = LingeringSocket.make();
                UnixSocket client = UnixSocket.datagram()) {
            UnixSocket bound = UnixSocket.bind(address);
            List<Fd> descriptors = List.of(lingering.fd());
            assertThat(client.sendTo(address, ByteBuffer.allocate(1), descriptors)).isEqualTo(1);
            lingering.fd().close();
            assertCloses(bound);
        }
    }

    @Test
    void whatWaitsIsChargedToItsOwner() throws Exception {
        FairShare<String> share = FairShare.of("descriptors", 8, "raise it");
        try (FdCloser<String> closer = new FdCloser<>("test-close", share);
                LingeringSocket lingering = LingeringSocket.make()) {
            closer.close("somebody", received(lingering));
            assertThat(share.held("somebody")).isEqualTo(1);
            lingering.end();
            Await.until(() -> share.held("somebody") == 0);
        }
    }
}
