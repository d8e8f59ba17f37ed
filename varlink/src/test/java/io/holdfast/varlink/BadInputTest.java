package io.holdfast.varlink;

import static io.holdfast.varlink.TestService.until;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.wire.ReplyMessage;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A protocol violation closes the connection on which it arrived, with a line in the log. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BadInputTest {
    private static final String ECHO = "{\"method\":\"io.holdfast.test.Echo\"}";
    private static final String ECHOED = "{\"parameters\":{}}\0";
    private static final TestService service = new TestService();

    @AfterAll
    static void close() {
        service.close();
    }

    static Stream<Arguments> broken() {
        return Stream.of(
                Arguments.of("no JSON\0", "Unrecognized token"),
                Arguments.of("\0", "the text ends where a value is expected"),
                Arguments.of(" \n\0", "the text ends where a value is expected"),
                Arguments.of("{\"method\":\"\u00ff\"}\0", "not well-formed UTF-8"),
                Arguments.of("[]\0", "a call is an object"),
                Arguments.of(ECHO + ECHO + "\0", "more follows the value"),
                Arguments.of("[".repeat(200) + "\0", "nested deeper than the limit of 128"),
                Arguments.of("{\"method\":\"a.b.C\",\"x\":1}\0", "a call has no field \"x\""),
                Arguments.of("{\"method\":\"a.b.C\",\"parameters\":[]}\0", "are an object"),
                Arguments.of("{}\0", "\"method\" is missing"),
                Arguments.of("{\"method\":\"a.b.C\",\"method\":\"a.b.C\"}\0", "duplicate key"),
                Arguments.of("{\"method\":7}\0", "\"method\" is no string"),
                Arguments.of(
                        "{\"method\":\"a.b.C\",\"more\":true,\"oneway\":true}\0",
                        "exclude one another"),
                Arguments.of("{\"method\":\"a.b.C\",\"more\":\"yes\"}\0", "is no boolean"),
                Arguments.of(
                        "{\"method\":\"a.b.C\",\"parameters\":{\"n\":9223372036854775808}}\0",
                        "does not fit 64 bits"),
                Arguments.of("{\"method\":", "the stream ends inside a message"),
                Arguments.of(ECHO, "the stream ends inside a message"));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void aMessageThatBreaksTheProtocolClosesItsConnectionOnly(String bytes, String reason)
            throws Exception {
        RecordedLog.clear();
        try (TestService own = new TestService(); // the shared one would throttle the second line
                UnixSocket good = own.raw();
                UnixSocket bad = own.raw()) {
            bad.sendFully(ByteBuffer.wrap((ECHO + "\0" + bytes).getBytes(ISO_8859_1)));
            if (!bytes.endsWith("\0")) {
                bad.shutdownOutput();
            }
            assertThat(TestService.readAll(bad)).isEqualTo(ECHOED);
            assertThat(RecordedLog.lines())
                    .anySatisfy(line ->
                            assertThat(line)
                                    .startsWith("WARNING varlink: closing the connection")
                                    .contains("" + ProcessHandle.current().pid(), reason));
            good.sendFully(ByteBuffer.wrap((ECHO + "\0").getBytes(UTF_8)));
            good.shutdownOutput();
            assertThat(TestService.readAll(good)).isEqualTo(ECHOED);
        }
    }

    @Test
    void aNameAsLongAsAMessageIsNotRepeatedBeyondTheLimit() throws Exception {
        MessageLimits small = new MessageLimits(new JsonLimits(1000, 10, 100), 0);
        try (TestService own = new TestService(ServerLimits.standard().withMessages(small), null);
                UnixSocket raw = own.raw()) {
            String call = "{\"method\":\"" + "x".repeat(970) + "\"}\0";
            raw.sendFully(ByteBuffer.wrap(call.getBytes(UTF_8)));
            assertThat(TestService.readAll(raw)).isEmpty();
        }
    }

    static Stream<Gen> cases() {
        return Gen.cases(150);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void arbitraryBytesInArbitraryPiecesHarmNobodyElse(Gen gen) throws Exception {
        try (UnixSocket raw = service.raw()) {
            sendInPieces(gen, raw, bytes(gen));
            if (gen.chance(0.5)) {
                raw.shutdownOutput();
                // After a greeting, another protocol follows.
                String greeting = "{\"parameters\":{\"greeting\":\"hello\"}}\0";
                String all = TestService.readAll(raw);
                int upgraded = all.indexOf(greeting);
                String replies =
                        upgraded < 0 ? all : all.substring(0, upgraded + greeting.length());
                assertThat(replies.isEmpty() || replies.endsWith("\0")).isTrue();
                for (String reply : replies.split("\0")) {
                    if (!reply.isEmpty()) {
                        assertThat(ReplyMessage.of(Json.parse(reply))).isNotNull();
                    }
                }
            }
        } catch (ErrnoException e) {
            assertThat(e.getMessage()).containsAnyOf("EPIPE", "ECONNRESET");
        }
        try (VarlinkClient client = service.client()) {
            assertThat(client.call("io.holdfast.test.Echo")).isEqualTo(JsonObject.EMPTY);
        }
    }

    private static byte[] bytes(Gen gen) {
        if (gen.chance(0.2)) {
            return gen.bytes(3000);
        }
        StringBuilder calls = new StringBuilder();
        for (int i = gen.between(1, 6); i > 0; i--) {
            String call =
                    gen.oneOf(
                            ECHO,
                            "{\"method\":\"io.holdfast.test.Note\",\"oneway\":true,"
                                    + "\"parameters\":{\"text\":\"x\"}}",
                            "{\"method\":\"io.holdfast.test.Count\",\"more\":true,"
                                    + "\"parameters\":{\"to\":7}}",
                            "{\"method\":\"io.holdfast.test.Speak\",\"upgrade\":true}",
                            "{\"method\":\"org.varlink.service.GetInfo\"}");
            calls.append(gen.chance(0.3) ? gen.mutate(call, "{}[]\",:truefals\\ \0\u00e9") : call)
                    .append('\0');
        }
        byte[] all = calls.toString().getBytes(UTF_8);
        return gen.chance(0.3) ? Arrays.copyOf(all, gen.between(0, all.length)) : all;
    }

    private static void sendInPieces(Gen gen, UnixSocket raw, byte[] bytes) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1]) {
            assertThat(a.fd().isOpen()).isTrue();
            for (int at = 0; at < bytes.length; ) {
                int piece = Math.min(bytes.length - at, gen.between(1, gen.oneOf(3, 1000)));
                ByteBuffer data = ByteBuffer.wrap(bytes, at, piece);
                if (gen.chance(0.1)) {
                    assertThat(raw.send(data, List.of(b.fd(), b.fd()))).isPositive();
                }
                raw.sendFully(data);
                at += piece;
            }
        }
    }

    @Test
    void noDescriptorIsLeftOfConnectionsThatEndedBadly() throws Exception {
        try (TestService own = new TestService()) {
            endBadly(own);
            int before = openDescriptors();
            for (int i = 0; i < 50; i++) {
                endBadly(own);
            }
            assertThat(openDescriptors()).isEqualTo(before);
        }
    }

    /** Sends descriptors with a message that is never finished, and with a malformed one. */
    private static void endBadly(TestService own) throws Exception {
        for (String bytes : List.of("{\"meth", "oops\0")) {
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            try (UnixSocket here = pair[0];
                    UnixSocket raw = own.raw()) {
                try (UnixSocket there = pair[1]) {
                    ByteBuffer data = ByteBuffer.wrap(bytes.getBytes(UTF_8));
                    assertThat(raw.send(data, List.of(there.fd()))).isEqualTo(bytes.length());
                }
                raw.shutdownOutput();
                assertThat(TestService.readAll(raw)).isEmpty();
                assertThat(here.receive(ByteBuffer.allocate(1))).isEqualTo(UnixSocket.END);
            }
        }
        until(() -> own.server.connectionCount() == 0);
    }

    private static int openDescriptors() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }
}
