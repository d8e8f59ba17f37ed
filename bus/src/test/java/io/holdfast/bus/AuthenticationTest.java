package io.holdfast.bus;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a client may authenticate, by {@code <auth>} and {@code <allow_anonymous/>}. */
@Timeout(60)
class AuthenticationTest {
    @TempDir private Path folder;

    private TestBus bus(String elements) throws Exception {
        Path file = folder.resolve("bus.conf");
        Files.writeString(
                file,
                """
                <busconfig>
                  %s
                  <policy context="default">
                    <allow user="*"/><allow own="*"/>
                    <allow send_destination="*"/><allow receive_sender="*"/>
                  </policy>
                </busconfig>
                """
                        .formatted(elements));
        return TestBus.ours(BusConfig.load(file));
    }

    private static String answer(TestClient client, String line) throws InterruptedException {
        client.sendBytes((line + "\r\n").getBytes(US_ASCII));
        return client.readLine();
    }

    @Test
    void withoutMoreOnlyTheKernelsWordCounts() throws Exception {
        try (TestBus bus = bus("")) {
            TestClient a = bus.silent();
            assertThat(answer(a, "\0AUTH")).isEqualTo("REJECTED EXTERNAL");
            assertThat(answer(a, "AUTH ANONYMOUS 61")).isEqualTo("REJECTED EXTERNAL");
            assertThat(answer(a, "AUTH EXTERNAL")).isEqualTo("DATA");
        }
    }

    @Test
    void anonymousNeedsBothTheMechanismAndTheElement() throws Exception {
        for (String elements :
                new String[] {
                    "<auth>ANONYMOUS</auth><auth>EXTERNAL</auth>",
                    "<auth>EXTERNAL</auth><allow_anonymous/>"
                }) {
            try (TestBus bus = bus(elements)) {
                assertThat(answer(bus.silent(), "\0AUTH ANONYMOUS 61"))
                        .isEqualTo("REJECTED EXTERNAL");
            }
        }
        try (TestBus bus = bus("<auth>ANONYMOUS</auth><auth>EXTERNAL</auth><allow_anonymous/>")) {
            TestClient a = bus.silent();
            assertThat(answer(a, "\0AUTH")).contains("EXTERNAL", "ANONYMOUS");
            assertThat(answer(a, "AUTH ANONYMOUS 61")).matches("OK [0-9a-f]{32}");
            a.sendBytes("BEGIN\r\n".getBytes(US_ASCII));
            var _ = a.hello();
            assertThat(a.query("GetConnectionUnixUser", a.name()))
                    .as("the bus uses the user that the kernel reports")
                    .isEqualTo(bus.connect().query("GetConnectionUnixUser", a.name()));
        }
    }

    @Test
    void externalCanBeLeftOut() throws Exception {
        try (TestBus bus = bus("<auth>ANONYMOUS</auth><allow_anonymous/>")) {
            TestClient a = bus.silent();
            assertThat(answer(a, "\0AUTH EXTERNAL")).isEqualTo("REJECTED ANONYMOUS");
            assertThat(answer(a, "AUTH ANONYMOUS")).startsWith("OK ");
        }
    }

    @Test
    @Needs(root = true)
    void nobodyIsAnotherThanTheKernelSays() throws Exception {
        try (TestBus bus = bus("")) {
            bus.letOthersIn();
            AtomicReference<TestClient> connected = new AtomicReference<>();
            AsUser.of(61_234, () -> connected.set(bus.silent()));
            TestClient other = connected.get();
            assertThat(answer(other, "\0AUTH EXTERNAL 30")).as("root").startsWith("REJECTED");
            assertThat(answer(other, "AUTH EXTERNAL 3631323334")).startsWith("OK ");
            other.sendBytes("BEGIN\r\n".getBytes(US_ASCII));
            var _ = other.hello();
            TestClient root = bus.connect();
            assertThat(root.query("GetConnectionUnixUser", other.name())).isEqualTo(61_234L);
            assertThat(other.query("GetConnectionUnixUser", root.name())).isEqualTo(0L);
            assertThat(
                            other.tryBus(
                                    "org.freedesktop.DBus.Monitoring",
                                    "BecomeMonitor",
                                    java.util.List.of(),
                                    0))
                    .isEqualTo("AccessDenied");
        }
    }
}
