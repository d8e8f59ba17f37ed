package io.holdfast.varlink;

import static io.holdfast.varlink.TestService.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Client and server together. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ServerTest {
    private static final String TEST = "io.holdfast.test.";

    private final TestService service = new TestService();

    @AfterEach
    void close() {
        service.close();
    }

    @Test
    void aCallIsAnsweredWithIntegersKeptToTheLastBit() {
        try (VarlinkClient client = service.client()) {
            JsonObject parameters = TestService.echo("ünï \0 𝄞", Long.MAX_VALUE - 1);
            assertThat(client.call(TEST + "Echo", parameters)).isEqualTo(parameters);
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @Test
    void theServiceDescribesItself() {
        try (VarlinkClient client = service.client()) {
            assertThat(client.getInfo())
                    .isEqualTo(
                            new ServiceInfo(
                                    "Holdfast",
                                    "Test",
                                    "1.0",
                                    "https://example.org/",
                                    List.of("io.holdfast.test", "org.varlink.service")));
            assertThat(client.getInterfaceDescription("io.holdfast.test"))
                    .isEqualTo(TestService.DEFINITION);
            assertThat(
                            Definition.of(client.getInterfaceDescription("org.varlink.service"))
                                    .methods())
                    .hasSize(2);
            assertThatThrownBy(() -> client.getInterfaceDescription("a.b"))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessage("org.varlink.service.InterfaceNotFound {\"interface\":\"a.b\"}");
        }
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void aCallKnowsItsPeerByPidfd() {
        try (VarlinkClient client = service.client();
                PidFd self = PidFd.self();
                Peer server = client.peer()) {
            JsonObject peer = client.call(TEST + "Peer");
            assertThat(peer.integer("pid")).isEqualTo(self.pid());
            assertThat(peer.integer("uid")).isEqualTo(server.uid());
            assertThat(server.pidFd()).contains(self);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "io.holdfast.test.Nope | {} | MethodNotFound {\"method\":\"io.holdfast.test.Nope\"}",
                "io.holdfast.test.Kind | {} | MethodNotFound {\"method\":\"io.holdfast.test.Kind\"}",
                "a.b.C | {} | MethodNotFound {\"method\":\"a.b.C\"}",
                "nodot | {} | MethodNotFound {\"method\":\"nodot\"}",
                "io.holdfast.test. | {} | MethodNotFound {\"method\":\"io.holdfast.test.\"}",
                "io.holdfast.test.Unserved | {} | MethodNotImplemented"
                        + " {\"method\":\"io.holdfast.test.Unserved\"}",
                "io.holdfast.test.Note | {} | InvalidParameter {\"parameter\":\"text\"}",
                "io.holdfast.test.Note | {\"text\":1} | InvalidParameter {\"parameter\":\"text\"}",
                "io.holdfast.test.Echo | {\"x\":1} | InvalidParameter {\"parameter\":\"x\"}",
                "io.holdfast.test.Echo | {\"kind\":\"x\"} | InvalidParameter"
                        + " {\"parameter\":\"kind\"}",
                "io.holdfast.test.Count | {\"to\":3} | ExpectedMore",
                "io.holdfast.test.Speak | {} | ExpectedUpgrade",
                "io.holdfast.test.Fail | {\"how\":\"denied\"} | PermissionDenied",
            })
    void whatCannotBeDoneIsAnErrorAndTheConnectionGoesOn(
            String method, String parameters, String error) {
        try (VarlinkClient client = service.client()) {
            assertThatThrownBy(() -> client.call(method, Json.parse(parameters).asObject()))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessage("org.varlink.service." + error);
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "declared | io.holdfast.test.NotThere {\"name\":\"x\"}",
                "errno | io.systemd.System"
                        + " {\"origin\":\"linux\",\"errnoName\":\"ENOENT\",\"errno\":2}",
                "fault | io.systemd.System {\"origin\":\"linux\",\"errnoName\":\"EIO\",\"errno\":5}",
            })
    void whatAHandlerThrowsIsTheReply(String how, String error) {
        try (VarlinkClient client = service.client()) {
            assertThatThrownBy(() -> client.call(TEST + "Fail", JsonObject.of("how", how)))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessage(error);
        }
    }

    @Test
    void aReplyThatBreaksItsDefinitionNeverLeaves() {
        try (VarlinkClient client = service.client()) {
            assertThatThrownBy(() -> client.call(TEST + "Broken"))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageStartingWith("io.systemd.System");
        }
    }

    @Test
    void aStreamComesInOrderAndLeavesTheConnectionUsable() {
        try (VarlinkClient client = service.client()) {
            List<Long> values = new ArrayList<>();
            try (ReplyStream replies = client.more(TEST + "Count", JsonObject.of("to", 5000))) {
                replies.forEachRemaining(reply -> {
                    values.add(reply.parameters().integer("value"));
                    reply.close();
                });
                assertThatThrownBy(replies::next).isInstanceOf(NoSuchElementException.class);
            }
            assertThat(values)
                    .isEqualTo(IntStream.rangeClosed(1, 5000).mapToObj(Long::valueOf).toList());
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @Test
    void aStreamMayEndWithAnErrorOrHoldOneReply() {
        try (VarlinkClient client = service.client()) {
            try (ReplyStream replies =
                    client.more(TEST + "Fail", JsonObject.of("how", "declared"))) {
                assertThatThrownBy(replies::hasNext).isInstanceOf(VarlinkException.class);
                assertThat(replies.hasNext()).isFalse();
            }
            try (ReplyStream replies = client.more(TEST + "Echo", JsonObject.EMPTY)) {
                assertThat(replies.next().parameters()).isEqualTo(JsonObject.EMPTY);
                assertThat(replies.hasNext()).isFalse();
            }
        }
    }

    @Test
    void anOpenStreamHasItsConnectionForItself() {
        try (VarlinkClient client = service.client();
                ReplyStream replies = client.more(TEST + "Count", JsonObject.of("to", 3))) {
            assertThat(replies.hasNext()).isTrue();
            assertThatThrownBy(() -> client.call(TEST + "Echo"))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aMethodMayAnswerLaterFromAnotherThread() {
        try (VarlinkClient client = service.client()) {
            assertThat(client.call(TEST + "Later", JsonObject.of("text", "x")).string("text"))
                    .isEqualTo("x");
            assertThatThrownBy(() -> client.call(TEST + "Later", JsonObject.of("text", "")))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageContaining("InvalidParameter");
            try (ReplyStream replies = client.more(TEST + "Later", JsonObject.of("text", "last"))) {
                assertThat(replies.next().parameters().string("text")).isEqualTo("soon");
                assertThat(replies.next().parameters().string("text")).isEqualTo("last");
                assertThat(replies.hasNext()).isFalse();
            }
        }
    }

    @Test
    void aOnewayCallHasNoReplyEvenIfItFails() throws Exception {
        try (VarlinkClient client = service.client()) {
            client.oneway(TEST + "Note", JsonObject.of("text", "one"));
            client.oneway(TEST + "Note", JsonObject.of("text", 2));
            client.oneway(TEST + "Nope", JsonObject.EMPTY);
            client.oneway(TEST + "Fail", JsonObject.of("how", "errno"));
            client.oneway(TEST + "Note", JsonObject.of("text", "two"));
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
        assertThat(service.notes).containsExactly("one", "two");
    }

    @Test
    void aOnewayCallIsCarriedOutThoughItsClientIsGone() throws Exception {
        try (VarlinkClient client = service.client()) {
            client.oneway(TEST + "Note", JsonObject.of("text", "last will"));
        }
        assertThat(service.notes.poll(30, TimeUnit.SECONDS)).isEqualTo("last will");
    }

    @Test
    void descriptorsPassInBothDirections() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                UnixSocket there = pair[1];
                VarlinkClient client = service.client()) {
            here.sendFully(ByteBuffer.wrap("through a descriptor".getBytes(UTF_8)));
            here.shutdownOutput();
            try (Reply reply =
                    client.call(
                            TEST + "Copy",
                            JsonObject.of("fd", 0),
                            Duration.ofSeconds(30),
                            List.of(there.fd()))) {
                assertThat(reply.parameters().string("text")).isEqualTo("through a descriptor");
                int index = Math.toIntExact(reply.parameters().integer("fd"));
                try (UnixSocket back = UnixSocket.adopt(reply.descriptors().get(index))) {
                    assertThat(TestService.readAll(back)).isEqualTo("through a descriptor");
                }
            }
            assertThat(there.fd().isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Echo", "Nope", "Copy"})
    void descriptorsThatNobodyTakesAreClosed(String method) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                VarlinkClient client = service.client()) {
            try (UnixSocket there = pair[1]) {
                JsonObject parameters =
                        method.equals("Copy") ? JsonObject.of("fd", 7) : JsonObject.EMPTY;
                try (Reply reply =
                        client.call(
                                TEST + method,
                                parameters,
                                Duration.ofSeconds(30),
                                List.of(there.fd(), there.fd()))) {
                    assertThat(reply.parameters()).isEqualTo(JsonObject.EMPTY);
                } catch (VarlinkException e) {
                    assertThat(method).isNotEqualTo("Echo");
                }
            }
            assertThat(here.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
        }
    }

    @Test
    void aDescriptorGoesToTheCallItCameWithThoughCallsAreSentAhead() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                UnixSocket there = pair[1];
                UnixSocket raw = service.raw()) {
            here.sendFully(ByteBuffer.wrap("x".getBytes(UTF_8)));
            here.shutdownOutput();
            String echo = "{\"method\":\"io.holdfast.test.Echo\"}\0";
            String copy = "{\"method\":\"io.holdfast.test.Copy\",\"parameters\":{\"fd\":0}}\0";
            raw.sendFully(ByteBuffer.wrap((echo + echo).getBytes(UTF_8)));
            ByteBuffer withDescriptor = ByteBuffer.wrap(copy.getBytes(UTF_8));
            assertThat(raw.send(withDescriptor, List.of(there.fd()))).isEqualTo(copy.length());
            raw.sendFully(ByteBuffer.wrap((echo + copy).getBytes(UTF_8)));
            raw.shutdownOutput();
            assertThat(TestService.readAll(raw).split("\0", -1))
                    .containsExactly(
                            "{\"parameters\":{}}",
                            "{\"parameters\":{}}",
                            "{\"parameters\":{\"text\":\"x\",\"fd\":0}}",
                            "{\"parameters\":{}}",
                            "{\"error\":\"org.varlink.service.InvalidParameter\","
                                    + "\"parameters\":{\"parameter\":\"fd\"}}",
                            "");
        }
    }

    @Test
    void anUpgradedConnectionSpeaksTheOtherProtocolFromTheFirstByte() throws Exception {
        try (VarlinkClient client = service.client();
                VarlinkClient.Upgraded upgraded =
                        client.upgrade(TEST + "Speak", JsonObject.EMPTY)) {
            assertThat(upgraded.reply().string("greeting")).isEqualTo("hello");
            upgraded.socket().sendFully(ByteBuffer.wrap("abc".getBytes(UTF_8)));
            upgraded.socket().shutdownOutput();
            assertThat(TestService.readAll(upgraded.socket())).isEqualTo("ABC");
            assertThatThrownBy(() -> client.call(TEST + "Echo"))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void notAByteBehindAnUpgradeCallIsReadAway() throws Exception {
        try (UnixSocket raw = service.raw()) {
            String all =
                    "{\"method\":\"io.holdfast.test.Echo\"}\0"
                            + "{\"method\":\"io.holdfast.test.Speak\",\"upgrade\":true}\0"
                            + "sent ahead\0";
            raw.sendFully(ByteBuffer.wrap(all.getBytes(UTF_8)));
            raw.shutdownOutput();
            assertThat(TestService.readAll(raw))
                    .isEqualTo(
                            "{\"parameters\":{}}\0{\"parameters\":{\"greeting\":\"hello\"}}\0"
                                    + "SENT AHEAD\0");
        }
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void anUpgradeThatFailsLeavesAVarlinkConnection() {
        try (VarlinkClient client = service.client()) {
            assertThatThrownBy(() -> client.upgrade(TEST + "Echo", JsonObject.EMPTY).close())
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageContaining("MethodNotImplemented");
            assertThat(client.call(TEST + "Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHandlerLearnsThatItsClientHungUp(boolean onLoop) throws Exception {
        try (LoopThread loop = new LoopThread();
                TestService own =
                        new TestService(ServerLimits.standard(), onLoop ? loop.loop : null)) {
            try (VarlinkClient client = own.client();
                    ReplyStream replies = client.more(TEST + "Hang", JsonObject.EMPTY)) {
                own.hangs.acquire();
                assertThat(own.hangups.availablePermits()).isZero();
                assertThat(replies).isNotNull();
            }
            own.hangups.acquire();
            until(() -> own.server.connectionCount() == 0);
        }
    }

    @Test
    void aHalfClosedClientStillGetsItsStream() throws Exception {
        try (UnixSocket raw = service.raw()) {
            String call =
                    "{\"method\":\"io.holdfast.test.Count\",\"more\":true,"
                            + "\"parameters\":{\"to\":3}}\0";
            raw.sendFully(ByteBuffer.wrap(call.getBytes(UTF_8)));
            raw.shutdownOutput();
            assertThat(TestService.readAll(raw))
                    .isEqualTo(
                            "{\"parameters\":{\"value\":1},\"continues\":true}\0"
                                    + "{\"parameters\":{\"value\":2},\"continues\":true}\0"
                                    + "{\"parameters\":{\"value\":3}}\0");
        }
    }

    @Test
    void handlersRunOnTheLoopThatOwnsTheState() throws Exception {
        try (LoopThread loop = new LoopThread();
                VarlinkServer server =
                        VarlinkServer.builder()
                                .executor(loop.loop)
                                .service(
                                        Service.of(
                                                        Interface.parse(
                                                                "interface a.b method M()"
                                                                        + " -> (own: bool)"))
                                                .method(
                                                        "M",
                                                        call -> {
                                                            JsonObject own =
                                                                    JsonObject.of(
                                                                            "own",
                                                                            loop.loop.isOwner());
                                                            if (call.wantsMore()) {
                                                                call.send(own);
                                                            }
                                                            return own;
                                                        })
                                                .build())
                                .build()) {
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            server.serve(pair[1]);
            try (VarlinkClient client = VarlinkClient.over(pair[0], ClientOptions.standard())) {
                assertThat(client.call("a.b.M").bool("own")).isTrue();
                try (ReplyStream replies = client.more("a.b.M", JsonObject.EMPTY)) {
                    assertThat(replies.next().parameters().bool("own")).isTrue();
                    assertThat(replies.next().parameters().bool("own")).isTrue();
                }
            }
        }
    }

    @Test
    void manyClientsAreServedAtOnceAndNothingIsLeft() throws Exception {
        callALot(); // opens the descriptors that stay open
        int before = openDescriptors();
        callALot();
        assertThat(openDescriptors()).isEqualTo(before);
    }

    private static void callALot() throws InterruptedException {
        try (TestService own = new TestService()) {
            List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads =
                    IntStream.range(0, 64)
                            .mapToObj(i ->
                                    Thread.ofVirtual()
                                            .start(() -> {
                                                try {
                                                    callSome(own, i);
                                                } catch (Throwable e) {
                                                    failures.add(e);
                                                }
                                            }))
                            .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failures).isEmpty();
        }
    }

    private static void callSome(TestService service, int i) {
        try (VarlinkClient client = service.client()) {
            for (int j = 0; j < 20; j++) {
                JsonObject parameters = TestService.echo("client " + i, j);
                assertThat(client.call(TEST + "Echo", parameters)).isEqualTo(parameters);
            }
            try (ReplyStream replies = client.more(TEST + "Count", JsonObject.of("to", 20))) {
                replies.forEachRemaining(Reply::close);
            }
        }
    }

    private static int openDescriptors() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    @Test
    void closeEndsIdleConnectionsStreamsAndBlockedHandlersAndLeavesNothing() throws Exception {
        closeWithAllKinds();
        int before = openDescriptors();
        closeWithAllKinds();
        assertThat(openDescriptors()).isEqualTo(before);
    }

    private static void closeWithAllKinds() throws InterruptedException {
        TestService own =
                new TestService(
                        ServerLimits.standard()
                                .withTimeouts(Duration.ofSeconds(30), Duration.ofMillis(100)),
                        null);
        try (UnixSocket idle = own.raw();
                UnixSocket half = own.raw();
                VarlinkClient streaming = own.client();
                UnixSocket blocked = own.raw()) {
            half.sendFully(ByteBuffer.wrap("{\"meth".getBytes(UTF_8)));
            try (ReplyStream replies = streaming.more(TEST + "Hang", JsonObject.EMPTY)) {
                own.hangs.acquire();
                blocked.sendFully(
                        ByteBuffer.wrap(
                                "{\"method\":\"io.holdfast.test.Hang\"}\0".getBytes(UTF_8)));
                own.hangs.acquire();
                until(() -> own.server.connectionCount() == 4);
                own.close();
                assertThat(own.server.connectionCount()).isZero();
                assertThatThrownBy(replies::hasNext).isInstanceOf(ServiceLostException.class);
            }
            assertThat(idle.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            assertThat(blocked.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            assertThatThrownBy(own::raw).isInstanceOf(RuntimeException.class);
            own.close();
        }
    }

    @Test
    void aClosedServerTakesNothingMore(@TempDir Path folder) throws Exception {
        VarlinkServer server = VarlinkServer.builder().build();
        server.listen(UnixAddress.path(folder.resolve("socket")));
        assertThat(folder.resolve("socket")).exists();
        server.close();
        assertThat(folder.resolve("socket")).doesNotExist();
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0]) {
            assertThatThrownBy(() -> server.serve(pair[1]))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(here.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
        }
        assertThatThrownBy(() -> server.listen(UnixAddress.path(folder.resolve("again"))))
                .isInstanceOf(IllegalStateException.class);
        assertThat(folder.resolve("again")).doesNotExist();
    }

    @Test
    void aServiceIsDescribedRightOrRefused() {
        Service.Builder builder = Service.of(TestService.DEFINITION);
        assertThatThrownBy(() -> builder.method("Nope", _ -> JsonObject.EMPTY))
                .hasMessage("io.holdfast.test defines no method Nope");
        builder.method("Echo", _ -> JsonObject.EMPTY);
        assertThatThrownBy(() -> builder.method("Echo", _ -> JsonObject.EMPTY))
                .hasMessage("Echo has a handler already");
        VarlinkServer.Builder server = VarlinkServer.builder().service(builder.build());
        server.service(builder.build());
        assertThatThrownBy(server::build).hasMessage("io.holdfast.test is served already");
    }

    @Test
    void aDescriptorAttachedButNeverSentIsClosed() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        UnixSocket[] connection = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                VarlinkServer server =
                        VarlinkServer.builder()
                                .service(
                                        Service.of(
                                                        Interface.parse(
                                                                "interface a.b method M() -> ()"))
                                                .method(
                                                        "M",
                                                        call -> {
                                                            Fd fd = pair[1].fd().duplicate();
                                                            pair[1].close();
                                                            call.attach(fd);
                                                            assertThat(fd.isOpen()).isFalse();
                                                            return JsonObject.EMPTY;
                                                        })
                                                .build())
                                .build()) {
            server.serve(connection[1]);
            try (VarlinkClient client =
                    VarlinkClient.over(connection[0], ClientOptions.standard())) {
                client.oneway("a.b.M", JsonObject.EMPTY);
                assertThat(here.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            }
        }
    }

    /** An event loop with its thread. */
    private static final class LoopThread implements AutoCloseable {
        final EventLoop loop = EventLoop.open();
        private final Thread thread = Thread.ofPlatform().start(loop::run);

        @Override
        public void close() {
            loop.stop();
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            loop.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
