package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Buses in one JVM: they share nothing, leave nothing behind, and take a new configuration or keep
 * the old one.
 */
@Timeout(60)
class BusLifeTest {
    private static final String CONFIG =
            """
            <busconfig>
              <listen>unix:path=%s</listen>
              <policy context="default">
                <allow user="*"/>
                <allow own="n.allowed"/>
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
                %s
              </policy>
            </busconfig>
            """;

    @TempDir private Path folder;

    private static List<String> busThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("holdfast-bus"))
                .sorted()
                .toList();
    }

    @Test
    void closingLeavesNeitherDescriptorsNorThreadsNorFiles() throws Exception {
        List<String> threads = busThreads();
        OpenDescriptors before = OpenDescriptors.now();
        Path socket = folder.resolve("bus");
        for (int i = 0; i < 3; i++) {
            List<TestClient> clients = new ArrayList<>();
            try (Bus bus =
                    Bus.open(BusAddress.parse("unix:path=" + socket), BusConfig.permissive())) {
                String address = bus.addresses().getFirst().toString();
                clients.add(TestClient.silent(address));
                clients.add(TestClient.silent(address).authenticate(true).hello());
                int ignored =
                        clients.getLast()
                                .send(
                                        clients.getLast()
                                                .call(clients.getLast().name(), "WaitsForEver"));
            }
            for (TestClient client : clients) {
                var _ = client.untilClosed();
                client.close();
            }
            assertThat(Files.exists(socket)).isFalse();
        }
        before.awaitSameNumber();
        Await.until(() -> threads.containsAll(busThreads())); // others may end meanwhile
    }

    @Test
    void busesOfOneProcessAreStrangers() throws Exception {
        try (TestBus two = TestBus.ours()) {
            TestClient b = two.connect();
            try (TestBus one = TestBus.ours()) {
                TestClient a = one.connect();
                assertThat(a.name()).as("the first client of its bus").isEqualTo(b.name());
                assertThat(a.query("GetId")).isNotEqualTo(b.query("GetId"));
                assertThat(a.query("RequestName", "n.n", 0)).isEqualTo(1L);
                assertThat(b.query("RequestName", "n.n", 0)).isEqualTo(1L);
            }
            assertThat(b.query("NameHasOwner", "n.n")).isEqualTo(true);
        }
    }

    /** A message to a client of a bus that has died must reach nobody. */
    @Test
    void theNextBusAtAnAddressGivesNoNameOfTheLastOne() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        long last = -1;
        for (int i = 0; i < 3; i++) {
            try (Bus bus = Bus.open(address, BusConfig.permissive())) {
                for (int k = 0; k < 3; k++) {
                    try (TestClient client = connect(bus)) {
                        assertThat(client.name()).matches(":1\\.[0-9]+");
                        long number = UniqueName.number(client.name());
                        assertThat(number).isGreaterThan(last);
                        last = number;
                    }
                }
            }
        }
    }

    @Test
    void theFileDecidesAndAReloadHoldsForThoseWhoAreThere() throws Exception {
        Path file = folder.resolve("bus.conf");
        Path socket = folder.resolve("bus");
        Files.writeString(file, CONFIG.formatted(socket, ""));
        try (Bus bus = Bus.open(BusOptions.of(() -> BusConfig.load(file)));
                TestClient a = connect(bus);
                TestClient b = connect(bus)) {
            assertThat(a.query("RequestName", "n.allowed", 0)).isEqualTo(1L);
            assertThat(a.tryBus(BUS, "RequestName", "n.other", 0)).isEqualTo("AccessDenied");
            var _ = a.heard();
            int ignored = b.send(b.call(a.name(), "Before"));
            var _ = b.callBus("GetId");
            assertThat(a.heard()).containsExactly("Before");

            Files.writeString(
                    file,
                    CONFIG.formatted(
                            socket,
                            "<deny send_interface=\"i.f\" send_member=\"After\"/><allow own=\"*\"/>"));
            assertThat(a.tryBus(BUS, "ReloadConfig")).isEqualTo("return");
            assertThat(a.query("RequestName", "n.other", 0)).isEqualTo(1L);
            assertThat(b.describe(b.answer(b.send(b.call(a.name(), "After")))))
                    .isEqualTo("AccessDenied");
            assertThat(a.heard()).containsExactly("NameAcquired(n.other)");
        }
    }

    @Test
    void aBadFileLeavesTheOldConfigurationInForce() throws Exception {
        Path file = folder.resolve("bus.conf");
        Path socket = folder.resolve("bus");
        Files.writeString(file, CONFIG.formatted(socket, ""));
        try (Bus bus = Bus.open(BusOptions.of(() -> BusConfig.load(file)));
                TestClient a = connect(bus)) {
            Files.writeString(file, CONFIG.formatted(socket, "<allow own=\"*\"/><nonsense/>"));
            var error = a.callBus("ReloadConfig");
            assertThat(a.describe(error)).isEqualTo("Failed");
            assertThat((String) error.values().getFirst()).contains("bus.conf:", "nonsense");
            assertThat(a.tryBus(BUS, "RequestName", "n.other", 0)).isEqualTo("AccessDenied");
            assertThat(bus.reload().get())
                    .hasValueSatisfying(text -> assertThat(text).contains("nonsense"));
        }
    }

    private static TestClient connect(Bus bus) throws InterruptedException {
        return TestClient.silent(bus.addresses().getFirst().toString()).authenticate(true).hello();
    }
}
