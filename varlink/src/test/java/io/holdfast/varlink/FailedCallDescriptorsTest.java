package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.AsyncCallHandler;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Descriptors that a handler attached before its call failed: they are closed, and never sent. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FailedCallDescriptorsTest {
    private static final Interface DEFINITION =
            Interface.parse(
                    """
                    interface a.b
                    method M() -> (number: ?int)
                    error Failed ()
                    """);

    private final UnixSocket[] passed = UnixSocket.pair(SocketType.STREAM);
    private final UnixSocket[] connection = UnixSocket.pair(SocketType.STREAM);
    private final UnixSocket client = connection[0];

    @AfterEach
    void close() {
        for (int i = 0; i < 2; i++) {
            passed[i].close();
            connection[i].close();
        }
    }

    private VarlinkServer serve(AsyncCallHandler handler) {
        VarlinkServer server =
                VarlinkServer.builder()
                        .service(Service.of(DEFINITION).asyncMethod("M", handler).build())
                        .build();
        server.serve(connection[1]);
        return server;
    }

    private void call(String mode) throws InterruptedException {
        client.sendFully(
                ByteBuffer.wrap("{\"method\":\"a.b.M\"%s}\0".formatted(mode).getBytes(UTF_8)));
    }

    private void assertPassedIsClosed() throws InterruptedException {
        assertThat(passed[0].receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
    }

    private CompletableFuture<JsonObject> fail(Call call, String how) {
        call.attach(passed[1].fd());
        VarlinkException declared = new VarlinkException("a.b.Failed", JsonObject.EMPTY);
        return switch (how) {
            case "throws an error" -> throw declared;
            case "throws a fault" -> throw new IllegalStateException("a fault of the handler");
            case "fails later" -> CompletableFuture.failedFuture(declared);
            default -> CompletableFuture.completedFuture(JsonObject.of("number", "not a number"));
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"throws an error", "throws a fault", "fails later", "replies wrongly"})
    void anErrorReplyCarriesNoDescriptors(String how) throws Exception {
        try (VarlinkServer _ = serve(call -> fail(call, how));
                Ancillary ancillary = Ancillary.ofDescriptors(8)) {
            call("");
            ByteBuffer reply = ByteBuffer.allocate(1000);
            assertThat(client.receive(reply, ancillary)).isPositive();
            assertThat(UTF_8.decode(reply.flip()).toString()).contains("\"error\":");
            assertThat(ancillary.takeDescriptors()).isEmpty();
            assertPassedIsClosed();
        }
    }

    @Test
    void aHandlerThatFailsAfterItsClientIsGoneLeavesNoDescriptor() throws Exception {
        Semaphore attached = new Semaphore(0);
        try (VarlinkServer _ =
                serve(call -> {
                    call.attach(passed[1].fd());
                    attached.release();
                    new Semaphore(0).acquire(); // until the interrupt because of the hang-up
                    throw new AssertionError("nobody releases it");
                })) {
            call(",\"more\":true");
            attached.acquire();
            client.close();
            assertPassedIsClosed();
        }
    }
}
