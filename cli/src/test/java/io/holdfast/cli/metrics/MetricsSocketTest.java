package io.holdfast.cli.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the metrics socket with requests as curl and Prometheus send them. */
@Timeout(60)
class MetricsSocketTest {
    private static final String GET = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private final AtomicInteger snapshots = new AtomicInteger();
    @TempDir private Path folder;
    private Path path;
    private EventLoop loop;
    private Thread daemon;
    private MetricsSocket<Integer> socket;

    @BeforeEach
    void listen() {
        path = folder.resolve("metrics");
        loop = EventLoop.open();
        socket = MetricsSocket.listen(path, loop, this::count, MetricsSocketTest::text);
        daemon = Thread.ofPlatform().start(loop::run);
    }

    private CompletableFuture<Integer> count() {
        return CompletableFuture.completedFuture(snapshots.incrementAndGet());
    }

    private static String text(int counted) {
        return "a_total " + counted + "\n# EOF\n";
    }

    @AfterEach
    void close() throws InterruptedException {
        loop.stop();
        daemon.join();
        socket.close();
        loop.close();
    }

    /** Opens another socket on the running loop. */
    private void answerAt(
            Path other,
            Supplier<CompletableFuture<Integer>> counters,
            Function<Integer, String> answer) {
        CompletableFuture<Void> listens = new CompletableFuture<>();
        loop.post(() -> {
            MetricsSocket<Integer> _ = MetricsSocket.listen(other, loop, counters, answer);
            listens.complete(null);
        });
        listens.join();
    }

    private UnixSocket connect() throws InterruptedException {
        return connect(path);
    }

    private static UnixSocket connect(Path path) throws InterruptedException {
        return UnixSocket.connect(UnixAddress.path(path), SocketType.STREAM);
    }

    private static void send(UnixSocket client, String text) throws InterruptedException {
        client.sendFully(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private static String readToEnd(UnixSocket client) throws Exception {
        return new String(client.inputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String exchange(String request) throws Exception {
        try (UnixSocket client = connect()) {
            send(client, request);
            return readToEnd(client);
        }
    }

    @Test
    void eachRequestGetsTheCountersOfNow() throws Exception {
        assertThat(exchange(GET))
                .startsWith("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; ")
                .contains("Content-Length: 16\r\n")
                .endsWith("\r\n\r\na_total 1\n# EOF\n");
        assertThat(exchange(GET)).endsWith("a_total 2\n# EOF\n");
        assertThat(exchange("HEAD / HTTP/1.0\r\n\r\n")).endsWith("close\r\n\r\n");
    }

    @Test
    void aRequestMayComeInPieces() throws Exception {
        try (UnixSocket client = connect()) {
            for (String piece : GET.split("(?<=o)")) {
                send(client, piece);
            }
            assertThat(readToEnd(client)).contains("200 OK").endsWith("# EOF\n");
        }
    }

    @Test
    void whatIsNoRequestGetsNothingOrARefusal() throws Exception {
        assertThat(exchange("POST /metrics HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 405 ");
        try (UnixSocket client = connect()) {
            send(client, "GET /");
            client.shutdownOutput();
            assertThat(readToEnd(client)).isEmpty();
        }
        assertThat(snapshots).hasValue(0);
    }

    @Test
    void whoAsksNothingIsDisconnectedAndOthersAreServedThen() throws Exception {
        List<UnixSocket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                silent.add(connect());
            }
            assertThat(exchange(GET)).endsWith("# EOF\n");
            for (UnixSocket each : silent) {
                assertThat(readToEnd(each)).isEmpty();
            }
        } finally {
            silent.forEach(UnixSocket::close);
        }
    }

    @Test
    void whoReadsNoAnswerIsDisconnectedAndOthersAreServedThen() throws Exception {
        Path large = folder.resolve("large");
        answerAt(large, this::count, count -> text(count).repeat(1 << 16));
        List<UnixSocket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                UnixSocket client = connect(large);
                silent.add(client);
                send(client, GET);
            }
            try (UnixSocket client = connect(large)) {
                send(client, GET);
                assertThat(readToEnd(client)).endsWith(text(9));
            }
            List<String> answers = new ArrayList<>();
            for (UnixSocket each : silent) {
                answers.add(readToEnd(each));
            }
            assertThat(answers)
                    .allMatch(answer -> answer.startsWith("HTTP/1.1 200 OK"))
                    .as("those that still had time when the ninth was served are served, too")
                    .anyMatch(answer -> answer.length() < 1 << 20);
        } finally {
            silent.forEach(UnixSocket::close);
        }
    }

    @Test
    void itsFileIsForItsOwnerAndGoesWithIt() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        try (EventLoop other = EventLoop.open()) {
            assertThatThrownBy(() ->
                            MetricsSocket.listen(path, other, this::count, MetricsSocketTest::text))
                    .isInstanceOf(ErrnoException.class);
        }
        close();
        assertThat(path).doesNotExist();
    }

    @Test
    void aDaemonThatCannotCountIsUnavailable() throws Exception {
        Path ending = folder.resolve("ending");
        answerAt(
                ending,
                () -> CompletableFuture.failedFuture(new IllegalStateException()),
                MetricsSocketTest::text);
        try (UnixSocket client = connect(ending)) {
            send(client, GET);
            assertThat(readToEnd(client)).startsWith("HTTP/1.1 503 ");
        }
    }
}
