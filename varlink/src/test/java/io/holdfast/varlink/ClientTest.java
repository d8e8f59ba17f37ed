package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.ServiceLostException.Reason;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A client of a misbehaving service. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ClientTest {
    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final UnixSocket service = pair[1];
    private final VarlinkClient client =
            VarlinkClient.over(
                    pair[0],
                    ClientOptions.standard()
                            .withCallTimeout(Duration.ofSeconds(30))
                            .withLimits(
                                    new MessageLimits(new JsonLimits(1 << 20, 100, 10_000), 253)));

    @AfterEach
    void close() {
        client.close();
        service.close();
    }

    private void answers(String bytes) throws InterruptedException {
        service.sendFully(ByteBuffer.wrap(bytes.getBytes(UTF_8)));
    }

    private Reason failureReason() {
        return catchThrowableOfType(ServiceLostException.class, () -> client.call("a.b.C"))
                .reason();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no JSON\0",
                "\0",
                "[]\0",
                "{\"x\":1}\0",
                "{\"parameters\":1}\0",
                "{\"error\":\"x\"}\0",
                "{\"continues\":true}\0",
                "{} {}\0"
            })
    void aReplyThatBreaksTheProtocolEndsTheConnection(String reply) throws Exception {
        answers(reply);
        assertThat(failureReason()).isEqualTo(Reason.PROTOCOL);
        assertThat(failureReason()).isEqualTo(Reason.CLOSED);
    }

    @Test
    void aConnectionThatIsNotAcceptedIsGivenUp(@TempDir Path folder) throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("socket"));
        ClientOptions options = ClientOptions.standard().withCallTimeout(Duration.ofMillis(50));
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 0);
                UnixSocket first = UnixSocket.connect(address, SocketType.STREAM)) {
            assertThat(first.remoteAddress()).isEqualTo(listener.address());
            assertThatThrownBy(
                            () -> VarlinkClient.connect(new VarlinkAddress.Unix(address), options))
                    .isInstanceOfSatisfying(
                            ServiceLostException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.TIMED_OUT))
                    .hasMessageContaining("does not accept connections");
        }
    }

    @Test
    void aServiceThatLeavesIsToldApart() throws Exception {
        service.shutdownOutput();
        assertThat(failureReason()).isEqualTo(Reason.CLOSED);
    }

    @Test
    void aReplyCutInTheMiddleBreaksTheProtocol() throws Exception {
        answers("{\"param");
        service.shutdownOutput();
        assertThat(failureReason()).isEqualTo(Reason.PROTOCOL);
    }

    @Test
    void aReplyThatDoesNotComeIsAbandoned() throws Exception {
        assertThatThrownBy(() -> client.call("a.b.C", JsonObject.EMPTY, Duration.ofMillis(50)))
                .isInstanceOf(ServiceLostException.class)
                .hasMessageContaining("no reply came in time");
        client.close();
        assertThat(TestService.readAll(service)).isEqualTo("{\"method\":\"a.b.C\"}\0");
    }

    @Test
    void aStreamThatIsSilentTooLongIsGivenUp() throws Exception {
        UnixSocket[] own = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket there = own[1];
                VarlinkClient patient =
                        VarlinkClient.over(
                                own[0],
                                ClientOptions.standard()
                                        .withStreamTimeout(Duration.ofMillis(50)))) {
            there.sendFully(ByteBuffer.wrap("{\"continues\":true}\0".getBytes(UTF_8)));
            try (ReplyStream replies = patient.more("a.b.C", JsonObject.EMPTY)) {
                assertThat(replies.next().parameters()).isEqualTo(JsonObject.EMPTY);
                assertThatThrownBy(replies::hasNext).isInstanceOf(ServiceLostException.class);
                assertThat(replies.hasNext()).isFalse();
            }
        }
    }

    @Test
    void unknownFieldsOfAReplyAreBorne() throws Exception {
        answers("{\"parameters\":{\"new\":1}}\0");
        assertThat(client.call("a.b.C")).isEqualTo(JsonObject.of("new", 1));
    }

    @Test
    void anErrorIsThrownWithItsNameAndParameters() throws Exception {
        answers("{\"error\":\"a.b.Gone\",\"parameters\":{\"unit\":\"x\"}}\0{\"parameters\":{}}\0");
        VarlinkException error =
                catchThrowableOfType(VarlinkException.class, () -> client.call("a.b.C"));
        assertThat(error.error()).isEqualTo("a.b.Gone");
        assertThat(error.parameters()).isEqualTo(JsonObject.of("unit", "x"));
        assertThat(client.call("a.b.C")).isEqualTo(JsonObject.EMPTY);
    }

    @Test
    void anInterfaceDescriptionThatIsNoneBreaksTheProtocol() throws Exception {
        answers("{\"parameters\":{\"description\":\"interface a.b\\ntype t\"}}\0");
        assertThatThrownBy(() -> client.getInterfaceDescription("a.b"))
                .isInstanceOf(ServiceLostException.class)
                .hasMessageContaining("2:6:");
    }

    @Test
    void closingWakesAThreadThatWaits() throws Exception {
        CompletableFuture<Reason> waiting = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual().start(() -> waiting.complete(failureReason()));
        assertThat(service.receive(ByteBuffer.allocate(100))).isPositive();
        client.close();
        assertThat(waiting.get()).isEqualTo(Reason.CLOSED);
        thread.join();
    }

    @Test
    void anInterruptWakesAThreadThatWaitsAndStaysSet() throws Exception {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread thread =
                Thread.ofVirtual()
                        .start(() ->
                                interrupted.complete(
                                        failureReason() == Reason.INTERRUPTED
                                                && Thread.interrupted()));
        assertThat(service.receive(ByteBuffer.allocate(100))).isPositive();
        thread.interrupt();
        assertThat(interrupted.get()).isTrue();
        thread.join();
    }

    static Stream<Gen> cases() {
        return Gen.cases(150);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void arbitraryRepliesAreRepliesErrorsOrTheEnd(Gen gen) throws Exception {
        String reply =
                gen.oneOf(
                        "{\"parameters\":{\"a\":[1,2,3]},\"continues\":true}",
                        "{\"parameters\":{}}",
                        "{\"error\":\"a.b.C\",\"parameters\":{\"x\":\"y\"}}");
        answers(gen.mutate(reply, "{}[]\",:truefals\\ \0é") + (gen.chance(0.9) ? "\0" : ""));
        service.shutdownOutput();
        try (ReplyStream replies = client.more("a.b.C", JsonObject.EMPTY)) {
            replies.forEachRemaining(Reply::close);
        } catch (VarlinkException | ServiceLostException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
    }
}
