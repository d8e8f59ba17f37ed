package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Registration;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A connection that is kept is opened and set up again when the bus comes back. */
@Timeout(60)
class KeptConnectionTest {
    private static final String NAME = "org.example.Kept";
    private static final BusInterface PING =
            BusInterface.named(NAME).method("Ping", "", "s", _ -> List.of("pong")).build();

    @TempDir Path folder;

    private BusAddress address;
    private final LinkedBlockingQueue<BusConnection> connections = new LinkedBlockingQueue<>();

    @BeforeEach
    void chooseAddress() {
        address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    private Registration keep() {
        return BusConnection.keep(
                List.of(address),
                ConnectionOptions.standard(),
                bus -> {
                    var _ = bus.export("/kept", PING);
                    var _ = bus.requestName(NAME);
                    connections.add(bus);
                });
    }

    private void assertServed() throws InterruptedException {
        try (BusConnection client = BusConnection.connect(address.toString())) {
            assertThat(client.object(NAME, "/kept").call(NAME, "Ping")).containsExactly("pong");
        }
    }

    @Test
    void itIsSetUpAgainOnTheNextBus() throws Exception {
        try (Registration _ = keep()) { // the bus is not there yet
            try (Bus _ = Bus.open(address, BusConfig.permissive())) {
                BusConnection first = connections.take();
                assertThat(first.isOpen()).isTrue();
                assertServed();
            }
            try (Bus _ = Bus.open(address, BusConfig.permissive())) {
                assertThat(connections.take().isOpen()).isTrue();
                assertServed();
            }
        }
    }

    @Test
    void cancellingClosesTheConnectionAndEndsIt() throws Exception {
        try (Bus _ = Bus.open(address, BusConfig.permissive())) {
            Registration kept = keep();
            BusConnection connection = connections.take();
            assertThat(kept.cancel()).isTrue();
            assertThat(kept.cancel()).isFalse();
            connection.awaitEnd();
            Await.until(() -> !connection.isOpen());
        }
    }

    @Test
    void aSetupThatFailsIsTriedAgainOverANewConnection() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        try (Bus _ = Bus.open(address, BusConfig.permissive());
                Registration _ =
                        BusConnection.keep(
                                List.of(address),
                                ConnectionOptions.standard(),
                                bus -> {
                                    if (attempts.incrementAndGet() < 3) {
                                        throw new IllegalStateException("not yet");
                                    }
                                    connections.add(bus);
                                })) {
            assertThat(connections.take().isOpen()).isTrue();
            assertThat(attempts).hasValue(3);
        }
    }
}
