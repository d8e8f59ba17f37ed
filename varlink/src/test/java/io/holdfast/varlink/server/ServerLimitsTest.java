package io.holdfast.varlink.server;

import static io.holdfast.varlink.TestService.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.TestService;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.Frame;
import io.holdfast.varlink.wire.FrameDecoder;
import io.holdfast.varlink.wire.ReplyQueue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each limit takes effect exactly at its value. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ServerLimitsTest {
    private static final String TEST = "io.holdfast.test.";
    private static final String ECHO = "{\"method\":\"io.holdfast.test.Echo\"}";

    @ParameterizedTest
    @CsvSource({"3, 100", "100, 3"})
    void aConnectionBeyondALimitIsClosedAndAnEndedOneMakesRoom(int all, int perUid)
            throws Exception {
        try (TestService service =
                new TestService(ServerLimits.standard().withConnections(all, perUid), null)) {
            List<VarlinkClient> clients = new ArrayList<>();
            try {
                for (int i = 0; i < 3; i++) {
                    clients.add(service.client());
                    assertThat(clients.getLast().call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
                }
                for (int i = 0; i < 3; i++) {
                    try (VarlinkClient refused = service.client()) {
                        assertThatThrownBy(() -> refused.call(TEST + "Echo"))
                                .isInstanceOf(ServiceLostException.class);
                    }
                }
                assertThat(clients.getFirst().call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
                clients.removeFirst().close();
                until(() -> service.server.connectionCount() == 2);
                try (VarlinkClient next = service.client()) {
                    assertThat(next.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
                }
            } finally {
                clients.forEach(VarlinkClient::close);
            }
        }
    }

    @Test
    void callsOfOneUserBeyondTheLimitWaitForTheirTurn() throws Exception {
        int calls = 20;
        BlockingQueue<Runnable> begun = new LinkedBlockingQueue<>();
        List<UnixSocket> clients = new ArrayList<>();
        try (TestService service =
                new TestService(ServerLimits.standard().withCallsBegun(2), begun::add)) {
            for (int i = 0; i < calls; i++) {
                clients.add(service.raw());
                clients.getLast().sendFully(ByteBuffer.wrap((ECHO + "\0").getBytes(UTF_8)));
                clients.getLast().shutdownOutput();
            }
            until(() -> begun.size() == 2);
            for (int i = 0; i < calls; i++) {
                Runnable next = begun.take();
                assertThat(begun).hasSizeLessThanOrEqualTo(1);
                next.run();
            }
            for (UnixSocket client : clients) {
                assertThat(TestService.readAll(client)).isEqualTo("{\"parameters\":{}}\0");
            }
        } finally {
            clients.forEach(UnixSocket::close);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallThatWaitsTakesNoTurn(boolean onExecutor) throws Exception {
        ServerLimits limits = ServerLimits.standard().withCallsBegun(1);
        try (ExecutorService executor = Executors.newSingleThreadExecutor();
                TestService service = new TestService(limits, onExecutor ? executor : null);
                UnixSocket waiting = service.raw();
                VarlinkClient client = service.client()) {
            String hang = ECHO.replace("Echo", "Hang") + "\0";
            waiting.sendFully(ByteBuffer.wrap(hang.getBytes(UTF_8)));
            service.awaitHang();
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @Test
    void aMessageOfTheLimitIsAnsweredAndOneByteMoreClosesTheConnection() throws Exception {
        MessageLimits limits = new MessageLimits(new JsonLimits(1000, 10, 100), 0);
        try (TestService service =
                new TestService(ServerLimits.standard().withMessages(limits), null)) {
            String padding = " ".repeat(1000 - ECHO.length());
            try (UnixSocket raw = service.raw()) {
                raw.sendFully(ByteBuffer.wrap((padding + ECHO + "\0").getBytes(UTF_8)));
                raw.shutdownOutput();
                assertThat(TestService.readAll(raw)).isEqualTo("{\"parameters\":{}}\0");
            }
            try (UnixSocket raw = service.raw()) {
                raw.sendFully(ByteBuffer.wrap((padding + " " + ECHO + "\0").getBytes(UTF_8)));
                assertThat(TestService.readAll(raw)).isEmpty();
            }
        }
    }

    @Test
    void aReplyBeyondTheLimitIsAnErrorInstead() {
        MessageLimits limits = new MessageLimits(new JsonLimits(1000, 10, 100), 0);
        try (TestService service =
                        new TestService(ServerLimits.standard().withMessages(limits), null);
                VarlinkClient client = service.client()) {
            int most = 1000 - "{\"parameters\":{\"text\":\"\"}}".length();
            assertThat(client.call(TEST + "Blob", JsonObject.of("size", most)).string("text"))
                    .hasSize(most);
            assertThatThrownBy(() -> client.call(TEST + "Blob", JsonObject.of("size", most + 1)))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageStartingWith("io.systemd.System");
        }
    }

    @Test
    void descriptorsOfTheLimitAreTakenAndOneMoreClosesTheConnection() throws Exception {
        MessageLimits limits = new MessageLimits(JsonLimits.DEFAULT, 2);
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                UnixSocket there = pair[1];
                TestService service =
                        new TestService(ServerLimits.standard().withMessages(limits), null)) {
            here.shutdownOutput();
            try (VarlinkClient client = service.client()) {
                try (Reply reply = copy(client, Collections.nCopies(2, there.fd()))) {
                    assertThat(reply.parameters().string("text")).isEmpty();
                }
                assertThatThrownBy(() -> copy(client, Collections.nCopies(3, there.fd())))
                        .isInstanceOf(ServiceLostException.class);
            }
        }
    }

    private static Reply copy(VarlinkClient client, List<Fd> descriptors) {
        return client.call(
                TEST + "Copy", JsonObject.of("fd", 0), Duration.ofSeconds(30), descriptors);
    }

    @Test
    void aClientThatDoesNotReadStallsItselfAloneUntilTheWriteTimeout() throws Exception {
        ServerLimits limits =
                ServerLimits.standard().withTimeouts(Duration.ofMillis(200), Duration.ofSeconds(1));
        try (TestService service = new TestService(limits, null);
                UnixSocket deaf = service.raw();
                VarlinkClient client = service.client()) {
            until(() -> service.server.connectionCount() == 2);
            deaf.sendFully(ByteBuffer.wrap(blob().getBytes(UTF_8)));
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            until(() -> service.server.connectionCount() == 1);
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @Test
    void repliesThatAnExecutorQueuesBeyondTheLimitCloseTheConnection() throws Exception {
        ServerLimits limits = ServerLimits.standard().withQueuedReplies(10, 1 << 20);
        try (ExecutorService executor = Executors.newSingleThreadExecutor();
                TestService service = new TestService(limits, executor);
                UnixSocket deaf = service.raw();
                VarlinkClient client = service.client()) {
            until(() -> service.server.connectionCount() == 2);
            deaf.sendFully(ByteBuffer.wrap(blob().getBytes(UTF_8)));
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            until(() -> service.server.connectionCount() == 1);
        }
    }

    @Test
    void whatIsHeldOfUnfinishedCallsIsBoundedForAllAndGivenBack() throws Exception {
        int most = (1 << 20) + FrameDecoder.CHUNK; // half a chunk is left for small calls
        try (TestService service =
                        new TestService(ServerLimits.standard().withHeldBytes(most / 2), null);
                VarlinkClient before = service.client()) {
            assertThat(before.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            List<UnixSocket> stuffers = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    stuffers.add(service.raw());
                    stuff(stuffers.getLast(), 200_000);
                    assertThat(service.server.heldBytes()).isLessThanOrEqualTo(most / 2);
                }
                until(() -> service.server.connectionCount() < 15);
                assertThat(before.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            } finally {
                stuffers.forEach(UnixSocket::close);
            }
            until(() -> service.server.heldBytes() == ServerConnection.LEAST_BYTES);
            String fits = "x".repeat(60_000);
            assertThat(before.call(TEST + "Echo", JsonObject.of("text", fits)).string("text"))
                    .isEqualTo(fits);
        }
    }

    /** Sends this many bytes of an unfinished call, as far as the server accepts them. */
    private static void stuff(UnixSocket socket, int bytes) throws InterruptedException {
        try {
            socket.sendFully(ByteBuffer.wrap("{\"x\":".repeat(bytes / 5).getBytes(UTF_8)));
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
        }
    }

    @Test
    void repliesBeyondWhatIsHeldForAllCloseTheConnection() throws Exception {
        ServerLimits limits = ServerLimits.standard().withHeldBytes(1 << 19);
        try (ExecutorService executor = Executors.newSingleThreadExecutor();
                TestService service = new TestService(limits, executor);
                UnixSocket deaf = service.raw();
                VarlinkClient client = service.client()) {
            until(() -> service.server.connectionCount() == 2);
            deaf.sendFully(ByteBuffer.wrap(blob().getBytes(UTF_8)));
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            until(() -> service.server.connectionCount() == 1);
            until(() -> service.server.heldBytes() == ServerConnection.LEAST_BYTES);
        }
    }

    @Test
    void callsUnderWayCountAsTheValuesTheyAreAndAreGivenBack() throws Exception {
        int most = 4 << 20;
        int length = 50_000;
        String call =
                "{\"method\":\"io.holdfast.test.Echo\",\"parameters\":{\"text\":\"%s\"}}\0"
                        .formatted("x".repeat(length));
        Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
        try (TestService service =
                new TestService(ServerLimits.standard().withHeldBytes(most / 2), waiting::add)) {
            List<UnixSocket> callers = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    UnixSocket caller = service.raw();
                    callers.add(caller);
                    int before = waiting.size();
                    send(caller, call);
                    until(() -> waiting.size() > before || hasEnded(caller));
                    assertThat(service.server.heldBytes()).isLessThanOrEqualTo(most / 2);
                }
                assertThat(waiting).hasSizeBetween(2, 15);
                assertThat(service.server.heldBytes())
                        .isGreaterThan(waiting.size() * (length + 2L * length));
                until(() -> service.server.connectionCount() == waiting.size());
                waiting.forEach(Runnable::run); // the first may find no room for their replies
                until(() ->
                        service.server.heldBytes()
                                == service.server.connectionCount()
                                        * (long) ServerConnection.LEAST_BYTES);
            } finally {
                callers.forEach(UnixSocket::close);
            }
            until(() -> service.server.heldBytes() == 0);
        }
    }

    @Test
    void refusalsThatNobodyReadsAreHeldWithinTheLimitAndGivenBack() throws Exception {
        int most = 4 << 20;
        String call = "{\"method\":\"io.holdfast.test.%s\"}\0".formatted("x".repeat(60_000));
        ByteBuffer calls = ByteBuffer.wrap(call.repeat(50).getBytes(UTF_8));
        try (TestService service =
                new TestService(ServerLimits.standard().withHeldBytes(most / 2), null)) {
            List<UnixSocket> deaf = new ArrayList<>();
            List<ByteBuffer> rests = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    deaf.add(service.raw());
                    rests.add(calls.duplicate());
                }
                until(() -> service.server.connectionCount() == deaf.size());
                until(() -> {
                    for (int i = 0; i < deaf.size(); i++) {
                        sendSome(deaf.get(i), rests.get(i));
                    }
                    assertThat(service.server.heldBytes()).isLessThanOrEqualTo(most / 2);
                    return service.server.connectionCount() < 15;
                });
            } finally {
                deaf.forEach(UnixSocket::close);
            }
            until(() -> service.server.heldBytes() == 0);
        }
    }

    /** Sends what the peer accepts now, and nothing more once it has closed the connection. */
    private static void sendSome(UnixSocket socket, ByteBuffer rest) {
        try {
            if (rest.hasRemaining()) {
                int _ = socket.trySend(rest);
            }
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
            rest.position(rest.limit());
        }
    }

    private static void send(UnixSocket socket, String text) throws InterruptedException {
        try {
            socket.sendFully(ByteBuffer.wrap(text.getBytes(UTF_8)));
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
        }
    }

    private static boolean hasEnded(UnixSocket socket) {
        try {
            return socket.tryReceive(ByteBuffer.allocate(1)) == UnixSocket.END;
        } catch (ErrnoException e) {
            return true;
        }
    }

    @Test
    void callsMayBeShorterThanReplies() throws Exception {
        MessageLimits calls = new MessageLimits(new JsonLimits(1000, 10, 100), 1);
        ServerLimits limits = ServerLimits.standard().withCalls(calls);
        try (TestService service = new TestService(limits, null)) {
            try (VarlinkClient client = service.client()) {
                JsonObject reply = client.call(TEST + "Blob", JsonObject.of("size", 9000));
                assertThat(reply.string("text")).hasSize(9000);
            }
            try (VarlinkClient client = service.client()) {
                JsonObject tooLong = JsonObject.of("text", "x".repeat(1000));
                assertThatThrownBy(() -> client.call(TEST + "Echo", tooLong))
                        .isInstanceOf(ServiceLostException.class);
            }
        }
    }

    @Test
    void aServerThatHasNoRoomForAConnectionRefusesIt() throws Exception {
        ServerLimits limits =
                ServerLimits.standard().withHeldBytes(5L * ServerConnection.LEAST_BYTES / 2);
        try (TestService service = new TestService(limits, null);
                VarlinkClient one = service.client();
                VarlinkClient two = service.client();
                VarlinkClient three = service.client()) {
            assertThatThrownBy(() -> three.call(TEST + "Echo"))
                    .isInstanceOf(ServiceLostException.class);
            assertThat(one.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
            assertThat(two.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    private static String blob() {
        return "{\"method\":\"io.holdfast.test.Blob\",\"more\":true,"
                + "\"parameters\":{\"size\":100000}}\0";
    }

    @Test
    void anOutboxHoldsWhatItsLimitsSayAndAlwaysTheLastReply() throws Exception {
        ReplyQueue byCount = new ReplyQueue(2, 1000, Charge.unlimited());
        assertThat(byCount.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
        assertThat(byCount.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
        assertThat(byCount.put(frame(10))).isEqualTo(ReplyQueue.Put.FULL);
        assertThat(byCount.end(frame(10))).isTrue();
        assertThat(byCount.put(frame(10))).isEqualTo(ReplyQueue.Put.ENDED);
        assertThat(byCount.take()).isNotNull();
        assertThat(byCount.take()).isNotNull();
        assertThat(byCount.take()).isNotNull();
        assertThat(byCount.take()).isNull();

        int size = frame(10).bytes().length;
        ReplyQueue byBytes = new ReplyQueue(100, 2L * size, Charge.unlimited());
        assertThat(byBytes.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
        assertThat(byBytes.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
        assertThat(byBytes.put(frame(0))).isEqualTo(ReplyQueue.Put.FULL);
        assertThat(byBytes.poll()).isNotNull();
        assertThat(byBytes.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
        byBytes.abandon();
        assertThat(byBytes.take()).isNull();

        ReplyQueue tooLongButAlone = new ReplyQueue(100, 1, Charge.unlimited());
        assertThat(tooLongButAlone.put(frame(10))).isEqualTo(ReplyQueue.Put.DONE);
    }

    private static Frame frame(int length) {
        return new Frame(JsonObject.of("x", "y".repeat(length)), List.of(), MessageLimits.DEFAULT);
    }

    @Test
    void limitsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> ServerLimits.standard().withConnections(0, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ServerLimits.standard().withTimeouts(Duration.ZERO, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new MessageLimits(JsonLimits.DEFAULT, 254))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new JsonLimits(1 << 20, 513, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aCallWhoseCallerHasGoneCountsUntilItsHandlerHasDoneWithIt() throws Exception {
        BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
        try (TestService service =
                new TestService(ServerLimits.standard().withConnections(100, 3), waiting::add)) {
            for (int i = 1; i <= 3; i++) {
                int calls = i;
                try (UnixSocket caller = service.raw()) {
                    send(caller, ECHO + "\0");
                    until(() -> waiting.size() == calls);
                }
            }
            try (VarlinkClient refused = service.client()) {
                assertThatThrownBy(() -> refused.call(TEST + "Echo"))
                        .isInstanceOf(ServiceLostException.class);
            }
            assertThat(service.server.heldBytes())
                    .isGreaterThanOrEqualTo(3 * ServerConnection.LEAST_BYTES);
            for (int i = 0; i < 3; i++) {
                waiting.take().run();
            }
            until(() -> service.server.connectionCount() == 0);
            assertThat(service.server.heldBytes()).isZero();
        }
    }
}
