package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Services start on demand for their name; if a start fails, every client that waits receives the
 * error.
 */
@Timeout(60)
class ActivationTest {
    private static final String NAME = "s.s";

    @TempDir private Path folder;

    private void offer(String name, String command) throws IOException {
        Files.writeString(
                folder.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=%s\n".formatted(name, command));
    }

    private TestBus bus(BusLimit limit, long value) {
        return TestBus.ours(
                BusConfig.permissive()
                        .withLimits(Limits.BUILT_IN.with(limit, value))
                        .withServiceFolders(List.of(new ServiceFolder(folder, false))));
    }

    private TestBus bus() {
        return bus(BusLimit.SERVICE_START_TIMEOUT, 30_000);
    }

    @Test
    void whatWaitsGoesToWhoeverTakesTheNameInOrder() throws Exception {
        offer(NAME, "/bin/true");
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            TestClient service = bus.connect();
            assertThat(a.query("ListActivatableNames")).isEqualTo(List.of(BUS, NAME));
            int started = a.send(a.toBus(BUS, "StartServiceByName", NAME, 0));
            for (int i = 0; i < 10; i++) {
                int ignored = a.send(TestClient.body(a.call(NAME, "M"), i));
            }
            int ignored = a.send(a.signal("S").destination(NAME));
            assertThat(a.heard()).isEmpty();

            assertThat(service.query("RequestName", NAME, 0)).isEqualTo(1L);
            List<Message> got = service.messages();
            assertThat(service.describe(got.getFirst())).isEqualTo("NameAcquired(s.s)");
            for (int i = 0; i < 10; i++) {
                assertThat(service.describe(got.get(i + 1))).isEqualTo("M(" + i + ")");
                assertThat(got.get(i + 1).sender()).isEqualTo(a.name());
            }
            assertThat(got.getLast().member()).isEqualTo("S");
            assertThat(a.describe(a.answer(started))).isEqualTo("return(1)");
            assertThat(a.query("StartServiceByName", NAME, 0)).isEqualTo(2L);

            ignored =
                    service.send(
                            service.writer()
                                    .methodReturn(got.get(1).serial())
                                    .destination(a.name()));
            assertThat(a.describe(a.answer(got.get(1).serial()))).isEqualTo("return");
        }
    }

    @Test
    void theCallerIsToldHowAServiceFailed() throws Exception {
        offer("s.exited", "/bin/false");
        offer("s.killed", "/bin/sh -c 'kill -9 $$'");
        offer("s.absent", "/no/such/program");
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            for (String[] pair :
                    new String[][] {
                        {"s.exited", "Spawn.ChildExited"},
                        {"s.killed", "Spawn.ChildSignaled"},
                        {"s.absent", "Spawn.ExecFailed"}
                    }) {
                assertThat(a.describe(a.answer(a.send(a.call(pair[0], "M"))))).isEqualTo(pair[1]);
                assertThat(a.tryBus(BUS, "StartServiceByName", pair[0], 0)).isEqualTo(pair[1]);
            }
        }
    }

    @Test
    void aServiceThatNeverComesTimesOut() throws Exception {
        offer(NAME, "/bin/true");
        try (TestBus bus = bus(BusLimit.SERVICE_START_TIMEOUT, 200)) {
            TestClient a = bus.connect();

            assertThat(a.describe(a.answer(a.send(a.call(NAME, "M"))))).isEqualTo("TimedOut");
            TestClient service = bus.connect();
            assertThat(service.query("RequestName", NAME, 0)).isEqualTo(1L);
            assertThat(service.heard()).containsExactly("NameAcquired(s.s)");
        }
    }

    @Test
    void aCallMayForbidToStart() throws Exception {
        offer(NAME, "/bin/true");
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            int serial = a.send(a.call(NAME, "M").flags(MessageFlags.NO_AUTO_START));

            assertThat(a.describe(a.answer(serial))).isEqualTo("NameHasNoOwner");
        }
    }

    @Test
    void oneThatGoesTakesWhatItSentAlong() throws Exception {
        offer(NAME, "/bin/true");
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            TestClient service = bus.connect();
            int ignored = a.send(a.call(NAME, "M"));
            var _ = a.callBus("GetId");
            a.close();
            Await.until(() -> {
                try {
                    return service.query("NameHasOwner", a.name()).equals(false);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(service.query("RequestName", NAME, 0)).isEqualTo(1L);

            assertThat(service.heard()).containsExactly("NameAcquired(s.s)");
        }
    }

    @Test
    void aServiceLearnsTheBusAndTheEnvironment() throws Exception {
        Path output = folder.resolve("output");
        Path script = folder.resolve("script");
        Files.writeString(
                script,
                "echo $DBUS_STARTER_ADDRESS $COLOUR > %s.new; mv %s.new %s\n"
                        .formatted(output, output, output));
        offer(NAME, "/bin/sh " + script);
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            var body = a.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
            body.beginDictEntry().putString("COLOUR").putString("blue").endDictEntry();
            assertThat(a.describe(a.answer(a.send(body.endArray().end())))).isEqualTo("return");
            int ignored = a.send(a.call(NAME, "M"));
            Await.until(() -> Files.exists(output));

            assertThat(Files.readString(output).strip()).isEqualTo(bus.address() + " blue");
        }
    }

    @Test
    void aNameThatIsNoVariableStopsNoService() throws Exception {
        offer(NAME, "/bin/false");
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            for (String bad : List.of("", "a=b")) {
                var body = a.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
                body.beginDictEntry().putString(bad).putString("x").endDictEntry();
                var _ = a.answer(a.send(body.endArray().end()));
            }
            assertThat(a.describe(a.answer(a.send(a.call(NAME, "M")))))
                    .isEqualTo("Spawn.ChildExited");
        }
    }

    @Test
    void servicesGetOnlySoManyVariables() throws Exception {
        try (TestBus bus = bus(BusLimit.MAX_ACTIVATION_VARIABLES, 10)) {
            TestClient a = bus.connect();
            assertThat(setVariables(a, "v", 10)).isEqualTo("return");
            assertThat(setVariables(a, "w", 1)).isEqualTo("LimitsExceeded");
            assertThat(setVariables(a, "v", 1)).isEqualTo("return");
        }
    }

    @Test
    void theirVariablesHaveOnlySoManyBytes() throws Exception {
        try (TestBus bus = bus(BusLimit.MAX_ACTIVATION_VARIABLE_BYTES, 100)) {
            TestClient a = bus.connect();
            assertThat(setVariable(a, "A", "x".repeat(50))).isEqualTo("return");
            assertThat(setVariable(a, "B", "x".repeat(49))).isEqualTo("LimitsExceeded");
            assertThat(setVariable(a, "B", "\u00e9".repeat(24))).isEqualTo("return");
            assertThat(setVariable(a, "A", "x".repeat(50))).isEqualTo("return");
            assertThat(setVariable(a, "A", "x".repeat(51))).isEqualTo("LimitsExceeded");
            assertThat(setVariable(a, "A", "")).isEqualTo("return");
            assertThat(setVariable(a, "B", "x".repeat(98))).isEqualTo("return");
        }
    }

    private static String setVariable(TestClient client, String name, String value)
            throws InterruptedException {
        var body = client.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
        body.beginDictEntry().putString(name).putString(value).endDictEntry();
        return client.describe(client.answer(client.send(body.endArray().end())));
    }

    private static String setVariables(TestClient client, String prefix, int count)
            throws InterruptedException {
        var body = client.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
        for (int i = 0; i < count; i++) {
            body.beginDictEntry().putString(prefix + i).putString("x").endDictEntry();
        }
        return client.describe(client.answer(client.send(body.endArray().end())));
    }

    @Test
    void onlySoManyStartAtOnce() throws Exception {
        offer("s.one", "/bin/true");
        offer("s.two", "/bin/true");
        try (TestBus bus = bus(BusLimit.MAX_PENDING_SERVICE_STARTS, 1)) {
            TestClient a = bus.connect();
            int ignored = a.send(a.call("s.one", "M"));
            ignored = a.send(a.call("s.one", "M"));

            assertThat(a.describe(a.answer(a.send(a.call("s.two", "M")))))
                    .isEqualTo("LimitsExceeded");
        }
    }
}
