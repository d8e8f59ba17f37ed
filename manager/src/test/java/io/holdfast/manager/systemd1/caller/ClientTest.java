package io.holdfast.manager.systemd1.caller;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ClientTest {
    @TempDir private Path folder;

    /** systemctl start --wait calls Ref, and reads the state of the unit without waiting. */
    @Test
    void signalsAreSentWhileTheCallerOfARequestForAReferenceIsIdentified() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        try (Bus _ = Bus.open(address, BusConfig.permissive());
                BusConnection connection = BusConnection.connect(address.toString())) {
            Client client = new Client(connection, true, (_, _) -> {});
            assertThat(client.listens()).isFalse();
            CompletableFuture<List<?>> answered = new CompletableFuture<>();
            CompletableFuture<List<?>> refused = new CompletableFuture<>();
            client.listenUntil(answered);
            client.listenUntil(refused);
            answered.complete(List.of());
            assertThat(client.listens()).isTrue();
            refused.completeExceptionally(new IllegalStateException());
            assertThat(client.listens()).isFalse();
        }
    }
}
