package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sockets of apps in containers: org.freedesktop.DBus.Containers1. */
@Timeout(60)
class ContainersTest {
    private static final String CONTAINERS = "org.freedesktop.DBus.Containers1";
    private static final String ADD = "ssa{sv}a{sv}";
    private static final Map<String, Variant> METADATA = Map.of("instance-id", Variant.of("77"));

    @TempDir private Path folder;
    private Path sockets;
    private Bus bus;
    private BusConnection engine;
    private RemoteObject asEngine;

    @BeforeEach
    void open() throws Exception {
        sockets = folder.resolve("containers");
        Path limits = folder.resolve("limits.conf");
        Files.writeString(
                limits,
                """
                <busconfig><limit name='max_containers_per_user'>3</limit>
                <limit name='max_connections_per_container'>2</limit>
                <limit name='max_container_metadata_bytes'>500</limit></busconfig>
                """);
        BusConfig config = BusConfig.permissive().including(limits);
        bus =
                Bus.open(
                        BusOptions.of(() -> config, BusAddress.ofPath(folder + "/bus"))
                                .withContainers(sockets));
        engine = connect(bus.addresses().getFirst().toString());
        asEngine = bus(engine);
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
        bus.close();
        try (Stream<Path> left = Files.list(sockets)) {
            assertThat(left).isEmpty();
        } catch (NoSuchFileException e) {
            // no socket was made
        }
    }

    private static BusConnection connect(String address) throws InterruptedException {
        return BusConnection.connect(address);
    }

    private static RemoteObject bus(BusConnection connection) {
        return connection.object(BUS, BUS_PATH);
    }

    private List<Object> add(String name) throws Exception {
        return asEngine.call(
                CONTAINERS, "AddServer", ADD, "org.example.Engine", name, METADATA, Map.of());
    }

    private static Map<?, ?> credentials(RemoteObject asker, BusConnection of) throws Exception {
        return (Map<?, ?>)
                asker.call(BUS, "GetConnectionCredentials", "s", of.uniqueName()).getFirst();
    }

    private static @Nullable Object value(Map<?, ?> credentials, String key) {
        return credentials.get(key) instanceof Variant variant ? variant.value() : null;
    }

    private static void assertRefused(String error, ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.name()).endsWith(".Error." + error));
    }

    @Test
    void whoeverComesByTheSocketOfAnAppIsKnownToBeThatApp() throws Exception {
        List<Object> server = add("org.example.App");
        ObjectPath path = (ObjectPath) server.get(0);
        String socket = new String((byte[]) server.get(1), UTF_8);
        assertThat(socket).startsWith(sockets + "/dbus-").endsWith("\0");
        try (BusConnection app = connect((String) server.get(2))) {
            Map<?, ?> credentials = credentials(asEngine, app);
            assertThat(value(credentials, CONTAINERS + ".Instance")).isEqualTo(path);
            assertThat(value(credentials, CONTAINERS + ".Type")).isEqualTo("org.example.Engine");
            assertThat(value(credentials, CONTAINERS + ".Name")).isEqualTo("org.example.App");
            assertThat(value(credentials, "UnixUserID")).isNotNull();
            assertThat(value(credentials(asEngine, engine), CONTAINERS + ".Instance")).isNull();

            List<Object> instance =
                    asEngine.call(CONTAINERS, "GetConnectionInstance", "s", app.uniqueName());
            assertThat(instance.getFirst()).isEqualTo(path);
            assertThat(instance.subList(2, 5))
                    .isEqualTo(List.of("org.example.Engine", "org.example.App", METADATA));
            assertThat(asEngine.call(CONTAINERS, "GetInstanceInfo", "o", path))
                    .isEqualTo(instance.subList(1, 5));
            assertRefused(
                    "NotContainer",
                    () ->
                            asEngine.call(
                                    CONTAINERS, "GetConnectionInstance", "s", engine.uniqueName()));
        }
    }

    @Test
    void anAppCanNeitherMakeSocketsNorStopThemNorListen() throws Exception {
        List<Object> server = add("a");
        try (BusConnection app = connect((String) server.get(2))) {
            RemoteObject asApp = bus(app);
            assertRefused(
                    "AccessDenied",
                    () -> asApp.call(CONTAINERS, "AddServer", ADD, "a.b", "", Map.of(), Map.of()));
            for (String method : List.of("StopInstance", "StopListening")) {
                assertRefused(
                        "AccessDenied", () -> asApp.call(CONTAINERS, method, "o", server.get(0)));
            }
            assertRefused(
                    "AccessDenied",
                    () ->
                            asApp.call(
                                    "org.freedesktop.DBus.Monitoring",
                                    "BecomeMonitor",
                                    "asu",
                                    List.of(),
                                    0));
            assertThat(asApp.call(BUS, "GetId", "")).hasSize(1);
        }
    }

    @Test
    void aSocketThatIsStoppedLetsNobodyInAndAnInstanceThatIsStoppedNobodyStay() throws Exception {
        List<Object> server = add("a");
        String address = (String) server.get(2);
        Object path = server.get(0);
        try (BusConnection app = connect(address);
                Subscription removed =
                        engine.subscribe(
                                "type='signal',interface='"
                                        + CONTAINERS
                                        + "',member='InstanceRemoved'")) {
            asEngine.call(CONTAINERS, "StopListening", "o", path);
            assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> connect(address));
            assertThat(bus(app).call(BUS, "GetId", "")).hasSize(1);
            asEngine.call(CONTAINERS, "StopInstance", "o", path);
            try (var signal = removed.take()) {
                assertThat(signal.values()).containsExactly(path);
            }
            Await.until(() -> !app.isOpen());
            assertRefused(
                    "NotContainer", () -> asEngine.call(CONTAINERS, "StopInstance", "o", path));
        }
    }

    @Test
    void theSocketsOfAnEngineThatLeavesAreStoppedAndTheirAppsStay() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        List<Object> server;
        BusConnection app;
        try (BusConnection other = connect(bus.addresses().getFirst().toString())) {
            server = bus(other).call(CONTAINERS, "AddServer", ADD, "a.b", "x", Map.of(), Map.of());
            app = connect((String) server.get(2));
        }
        try (app) {
            Await.until(this::isWithoutSockets);
            List<Object> info = asEngine.call(CONTAINERS, "GetInstanceInfo", "o", server.get(0));
            assertThat(info.get(2)).isEqualTo("x");
            assertThat(bus(app).call(BUS, "GetId", "")).hasSize(1);
        }
        Await.until(() -> isGone(server.get(0)));
        before.awaitSameNumber();
    }

    private boolean isWithoutSockets() {
        try (Stream<Path> left = Files.list(sockets)) {
            return left.findAny().isEmpty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isGone(Object path) {
        try {
            return asEngine.call(CONTAINERS, "GetInstanceInfo", "o", path).isEmpty();
        } catch (DBusException e) {
            return e.name().endsWith(".NotContainer");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatIsWrongOrTooMuchIsRefused() throws Exception {
        assertRefused(
                "InvalidArgs",
                () ->
                        asEngine.call(
                                CONTAINERS, "AddServer", ADD, "no type", "", Map.of(), Map.of()));
        assertRefused(
                "InvalidArgs",
                () -> asEngine.call(CONTAINERS, "AddServer", ADD, "a.b", "", Map.of(), METADATA));
        assertRefused(
                "LimitsExceeded",
                () ->
                        asEngine.call(
                                CONTAINERS,
                                "AddServer",
                                ADD,
                                "a.b",
                                "x".repeat(500),
                                Map.of(),
                                Map.of()));
        List<Object> server = add("1");
        add("2");
        add("3");
        assertRefused("LimitsExceeded", () -> add("4"));
        String address = (String) server.get(2);
        try (BusConnection _ = connect(address);
                BusConnection _ = connect(address)) {
            assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> connect(address));
        }
        asEngine.call(CONTAINERS, "StopInstance", "o", server.get(0));
        add("4");
    }

    @Test
    @Needs(root = true)
    void anotherUserCannotComeByTheSocketOfAnApp() throws Exception {
        List<Object> server = add("a");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        String address = (String) server.get(2);
        AsUser.of(
                1,
                () ->
                        assertThatExceptionOfType(RuntimeException.class)
                                .isThrownBy(() -> connect(address)));
        try (BusConnection own = connect(address)) {
            assertThat(own.uniqueName()).startsWith(":");
        }
    }

    @Test
    void theInterfaceIsTold() throws Exception {
        assertThat(
                        (String)
                                asEngine.call(
                                                "org.freedesktop.DBus.Introspectable",
                                                "Introspect",
                                                "")
                                        .getFirst())
                .contains(CONTAINERS, "\"AddServer\"", "\"InstanceRemoved\"", "SupportedArguments");
        assertThat(asEngine.get(CONTAINERS, "SupportedArguments")).isEqualTo(List.of());
        assertThat(asEngine.get(BUS, "Interfaces"))
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .contains(CONTAINERS);
    }

    @Test
    void aBusThatWasNotToldToHasNoSuchInterface() throws Exception {
        try (Bus plain = Bus.open(BusAddress.ofPath(folder + "/plain"), BusConfig.permissive());
                BusConnection client = connect(plain.addresses().getFirst().toString())) {
            assertRefused(
                    "UnknownInterface",
                    () ->
                            bus(client)
                                    .call(
                                            CONTAINERS,
                                            "AddServer",
                                            ADD,
                                            "a.b",
                                            "",
                                            Map.of(),
                                            Map.of()));
            assertRefused("UnknownInterface", () -> bus(client).getAll(CONTAINERS));
        }
    }
}
