package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface.Change;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.typed.DBusName;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.typed.ObjectCache;
import io.holdfast.dbus.typed.Property;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The cached objects and properties of a service on a bus. */
@SuppressWarnings("try") // exported objects are only kept open
@Timeout(60)
class ObjectCacheTest {
    private static final String NAME = "org.example.Cached";

    /** An interface with properties. */
    @DBusName("org.example.Device")
    public interface Device {
        @Property
        String name();

        @Property(Change.INVALIDATED)
        int load();

        int twice(int number);
    }

    private static final class Lamp implements Device {
        final AtomicInteger reads = new AtomicInteger();
        volatile String name;

        Lamp(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            int _ = reads.incrementAndGet();
            return name;
        }

        @Override
        public int load() {
            return reads.get();
        }

        @Override
        public int twice(int number) {
            return 2 * number;
        }
    }

    /** An interface of the manager itself. */
    @DBusName("org.example.Root")
    public interface Root {}

    @TempDir Path folder;

    private final LinkedBlockingQueue<String> changes = new LinkedBlockingQueue<>();
    private Bus bus;
    private BusConnection service;
    private BusConnection client;

    @BeforeEach
    void open() throws InterruptedException {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        bus = Bus.open(address, BusConfig.permissive());
        service = connect();
        client = connect();
        var _ = service.requestName(NAME);
    }

    private BusConnection connect() throws InterruptedException {
        return BusConnection.connect(bus.addresses(), ConnectionOptions.standard());
    }

    @AfterEach
    void close() {
        client.close();
        service.close();
        bus.close();
    }

    @SuppressWarnings("MustBeClosed")
    private ObjectCache cacheOfManager() throws InterruptedException {
        return ObjectCache.ofManager(client.object(NAME, "/"), this::changed);
    }

    private void changed(String path, String type, Set<String> properties) {
        changes.add(path + " " + type + " " + properties.stream().sorted().toList());
    }

    private static Export export(BusConnection service, String path, Device device) {
        return Export.of(service, path, Device.class, device);
    }

    @Test
    void objectsThatComeAndGoAreFollowed() throws Exception {
        try (Export _ = Export.of(service, "/", Root.class, new Root() {});
                Export _ = export(service, "/a", new Lamp("first"));
                ObjectCache cache = cacheOfManager()) {
            assertThat(cache.paths(Device.class)).containsExactly("/a");
            assertThat(cache.find("/b", Device.class)).isEmpty();
            try (Export _ = export(service, "/b", new Lamp("second"))) {
                assertThat(changes.take()).isEqualTo("/b org.example.Device [Load, Name]");
                assertThat(cache.find("/b", Device.class).orElseThrow().name()).isEqualTo("second");
            }
            assertThat(changes.take()).startsWith("/b org.example.Device");
            assertThat(cache.paths(Device.class)).containsExactly("/a");
        }
    }

    @Test
    void aPropertyIsReadFromTheCacheAndFollowed() throws Exception {
        Lamp lamp = new Lamp("old");
        try (Export exported = export(service, "/a", lamp);
                ObjectCache cache =
                        ObjectCache.of(client.object(NAME, "/a"), this::changed, Device.class)) {
            Device device = cache.find("/a", Device.class).orElseThrow();
            int before = lamp.reads.get();
            assertThat(device.name()).isEqualTo("old");
            assertThat(lamp.reads).as("reads by a call").hasValue(before);
            lamp.name = "new";
            exported.changed(Device.class, "Name", "Load");
            assertThat(changes.take()).isEqualTo("/a org.example.Device [Load, Name]");
            assertThat(device.name()).isEqualTo("new");
            assertThat(device.load()).as("by a call").isEqualTo(lamp.reads.get());
            assertThat(device.twice(4)).isEqualTo(8);
        }
    }

    @Test
    void aServiceThatIsStartedAgainIsReadAgain() throws Exception {
        try (Export _ = export(service, "/a", new Lamp("old"));
                ObjectCache cache =
                        ObjectCache.of(client.object(NAME, "/a"), this::changed, Device.class)) {
            Device device = cache.find("/a", Device.class).orElseThrow();
            service.close();
            assertThat(changes.take()).startsWith("/a org.example.Device");
            assertThat(cache.find("/a", Device.class)).isEmpty();
            try (BusConnection next = connect();
                    Export exported = export(next, "/a", new Lamp("next"))) {
                var _ = next.requestName(NAME);
                assertThat(changes.take()).startsWith("/a org.example.Device");
                assertThat(device.name()).isEqualTo("next");
                exported.changed(Device.class, "Name");
                assertThat(changes.take()).isEqualTo("/a org.example.Device [Name]");
            }
        }
    }

    @Test
    void signalsOfAnotherSenderAreIgnored() throws Exception {
        Lamp lamp = new Lamp("true");
        try (Export exported = export(service, "/a", lamp);
                BusConnection stranger = connect();
                Export false_ = export(stranger, "/a", new Lamp("false"));
                ObjectCache cache =
                        ObjectCache.of(client.object(NAME, "/a"), this::changed, Device.class)) {
            false_.changed(Device.class, "Name");
            exported.changed(Device.class, "Name");
            assertThat(changes.take()).isNotEmpty();
            assertThat(cache.find("/a", Device.class).orElseThrow().name()).isEqualTo("true");
            assertThat(changes).isEmpty();
        }
    }

    @Test
    void everythingIsReadAgainAfterSignalsWereLost() throws Exception {
        Lamp lamp = new Lamp("0");
        CountDownLatch slow = new CountDownLatch(1);
        try (Export exported = export(service, "/a", lamp);
                BusConnection small =
                        BusConnection.connect(
                                bus.addresses(),
                                ConnectionOptions.standard().withQueuedSignals(2));
                ObjectCache cache =
                        ObjectCache.of(
                                small.object(NAME, "/a"),
                                (_, _, _) -> awaitUninterruptibly(slow),
                                Device.class)) {
            for (int i = 1; i <= 20; i++) {
                lamp.name = Integer.toString(i);
                exported.changed(Device.class, "Name");
            }
            assertThat(small.object(NAME, "/a").get("org.example.Device", "Name"))
                    .isEqualTo("20"); // all signals have arrived before this reply
            slow.countDown();
            Device device = cache.find("/a", Device.class).orElseThrow();
            Await.until(() -> device.name().equals("20"));
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatCannotBeReadIsRefusedAtOnce() {
        RemoteObject missing = client.object(NAME, "/missing");
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> ObjectCache.ofManager(missing, this::changed));
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> ObjectCache.of(missing, this::changed, Device.class));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ObjectCache.of(missing, this::changed));
        assertThat(List.copyOf(changes)).isEmpty();
    }
}
