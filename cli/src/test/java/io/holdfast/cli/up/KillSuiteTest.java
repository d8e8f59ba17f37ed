package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the manager repeatedly at random moments while its services write, exit with many statuses
 * and are restarted, and while clients connect to its sockets. Afterwards it compares what services
 * and clients recorded with what the managers printed: nothing is there twice or in another order,
 * and no client was refused. The number of kills is small, or a thousand with {@code
 * -Dholdfast.long=true}; {@code -Dholdfast.kills.seed=} repeats the moments of a run.
 */
@Timeout(7200)
@Needs(root = true, cgroup2 = true, programs = "python3")
class KillSuiteTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 1_000 : 5;
    private static final long SEED = Long.getLong("holdfast.kills.seed", System.nanoTime());
    private static final int MOST_MILLIS = 700;

    /**
     * Between accept4(2) and the sendmsg(2) that puts it into the store, only the manager holds a
     * connection, which is reset if the manager is killed then. That takes some microseconds.
     */
    private static final int MOST_RESETS = 1 + KILLS / 200;

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** Starts the next manager without the pause that follows repeated crashes. */
    private static final String WITHOUT_PAUSE =
            "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.crashPause=1";

    private static final String ADOPTED = "holdfast: the manager before this one";

    @TempDir private Path folder;
    private Path units;
    private int port;
    private final AtomicInteger resets = new AtomicInteger();
    private final String slice =
            "hfkills" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";

    @BeforeEach
    void layOut() throws IOException {
        units = Files.createDirectory(folder.resolve("units"));
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        unit(
                "writes@.service",
                "[Service]",
                "ExecStart=/bin/sh -c 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done'");
        unit(
                "fails@.service",
                "[Unit]",
                "StartLimitIntervalSec=0",
                "[Service]",
                "Restart=always",
                "RestartSec=50ms",
                "ExecStart=/bin/sh -c 'n=$(wc -l < "
                        + folder
                        + "/statuses-%i); s=$((n %% 200 + 3));"
                        + " sleep 0.1; echo $s >> "
                        + folder
                        + "/statuses-%i; exit $s'");
        unit(
                "echo.socket",
                "[Socket]",
                "Accept=yes",
                "MaxConnections=200",
                "TriggerLimitIntervalSec=0",
                "ListenStream=" + folder + "/echo");
        unit("echo@.service", "[Service]", "StandardInput=socket", "ExecStart=/bin/cat");
        unit("served.socket", "[Socket]", "ListenStream=127.0.0.1:" + port);
        unit(
                "served.service",
                "[Service]",
                "ExecStart=/usr/bin/python3 -c \"import socket\\ns = socket.socket(fileno=3)\\n"
                        + "while True:\\n c, _ = s.accept()\\n c.sendall(c.recv(100))\\n c.close()\"");
        for (String each : List.of("a", "b")) {
            Files.createFile(folder.resolve("statuses-" + each));
        }
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    private void unit(String name, String... lines) throws IOException {
        Files.writeString(
                units.resolve(name),
                "[Unit]\nDefaultDependencies=no\n" + String.join("\n", lines) + "\n");
    }

    private CommandProcess up() throws IOException {
        return CommandProcess.start(
                List.of("env", WITHOUT_PAUSE),
                "up",
                "--runtime-dir",
                folder.resolve("run").toString(),
                "--slice",
                slice,
                "--units",
                units.toString(),
                "writes@a",
                "writes@b",
                "fails@a",
                "fails@b",
                "echo.socket",
                "served.socket");
    }

    @Test
    void nothingIsLostButLinesOfTheTerminal() throws Exception {
        Random random = new Random(SEED);
        AtomicBoolean done = new AtomicBoolean();
        try (CommandProcess up = up();
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            up.await("holdfast: ready");
            List<Future<Integer>> served =
                    Stream.<Callable<Integer>>of(
                                    () -> exchange(done, this::exchangeWithInstance),
                                    () -> exchange(done, this::exchangeWithService))
                            .map(clients::submit)
                            .toList();
            try {
                for (int i = 1; i <= KILLS; i++) {
                    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(MOST_MILLIS)).toNanos());
                    KeeperTest.kill(up, i);
                }
            } finally {
                done.set(true);
            }
            for (Future<Integer> each : served) {
                assertThat(each)
                        .as(() -> "seed %d\n%s".formatted(SEED, String.join("\n", up.lines())))
                        .succeedsWithin(
                                TIMEOUT.plus(TIMEOUT), as(InstanceOfAssertFactories.INTEGER))
                        .isPositive();
            }
            assertThat(resets).hasValueLessThanOrEqualTo(MOST_RESETS);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            List<String> lines = up.lines();
            assertThat(lines).filteredOn(line -> line.startsWith(ADOPTED)).hasSize(KILLS);
            for (String each : List.of("a", "b")) {
                assertStatusesAreInOrder(lines, each);
                assertLinesAreInOrder(lines, each);
            }
        }
    }

    /**
     * Checks that lines were printed in order and once, by the first manager and by the last one.
     * Without a receiver of log messages, those that a killed manager had read may be missing.
     */
    private static void assertLinesAreInOrder(List<String> lines, String instance) {
        String prefix = "writes@" + instance + ".service | line ";
        List<Integer> numbers =
                lines.stream()
                        .filter(line -> line.startsWith(prefix))
                        .map(line -> line.substring(prefix.length()))
                        .map(Integer::valueOf)
                        .toList();
        assertThat(numbers)
                .as("lines of writes@%s with the seed %d", instance, SEED)
                .isNotEmpty()
                .doesNotHaveDuplicates()
                .isSorted();
    }

    /**
     * Checks that exits were printed with their statuses and in order; lines that a killed manager
     * had not printed yet are missing. The next manager may print an exit again if the manager was
     * killed before it wrote the exit down.
     */
    private void assertStatusesAreInOrder(List<String> lines, String instance) throws IOException {
        String prefix = "fails@" + instance + ".service: its main process exited with status ";
        List<String> statuses =
                new ArrayList<>(
                        lines.stream()
                                .filter(line -> line.startsWith(prefix))
                                .map(line ->
                                        line.substring(prefix.length()).replaceFirst("/.*", ""))
                                .toList());
        for (int i = statuses.size() - 1; i > 0; i--) {
            if (statuses.get(i).equals(statuses.get(i - 1))) {
                String _ = statuses.remove(i); // consecutive statuses differ
            }
        }
        List<String> exited = Files.readAllLines(folder.resolve("statuses-" + instance));
        assertThat(statuses).isNotEmpty();
        assertThat(exited)
                .as("exits of fails@%s with the seed %d", instance, SEED)
                .containsSubsequence(statuses);
    }

    // ---- clients

    private interface Question {
        String exchange(String text) throws Exception;
    }

    /** Asks questions one by one until {@code done} is set; returns their number. */
    private static int exchange(AtomicBoolean done, Question question) throws Exception {
        int count = 0;
        while (!done.get()) {
            String text = "question " + count++;
            assertThat(question.exchange(text)).isEqualTo(text);
            Await.pause();
        }
        return count;
    }

    private String exchangeWithInstance(String text) throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("echo"));
        try (UnixSocket client = UnixSocket.connect(address, SocketType.STREAM, TIMEOUT)) {
            client.sendFully(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
            ByteBuffer answer = ByteBuffer.allocate(100);
            int n = client.receive(answer);
            if (n > 0) {
                return new String(answer.array(), 0, n, StandardCharsets.US_ASCII);
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ECONNRESET) {
                throw e;
            }
        }
        resets.incrementAndGet();
        return exchangeWithInstance(text);
    }

    private String exchangeWithService(String text) throws Exception {
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            client.setSoTimeout(Math.toIntExact(TIMEOUT.toMillis()));
            client.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
            byte[] answer = client.getInputStream().readAllBytes();
            return new String(answer, StandardCharsets.US_ASCII);
        }
    }
}
