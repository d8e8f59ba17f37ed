package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a bus writes of those that it refuses. */
@Timeout(60)
class RefusalLogTest {
    private static final Logger LOG = Logger.getLogger("io.holdfast.bus");

    @TempDir private Path folder;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final Handler handler =
            new Handler() {
                private final SimpleFormatter formatter = new SimpleFormatter();

                @Override
                public void publish(LogRecord line) {
                    boolean ignored = lines.add(formatter.formatMessage(line));
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    @BeforeEach
    void listen() {
        LOG.addHandler(handler);
    }

    @AfterEach
    void leave() {
        LOG.removeHandler(handler);
    }

    private String line() throws InterruptedException {
        return String.valueOf(lines.poll(30, TimeUnit.SECONDS));
    }

    /** As the client is told of: by number, by id where the kernel has them, and by user. */
    private static String we(TestClient client) {
        try (PidFd self = PidFd.self()) {
            String process = self.processId().pidfdId().isPresent() ? self.toString() : "process";
            return client.name() + " (" + process;
        }
    }

    @Test
    void aRefusalIsOneLineThatSaysWhoWhatWhichLimitAndHowFull() throws Exception {
        Path file = folder.resolve("limits.conf");
        Files.writeString(
                file,
                "<busconfig><limit name='max_match_rules_per_connection'>1</limit></busconfig>");
        try (TestBus bus = TestBus.ours(BusConfig.permissive().including(file))) {
            TestClient client = bus.connect();
            assertThat(client.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(client.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");

            assertThat(line())
                    .startsWith("refused method_call ")
                    .contains("member AddMatch", " of " + we(client))
                    .contains("max_match_rules_per_connection", "1 of 1 used")
                    .hasLineCount(1);
            assertThat(lines).isEmpty();
        }
    }

    @Test
    void aClientThatIsPutOffIsOneLineThatSaysWhoAndWhy() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient client = bus.connect();
            client.sendBytes("this is no message".getBytes(US_ASCII));

            assertThat(line())
                    .startsWith("disconnected " + we(client))
                    .contains("a malformed message: header at byte ")
                    .hasLineCount(1);
        }
    }
}
