package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.varlink.client.CallNotSentException;
import io.holdfast.varlink.client.CallNotSentException.Reason;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.VarlinkLimits;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls of threads that share a client are pipelined, and none spoils those of others. */
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

    private final Map<String, Thread> threads = new HashMap<>();

    @AfterEach
    void close() {
        client.close();
        service.close();
    }

    private void answer() throws InterruptedException {
        answer("");
    }

    private void answer(String id) throws InterruptedException {
        String reply = "{\"parameters\":{" + (id.isEmpty() ? "" : "\"id\":\"" + id + "\"") + "}}";
        service.sendFully(ByteBuffer.wrap((reply + "\0").getBytes(UTF_8)));
    }

    /** Begins a call, and waits until the service has it. */
    private FutureTask<JsonObject> begin(String id, Duration limit) throws InterruptedException {
        FutureTask<JsonObject> call =
                new FutureTask<>(() -> client.call("a.b." + id, JsonObject.EMPTY, limit));
        threads.put(id, Thread.startVirtualThread(call));
        receive("{\"method\":\"a.b." + id + "\"}\0");
        return call;
    }

    private void receive(String sent) throws InterruptedException {
        ByteBuffer received = ByteBuffer.allocate(sent.length());
        while (received.hasRemaining()) {
            assertThat(service.receive(received)).isPositive();
        }
        assertThat(UTF_8.decode(received.flip()).toString()).isEqualTo(sent);
    }

    private static ServiceLostException.Reason reasonOf(FutureTask<JsonObject> failed) {
        Throwable cause = catchThrowableOfType(ExecutionException.class, failed::get).getCause();
        assertThat(cause).isInstanceOf(ServiceLostException.class);
        return ((ServiceLostException) requireNonNull(cause)).reason();
    }

    private void interrupt(String id) {
        requireNonNull(threads.get(id)).interrupt();
    }

    @Test
    void callsAreSentAtOnceAndGetTheirRepliesInOrder() throws Exception {
        List<FutureTask<JsonObject>> calls = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            calls.add(begin("C" + i, LONG));
        }
        for (int i = 0; i < 20; i++) {
            answer("C" + i);
        }
        for (int i = 0; i < 20; i++) {
            assertThat(calls.get(i).get().string("id")).isEqualTo("C" + i);
        }
    }

    @Test
    void anInterruptOfOneCallLeavesTheOthers() throws Exception {
        FutureTask<JsonObject> first = begin("First", LONG);
        FutureTask<JsonObject> second = begin("Second", LONG);
        FutureTask<JsonObject> third = begin("Third", LONG);
        interrupt("First"); // it receives for all
        interrupt("Second");
        assertThat(reasonOf(first)).isEqualTo(ServiceLostException.Reason.INTERRUPTED);
        assertThat(reasonOf(second)).isEqualTo(ServiceLostException.Reason.INTERRUPTED);
        answer("First");
        answer("Second");
        answer("Third");
        assertThat(third.get().string("id")).isEqualTo("Third");
        FutureTask<JsonObject> fourth = begin("Fourth", LONG);
        answer("Fourth");
        assertThat(fourth.get().string("id")).isEqualTo("Fourth");
    }

    @Test
    void aLateReplyIsDiscardedWithItsDescriptors() throws Exception {
        FutureTask<JsonObject> late = begin("Late", Duration.ofMillis(20));
        assertThat(reasonOf(late)).isEqualTo(ServiceLostException.Reason.TIMED_OUT);
        OpenDescriptors before = OpenDescriptors.now();
        service.send(
                ByteBuffer.wrap("{\"parameters\":{}}\0".getBytes(UTF_8)), List.of(service.fd()));
        FutureTask<JsonObject> next = begin("Next", LONG);
        answer("Next");
        assertThat(next.get().string("id")).isEqualTo("Next");
        before.awaitSameNumberButWakers();
    }

    @Test
    void aReplyThatContinuesAPlainCallEndsAllCalls() throws Exception {
        FutureTask<JsonObject> first = begin("First", LONG);
        FutureTask<JsonObject> second = begin("Second", LONG);
        service.sendFully(ByteBuffer.wrap("{\"continues\":true}\0{}\0".getBytes(UTF_8)));
        assertThat(reasonOf(first)).isEqualTo(ServiceLostException.Reason.PROTOCOL);
        assertThat(reasonOf(second)).isEqualTo(ServiceLostException.Reason.PROTOCOL);
    }

    @Test
    void callsThatNobodyAnswersAreBounded() throws Exception {
        int limit = (int) VarlinkLimits.PENDING_CALLS.value();
        for (int i = 0; i < limit; i++) {
            assertThat(
                            catchThrowableOfType(
                                            ServiceLostException.class,
                                            () ->
                                                    client.call(
                                                            "a.b.C",
                                                            JsonObject.EMPTY,
                                                            Duration.ofNanos(1)))
                                    .reason())
                    .isEqualTo(ServiceLostException.Reason.TIMED_OUT);
            receive("{\"method\":\"a.b.C\"}\0");
        }
        assertTimesOut(() -> client.call("a.b.C"));
        answer();
        FutureTask<JsonObject> last = begin("Last", LONG);
        for (int i = 1; i < limit; i++) {
            answer();
        }
        answer("Last");
        assertThat(last.get().string("id")).isEqualTo("Last");
    }

    private static void assertTimesOut(ThrowingCallable call) {
        assertThat(catchThrowableOfType(CallNotSentException.class, call).reason())
                .isEqualTo(Reason.TIMED_OUT);
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void aStreamAndAnUpgradeWaitForTheRepliesOfEarlierCalls() throws Exception {
        FutureTask<JsonObject> slow = begin("Slow", LONG);
        assertTimesOut(() -> client.more("a.b.C", JsonObject.EMPTY).close());
        assertTimesOut(() -> client.upgrade("a.b.C", JsonObject.EMPTY).close());
        answer();
        assertThat(slow.get()).isEqualTo(JsonObject.EMPTY);
        client.close();
        assertThat(TestService.readAll(service)).as("what else was sent").isEmpty();
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void anInterruptEndsTheWaitOfAStreamToBeSent() throws Exception {
        FutureTask<JsonObject> slow = begin("Slow", LONG);
        CompletableFuture<Reason> reason = new CompletableFuture<>();
        Thread.currentThread().interrupt();
        boolean _ =
                reason.complete(
                        catchThrowableOfType(
                                        CallNotSentException.class,
                                        () -> client.more("a.b.C", JsonObject.EMPTY).close())
                                .reason());
        assertThat(Thread.interrupted()).as("the interrupt status").isTrue();
        assertThat(reason.get()).isEqualTo(Reason.INTERRUPTED);
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
