package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.bus.service.Activator;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.core.Errno;
import io.holdfast.core.testkit.Seccomp;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the kernel refuses what new clients need, the bus still serves those that it has. */
@Timeout(60)
class BusErrnoTest {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int ACCEPT4 = ARM ? 242 : 288;
    private static final int EPOLL_CTL = ARM ? 21 : 233;
    private static final int RESTS = 10;

    @TempDir private Path folder;
    private final BusLog log = new BusLog();

    /** Makes the kernel refuse a system call of the bus's thread, from the first start on. */
    private static final class Refusing implements Activator {
        private final int systemCall;
        private final int errno;

        Refusing(int systemCall, int errno) {
            this.systemCall = systemCall;
            this.errno = errno;
        }

        @Override
        public void start(ServiceFile service, Start start) {
            Seccomp.filter(systemCall, errno);
            start.failed("a.b.Refusing", "from now on");
        }

        @Override
        public void setEnvironment(Map<String, String> variables) {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void prepare() throws Exception {
        Files.writeString(
                folder.resolve("s.service"), "[D-BUS Service]\nName=s.s\nExec=/bin/true\n");
    }

    @AfterEach
    void leave() {
        log.close();
    }

    private Bus bus(Activator activator) throws Exception {
        BusConfig config =
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)));
        return Bus.open(
                BusOptions.of(() -> config, BusAddress.parse("unix:path=" + folder.resolve("bus")))
                        .withActivator(activator));
    }

    private TestClient connect() throws InterruptedException {
        return TestClient.silent("unix:path=" + folder.resolve("bus"));
    }

    private static void assertPings(TestClient a, TestClient b) throws InterruptedException {
        int serial = a.send(a.call(b.name(), "Ping"));
        Message call = b.read();
        int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
        assertThat(a.describe(a.answer(serial))).isEqualTo("return");
    }

    private void awaitLine(String text) throws InterruptedException {
        String line;
        do {
            line = log.line();
            assertThat(line).as("a line with %s", text).isNotEqualTo("null");
        } while (!line.contains(text));
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.ENOMEM, Errno.ENFILE, Errno.EMFILE})
    void whereNobodyCanBeLetInItRestsBetweenItsTrials(int errno) throws Exception {
        Refusing refusing = new Refusing(ACCEPT4, errno);
        try (Bus _ = bus(refusing);
                TestClient a = connect().authenticate(true).hello();
                TestClient b = connect().authenticate(true).hello()) {
            assertThat(a.describe(a.answer(a.send(a.call("s.s", "M"))))).isEqualTo("a.b.Refusing");
            try (TestClient waits = connect()) {
                String refused = "paused accepting connections: accept4: " + Errno.name(errno);
                awaitLine(refused);
                for (int i = 0; i < RESTS; i++) {
                    awaitLine(refused);
                }
                assertPings(a, b);
                assertThat(waits.name()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.ENOSPC, Errno.ENOMEM})
    void oneThatCannotBeWatchedIsPutOffAndOwesNothing(int errno) throws Exception {
        try (Bus bus = bus(new Refusing(EPOLL_CTL, errno));
                TestClient a = connect().authenticate(true).hello();
                TestClient b = connect().authenticate(true).hello()) {
            assertThat(a.describe(a.answer(a.send(a.call("s.s", "M"))))).isEqualTo("a.b.Refusing");
            long before = bus.metrics().join().users().getFirst().descriptors();
            try (TestClient refused = connect()) {
                assertThat(refused.untilClosed()).isEmpty();
            }
            awaitLine(Errno.name(errno));
            assertPings(a, b);
            BusMetrics metrics = bus.metrics().join();
            assertThat(metrics.refused()).isEqualTo(1);
            assertThat(metrics.users().getFirst().connections()).isEqualTo(2);
            assertThat(metrics.users().getFirst().descriptors()).isEqualTo(before);
            assertThat(metrics.handlerErrors()).isZero();
        }
    }
}
