package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.varlink.client.CallNotSentException;
import io.holdfast.varlink.client.CallNotSentException.Reason;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads that share a client take turns, and none waits longer than its time limit. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SharedClientTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private final UnixSocket service = pair[1];
    private final VarlinkClient client =
            VarlinkClient.over(
                    pair[0],
                    ClientOptions.standard()
                            .withCallTimeout(Duration.ofMillis(50))
                            .withStreamTimeout(LONG));

    @AfterEach
    void close() {
        client.close();
        service.close();
    }

    private void answer() throws InterruptedException {
        service.sendFully(ByteBuffer.wrap("{\"parameters\":{}}\0".getBytes(UTF_8)));
    }

    /** Begins a call that has its turn, and waits for the answer. */
    private FutureTask<JsonObject> slowCall() throws InterruptedException {
        FutureTask<JsonObject> call =
                new FutureTask<>(() -> client.call("a.b.Slow", JsonObject.EMPTY, LONG));
        Thread _ = Thread.startVirtualThread(call);
        String sent = "{\"method\":\"a.b.Slow\"}\0";
        ByteBuffer received = ByteBuffer.allocate(sent.length());
        while (received.hasRemaining()) {
            assertThat(service.receive(received)).isPositive();
        }
        assertThat(UTF_8.decode(received.flip()).toString()).isEqualTo(sent);
        return call;
    }

    private static void assertTimesOut(ThrowingCallable call) {
        assertThat(catchThrowableOfType(CallNotSentException.class, call).reason())
                .isEqualTo(Reason.TIMED_OUT);
    }

    @Test
    void aCallBehindASlowOneEndsAtItsOwnTimeLimitAndLeavesTheConnection() throws Exception {
        FutureTask<JsonObject> slow = slowCall();
        assertTimesOut(() -> client.call("a.b.C"));
        assertTimesOut(() -> client.oneway("a.b.C", JsonObject.EMPTY));
        assertTimesOut(() -> client.more("a.b.C", JsonObject.EMPTY).close());
        assertTimesOut(() -> client.upgrade("a.b.C", JsonObject.EMPTY).close());
        answer();
        assertThat(slow.get()).isEqualTo(JsonObject.EMPTY);
        client.close();
        assertThat(TestService.readAll(service)).as("what else was sent").isEmpty();
    }

    @Test
    void anInterruptEndsTheWaitForATurnAndLeavesTheConnection() throws Exception {
        FutureTask<JsonObject> slow = slowCall();
        CompletableFuture<Reason> reason = new CompletableFuture<>();
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread second =
                Thread.startVirtualThread(() -> {
                    reason.complete(
                            catchThrowableOfType(
                                            CallNotSentException.class,
                                            () -> client.call("a.b.C", JsonObject.EMPTY, LONG))
                                    .reason());
                    interrupted.complete(Thread.interrupted());
                });
        Await.parked(second);
        second.interrupt();
        assertThat(reason.get()).isEqualTo(Reason.INTERRUPTED);
        assertThat(interrupted.get()).as("the interrupt status").isTrue();
        answer();
        assertThat(slow.get()).isEqualTo(JsonObject.EMPTY);
    }

    @Test
    void aCallBesideAStreamThatWaitsIsRefusedAtOnce() throws Exception {
        try (ReplyStream replies = client.more("a.b.Stream", JsonObject.EMPTY)) {
            FutureTask<Boolean> next = new FutureTask<>(replies::hasNext);
            Await.parked(Thread.startVirtualThread(next));
            assertThatThrownBy(() -> client.call("a.b.C", JsonObject.EMPTY, LONG))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a stream of replies is open");
            answer();
            assertThat(next.get()).isTrue();
            replies.next().close();
            assertThat(replies.hasNext()).isFalse();
        }
        answer();
        assertThat(client.call("a.b.C")).isEqualTo(JsonObject.EMPTY);
    }
}
