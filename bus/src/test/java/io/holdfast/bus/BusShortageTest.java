package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A bus without free descriptors refuses what needs one, and still serves its clients. */
@Timeout(120)
class BusShortageTest {
    private static final int RLIMIT_NOFILE = 7;

    @TempDir private Path folder;

    /** Runs the bus in a separate JVM with few descriptors until its input ends. */
    static final class SmallBus {
        public static void main(String[] arguments) throws Exception {
            Limits limits =
                    Limits.BUILT_IN
                            .with(BusLimit.MAX_INCOMING_UNIX_FDS, 1_000)
                            .with(BusLimit.MAX_MESSAGE_UNIX_FDS, 1_000)
                            .with(BusLimit.MAX_OUTGOING_UNIX_FDS, 1_000)
                            .with(BusLimit.MAX_INCOMPLETE_CONNECTIONS, 1_000)
                            .with(BusLimit.MAX_CONNECTIONS_PER_USER, 1_000);
            try (Bus bus =
                    Bus.open(
                            BusAddress.parse("unix:path=" + arguments[0]),
                            BusConfig.permissive().withLimits(limits))) {
                try (TestClient warm = connect(arguments[0])) { // loads what is needed later
                    try (Message ignored = warm.callBus("GetConnectionCredentials", warm.name())) {
                        assertThat(ignored.descriptors()).hasSize(1);
                    }
                }
                FullTable.load(Fd.class, Message.class, Bus.class);
                String[] open = new java.io.File("/proc/self/fd").list();
                int limit = (open == null ? 0 : open.length) + Integer.parseInt(arguments[1]);
                int result = SysResource.setLimit(0, RLIMIT_NOFILE, limit, limit);
                System.out.println("ready " + result);
                int ended = System.in.read();
                System.out.println("ended " + ended + " " + bus.addresses());
            }
        }
    }

    private static TestClient connect(String socket) throws InterruptedException {
        return TestClient.silent("unix:path=" + socket).authenticate(true).hello();
    }

    /**
     * A client takes two descriptors: of two successive limits, one fails at accept4(2) and the
     * other at SO_PEERPIDFD.
     */
    @ParameterizedTest
    @ValueSource(ints = {24, 25})
    @Needs(features = Feature.PEER_PIDFD)
    void itRefusesRecoversAndServesOn(int descriptors) throws Exception {
        String socket = folder.resolve("bus").toString();
        Path log = folder.resolve("log");
        Process bus =
                new ProcessBuilder(
                                ChildJvm.command(
                                        List.of(),
                                        SmallBus.class,
                                        socket,
                                        Integer.toString(descriptors)))
                        .redirectError(log.toFile())
                        .start();
        try (var output = bus.inputReader()) {
            assertThat(output.readLine()).isEqualTo("ready 0");
            try (TestClient a = connect(socket);
                    TestClient b = connect(socket)) {
                assertPings(a, b);
                List<TestClient> others = new ArrayList<>();
                for (int i = 0; i < 60; i++) {
                    others.add(TestClient.silent("unix:path=" + socket));
                }
                assertPings(a, b);
                awaitRefused(others, others.size() - descriptors / 2, log);
                assertThat(tooMany(a)).isEmpty();
                assertThat(b.query("NameHasOwner", a.name())).isEqualTo(false);
                others.forEach(TestClient::close);
                try (TestClient late = awaitRoom(socket)) {
                    assertPings(b, late);
                }
            }
        } finally {
            bus.getOutputStream().close();
            assertThat(bus.waitFor()).isZero();
        }
    }

    /**
     * Which clients are refused varies: now and then the JVM of the bus opens a file, so that a
     * later client finds room that an earlier one did not.
     */
    private static void awaitRefused(List<TestClient> clients, int atLeast, Path log) {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        Await.until(() -> {
            long refused = clients.stream().filter(TestClient::isHungUp).count();
            if (refused < atLeast && System.nanoTime() > deadline) {
                assertThat(log).as("%d of %d refused", refused, atLeast).content().isNull();
            }
            return refused >= atLeast;
        });
    }

    private static long rests(Path log) {
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(
                            line -> line.contains("paused accepting connections: accept4: EMFILE"))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A limit below what the bus has open: then not even its reserved descriptor helps. */
    @Test
    void withoutItsReserveItRestsAndThenLetsThoseInWhoWaited() throws Exception {
        String socket = folder.resolve("bus").toString();
        Path log = folder.resolve("log");
        Process bus =
                new ProcessBuilder(ChildJvm.command(List.of(), SmallBus.class, socket, "64"))
                        .redirectError(log.toFile())
                        .start();
        int pid = Math.toIntExact(bus.pid());
        try (var output = bus.inputReader()) {
            assertThat(output.readLine()).isEqualTo("ready 0");
            long most = limit(pid);
            try (TestClient a = connect(socket);
                    TestClient b = connect(socket)) {
                assertPings(a, b);
                assertThat(SysResource.setLimit(pid, RLIMIT_NOFILE, 3, most)).isZero();
                try (TestClient waiting = TestClient.silent("unix:path=" + socket)) {
                    Await.until(() -> rests(log) > 0);
                    Await.until(() -> rests(log) > 10);
                    assertThat(log)
                            .as("pauses that are long enough for each to be logged")
                            .content()
                            .doesNotContain("were not logged");
                    assertPings(a, b);

                    assertThat(SysResource.setLimit(pid, RLIMIT_NOFILE, most, most)).isZero();
                    assertPings(a, waiting.authenticate(true).hello());
                }
            }
        } finally {
            bus.getOutputStream().close();
            assertThat(bus.waitFor()).isZero();
        }
    }

    private static long limit(int pid) throws IOException {
        String hard =
                Files.readAllLines(Path.of("/proc/" + pid + "/limits")).stream()
                        .filter(line -> line.startsWith("Max open files"))
                        .findFirst()
                        .orElseThrow()
                        .replaceFirst("Max open files +[0-9]+ +([0-9]+).*", "$1");
        return Long.parseLong(hard);
    }

    /** A message whose descriptors the bus cannot take ends its sender's connection. */
    private static List<Message> tooMany(TestClient a) throws InterruptedException {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            Fd[] many = new Fd[100];
            java.util.Arrays.fill(many, in);
            int ignored = a.send(a.signal("S").destination(a.name()).unixFds(100), many);
            assertThat(out.isOpen()).isTrue();
            return a.untilClosed();
        }
    }

    private static TestClient awaitRoom(String socket) throws InterruptedException {
        while (true) {
            try {
                return connect(socket);
            } catch (AssertionError | RuntimeException e) {
                Await.pause(); // disconnected: not all of the others are gone yet
            }
        }
    }

    private static void assertPings(TestClient a, TestClient b) throws InterruptedException {
        int serial = a.send(a.call(b.name(), "Ping"));
        Message call = b.read();
        int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
        assertThat(a.describe(a.answer(serial))).isEqualTo("return");
    }
}
