package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client's descriptor whose last close takes two minutes delays no other client. */
@Timeout(60)
class SlowCloseTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    @Test
    void itsCallIsAnswered() throws Exception {
        try (LingeringSocket lingering = LingeringSocket.make();
                TestService service = new TestService();
                UnixSocket raw = service.raw()) {
            assertThat(raw.send(bytes("{"), List.of(lingering.fd()))).isEqualTo(1);
            lingering.fd().close(); // the server has the last duplicate
            raw.sendFully(bytes("\"method\":\"io.holdfast.test.Echo\"}\0"));
            assertThat(Readiness.await(raw.fd(), Readiness.IN, SOON)).isEqualTo(Readiness.IN);
            raw.shutdownOutput();
            assertThat(TestService.readAll(raw)).isEqualTo("{\"parameters\":{}}\0");
            lingering.end();
        }
    }

    @Test
    void manyOfAServerThatTakesNoneDelayNoOtherClient() throws Exception {
        UnixAddress address = UnixAddress.abstractName("holdfast-test-" + UUID.randomUUID());
        List<AutoCloseable> opened = new ArrayList<>();
        try (VarlinkServer server = VarlinkServer.builder().build()) {
            server.listen(address);
            try {
                for (int i = 0; i <= Runtime.getRuntime().availableProcessors(); i++) {
                    UnixSocket raw = UnixSocket.connect(address, SocketType.STREAM);
                    opened.add(raw);
                    LingeringSocket lingering = LingeringSocket.make();
                    opened.add(lingering);
                    assertThat(raw.send(bytes("{"), List.of(lingering.fd()))).isEqualTo(1);
                    lingering.fd().close();
                    raw.sendFully(bytes("\"method\":\"org.varlink.service.GetInfo\"}\0"));
                }
                try (UnixSocket other = UnixSocket.connect(address, SocketType.STREAM)) {
                    other.sendFully(bytes("{\"method\":\"org.varlink.service.GetInfo\"}\0"));
                    assertThat(Readiness.await(other.fd(), Readiness.IN, SOON))
                            .isEqualTo(Readiness.IN);
                }
            } finally {
                for (AutoCloseable each : opened) {
                    each.close();
                }
            }
        }
    }
}
