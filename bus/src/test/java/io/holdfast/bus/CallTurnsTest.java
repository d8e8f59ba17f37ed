package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.AsyncMethodHandler;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The order in which a service handles the calls of several users that have arrived. */
@Timeout(60)
@Needs(root = true)
class CallTurnsTest {
    private static final int ATTACKER = 61_001;
    private static final int INNOCENT = 61_002;
    private static final int CONNECTIONS = 5;
    private static final int CALLS = 100; // of each of them

    private final List<String> handled = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> go = new CompletableFuture<>();

    private BusInterface described() {
        AsyncMethodHandler take =
                (call, reply) -> {
                    String name = call.argument(0, String.class);
                    if (name.equals("first")) {
                        Void _ = go.join(); // holds the thread that reads
                    }
                    handled.add(name);
                    reply.complete(List.of());
                };
        return BusInterface.named("org.example.Turns").asyncMethod("Take", "s", "", take).build();
    }

    /** Connects as a user whom the service knows afterwards. */
    private static BusConnection connect(TestBus bus, int uid, String service) throws Exception {
        AtomicReference<BusConnection> connected = new AtomicReference<>();
        AsUser.of(uid, () -> connected.set(BusConnection.connect(bus.address())));
        BusConnection client = Objects.requireNonNull(connected.get());
        begin(client, service, "known").join().close();
        return client;
    }

    private static CompletableFuture<Message> begin(
            BusConnection client, String service, String name) throws InterruptedException {
        return client.object(service, "/turns").begin("org.example.Turns", "Take", "s", name);
    }

    private static void flush(BusConnection client) throws InterruptedException {
        List<Object> _ = client.bus().call("org.freedesktop.DBus", "GetId");
    }

    @Test
    void theCallOfAUserDoesNotWaitForAllThatAnotherUserSentBefore() throws Exception {
        try (TestBus bus = TestBus.ours();
                BusConnection service = BusConnection.connect(bus.address());
                ExportedObject _ = service.export("/turns", described())) {
            bus.letOthersIn();
            List<BusConnection> attackers = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                attackers.add(connect(bus, ATTACKER, service.uniqueName()));
            }
            BusConnection innocent = connect(bus, INNOCENT, service.uniqueName());
            List<CompletableFuture<Message>> calls = new ArrayList<>();
            calls.add(begin(attackers.getFirst(), service.uniqueName(), "first"));
            for (BusConnection attacker : attackers) {
                for (int i = 0; i < CALLS; i++) {
                    calls.add(begin(attacker, service.uniqueName(), "attacker"));
                }
                flush(attacker);
            }
            calls.add(begin(innocent, service.uniqueName(), "innocent"));
            flush(innocent); // so the bus has routed all of them
            go.complete(null);
            for (CompletableFuture<Message> call : calls) {
                call.join().close();
            }
            attackers.forEach(BusConnection::close);
            innocent.close();
            assertThat(handled.indexOf("innocent")).isLessThan(CONNECTIONS * CALLS / 4);
        }
    }
}
