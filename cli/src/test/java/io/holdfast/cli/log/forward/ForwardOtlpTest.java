package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.log.forward.TestCollector.Reply;
import io.holdfast.core.testkit.Await;
import io.holdfast.journal.JournalWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests forwarding to an OTLP collector that fails in all ways. */
@Timeout(120)
class ForwardOtlpTest {
    @TempDir private Path folder;

    private static OtlpDestination to(String url) throws Exception {
        return new OtlpDestination(
                URI.create(url), SSLContext.getDefault(), Map.of("Authorization", "Bearer x"));
    }

    @Test
    void sendsEachMessageOnceAndContinuesAfterARestart() throws Exception {
        try (TestCollector collector = new TestCollector(_ -> Reply.OK);
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination = to(collector.url())) {
            ForwardStage.write(writer, "one", "two");
            try (ForwardStage first = new ForwardStage(folder, destination)) {
                Await.until(() -> first.isIdleAfter(2));
                ForwardStage.write(writer, "three");
                Await.until(() -> first.isIdleAfter(3));
            }
            ForwardStage.write(writer, "four");
            try (ForwardStage second = new ForwardStage(folder, destination)) {
                Await.until(() -> second.isIdleAfter(1));
            }
            assertThat(collector.confirmed).containsExactly("one", "two", "three", "four");
            assertThat(collector.requests.getFirst())
                    .contains(
                            "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"web.service\"}}")
                    .contains("\"severityNumber\":17,\"severityText\":\"err\"");
        }
    }

    @Test
    void repeatsWhileTheCollectorIsBusy() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (TestCollector collector =
                        new TestCollector(_ ->
                                requests.incrementAndGet() < 3
                                        ? new Reply(503, "busy")
                                        : Reply.OK);
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination = to(collector.url())) {
            ForwardStage.write(writer, "kept");
            try (ForwardStage stage = new ForwardStage(folder, destination)) {
                Await.until(() -> stage.isIdleAfter(1));
                assertThat(stage.counters().counters().retried()).isEqualTo(2);
                assertThat(stage.warnings)
                        .containsExactly(
                                "sending fails and is repeated: HTTP status 503: busy",
                                "the collector accepts messages again");
            }
            assertThat(collector.confirmed).containsExactly("kept");
        }
    }

    @ParameterizedTest
    @CsvSource({"7,7", "600,600", "99999,600", "999999999,600", "soon,0", "-1,0"})
    void waitsAsTheCollectorAsksWithinALimit(String asked, long seconds) throws Exception {
        try (TestCollector collector = new TestCollector(_ -> new Reply(429, "busy", asked));
                OtlpDestination destination = to(collector.url())) {
            assertThat(destination.send(List.of()))
                    .isEqualTo(
                            new Destination.Retry(
                                    "HTTP status 429: busy", Duration.ofSeconds(seconds)));
        }
    }

    @Test
    void dropsOnlyTheMessageThatTheCollectorRefuses() throws Exception {
        try (TestCollector collector =
                        new TestCollector(messages ->
                                messages.contains("poison")
                                        ? new Reply(400, "no poison")
                                        : Reply.OK);
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination = to(collector.url())) {
            ForwardStage.write(writer, "a", "b", "poison", "c");
            try (ForwardStage stage = new ForwardStage(folder, destination)) {
                Await.until(() -> stage.isIdleAfter(3));
                assertThat(stage.counters().counters().dropped()).isEqualTo(1);
                assertThat(stage.warnings).singleElement().asString().endsWith("no poison");
            }
            assertThat(collector.confirmed).containsExactly("a", "b", "c");
        }
    }

    @Test
    void countsWhatTheCollectorRejectsOfABatch() throws Exception {
        String partial =
                "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\",\"errorMessage\":\"too old\"}}";
        try (TestCollector collector = new TestCollector(_ -> new Reply(200, partial));
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination = to(collector.url())) {
            ForwardStage.write(writer, "a", "b");
            try (ForwardStage stage = new ForwardStage(folder, destination)) {
                Await.until(() -> stage.isIdleAfter(1));
                assertThat(stage.counters().counters().dropped()).isEqualTo(1);
                assertThat(stage.warnings)
                        .containsExactly("the collector has rejected 1 of 2 messages: too old");
            }
        }
    }

    @Test
    void repeatsABatchWhoseAnswerIsCutOff() throws Exception {
        try (ServerSocket broken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination =
                        to("http://localhost:" + broken.getLocalPort() + "/")) {
            ForwardStage.write(writer, "kept");
            try (ForwardStage stage = new ForwardStage(folder, destination)) {
                answer(broken, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
                answer(broken, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                Await.until(() -> stage.isIdleAfter(1));
                assertThat(stage.counters().counters().retried()).isEqualTo(1);
            }
        }
    }

    /** Reads a request, and answers; what comes next closes the connection. */
    private static void answer(ServerSocket server, String text) throws IOException {
        try (Socket client = server.accept()) {
            byte[] buffer = new byte[1 << 16];
            StringBuilder request = new StringBuilder();
            while (request.indexOf("]}]}") < 0) { // the end of the JSON text
                int count = client.getInputStream().read(buffer);
                assertThat(count).isPositive();
                request.append(new String(buffer, 0, count, UTF_8));
            }
            assertThat(request).contains("kept").contains("Authorization: Bearer x");
            client.getOutputStream().write(text.getBytes(UTF_8));
        }
    }

    @Test
    void aCollectorThatStallsHoldsOneBatchOnly() throws Exception {
        try (ServerSocket stalled = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JournalWriter writer = ForwardStage.writer(folder);
                OtlpDestination destination =
                        to("http://localhost:" + stalled.getLocalPort() + "/")) {
            ForwardStage.write(writer, "kept");
            try (ForwardStage stage = new ForwardStage(folder, destination);
                    Socket _ = stalled.accept()) {
                Await.until(() -> stage.counters().lagMicros() > 0);
                ForwardStage.write(writer, "the writer is not affected");
                assertThat(stage.counters().counters().sent()).isZero();
            }
        }
        assertThat(new CursorFile(folder.resolve("cursor")).read()).isEmpty();
    }

    @Test
    void aFileThatIsNoCursorIsRefused() throws Exception {
        Path file = folder.resolve("cursor");
        var _ = java.nio.file.Files.writeString(file, "something else");
        assertThat(
                        org.assertj.core.api.Assertions.catchThrowable(
                                () -> new CursorFile(file).read()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a cursor file");
        assertThat(List.of(folder.toFile().list())).containsExactly("cursor");
    }
}
