package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.wire.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Services that are units: the bus requests them from the owner of org.freedesktop.systemd1, with
 * the same messages as dbus-daemon.
 */
@Timeout(60)
class SystemdActivationTest {
    private static final String MANAGER = "org.freedesktop.systemd1";
    private static final String ACTIVATOR = "org.freedesktop.systemd1.Activator";

    @TempDir private Path folder;

    @BeforeEach
    void offerTwoNamesOfOneUnit() throws IOException {
        offer("s.one", "SystemdService=one.service");
        offer("s.two", "SystemdService=one.service");
        offer("s.other", "SystemdService=other.service");
    }

    private void offer(String name, String more) throws IOException {
        Files.writeString(
                folder.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=/bin/false\n%s\n".formatted(name, more));
    }

    private static TestClient manager(TestBus bus) throws InterruptedException {
        TestClient manager = bus.connect();
        assertThat(manager.query("RequestName", MANAGER, 0)).isEqualTo(1L);
        return manager;
    }

    private static int setColour(TestClient client, String value) throws InterruptedException {
        var body = client.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
        body.beginDictEntry().putString("COLOUR").putString(value).endDictEntry();
        return client.send(body.endArray().end());
    }

    private static void fail(TestClient manager, String unit) throws InterruptedException {
        var signal =
                manager.writer()
                        .signal("/org/freedesktop/systemd1", ACTIVATOR, "ActivationFailure")
                        .destination(BUS);
        int ignored = manager.send(TestClient.body(signal, unit, "my.Error", "it is broken"));
    }

    /** Returns a message as text, without its serial and the names that differ from run to run. */
    private static String whole(Message message) {
        return "%d %d %s %s.%s for %s from %s: %s%s"
                .formatted(
                        message.type(),
                        message.flags(),
                        message.path(),
                        message.interfaceName(),
                        message.member(),
                        message.destination(),
                        message.sender(),
                        message.signature(),
                        message.values());
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    @Needs(programs = "dbus-daemon")
    void aManagerThatComesLaterIsAskedForAllThatWaits(Kind kind) throws Exception {
        try (TestBus bus = TestBus.withSystemdActivation(kind, folder)) {
            TestClient a = bus.connect();
            assertThat(a.describe(a.answer(setColour(a, "blue")))).isEqualTo("return");
            int call = a.send(a.call("s.one", "M"));
            int start = a.send(a.toBus(BUS, "StartServiceByName", "s.one", 0));
            int signal = a.send(a.signal("S").destination("s.two"));
            int own = a.send(a.call(MANAGER, "Hey"));
            assertThat(a.heard()).isEmpty();

            TestClient manager = manager(bus);
            assertThat(manager.messages().stream().skip(1).map(SystemdActivationTest::whole))
                    .containsExactly(
                            "1 1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.SetEnvironment"
                                    + " for org.freedesktop.systemd1 from org.freedesktop.DBus: as[[COLOUR=blue]]",
                            "4 1 /org/freedesktop/DBus org.freedesktop.systemd1.Activator.ActivationRequest"
                                    + " for org.freedesktop.systemd1 from org.freedesktop.DBus: s[one.service]",
                            "4 1 /org/freedesktop/DBus org.freedesktop.systemd1.Activator.ActivationRequest"
                                    + " for org.freedesktop.systemd1 from org.freedesktop.DBus: s[one.service]",
                            "1 0 /p i.f.Hey for org.freedesktop.systemd1 from %s: []"
                                    .formatted(a.name()));

            TestClient service = bus.connect();
            assertThat(service.query("RequestName", "s.one", 0)).isEqualTo(1L);
            assertThat(service.heard()).containsExactly("NameAcquired(s.one)", "M");
            assertThat(a.describe(a.answer(start))).isEqualTo("return(1)");
            assertThat(List.of(call, signal, own)).doesNotHaveDuplicates();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    @Needs(programs = "dbus-daemon")
    void aManagerThatIsThereIsAskedAtOnceAndOncePerName(Kind kind) throws Exception {
        try (TestBus bus = TestBus.withSystemdActivation(kind, folder)) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int ignored = a.send(a.call("s.one", "M"));
            ignored = a.send(a.call("s.one", "M"));
            ignored = a.send(a.call("s.other", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard())
                    .containsExactly(
                            "NameAcquired(org.freedesktop.systemd1)",
                            "ActivationRequest(one.service)",
                            "ActivationRequest(other.service)");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    @Needs(programs = "dbus-daemon")
    void whoWaitsForAUnitIsToldWhyItDidNotStart(Kind kind) throws Exception {
        try (TestBus bus = TestBus.withSystemdActivation(kind, folder)) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int call = a.send(a.call("s.one", "M"));
            int start = a.send(a.toBus(BUS, "StartServiceByName", "s.one", 0));
            int other = a.send(a.call("s.other", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard()).hasSize(3);

            fail(manager, "one.service");
            for (int waiting : List.of(call, start)) {
                Message error = a.answer(waiting);
                assertThat(error.errorName()).isEqualTo("my.Error");
                assertThat(error.values()).containsExactly("it is broken");
            }
            assertThat(a.heard()).isEmpty();
            fail(manager, "other.service");
            assertThat(a.answer(other).errorName()).isEqualTo("my.Error");
        }
    }

    /** dbus-daemon fails the callers of one name, and lets those of the others wait. */
    @Test
    void aUnitFailsForAllItsNames() throws Exception {
        try (TestBus bus = TestBus.withSystemdActivation(Kind.HOLDFAST, folder)) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int one = a.send(a.call("s.one", "M"));
            int two = a.send(a.call("s.two", "M"));
            assertThat(a.heard()).isEmpty();
            fail(manager, "one.service");
            assertThat(a.answer(one).errorName()).isEqualTo("my.Error");
            assertThat(a.answer(two).errorName()).isEqualTo("my.Error");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    @Needs(programs = "dbus-daemon")
    void onlyTheManagerIsBelieved(Kind kind) throws Exception {
        try (TestBus bus = TestBus.withSystemdActivation(kind, folder)) {
            TestClient a = bus.connect();
            int ignored = a.send(a.call("s.one", "M"));
            fail(a, "one.service");
            assertThat(a.heard()).isEmpty();
            TestClient manager = manager(bus);
            fail(a, "one.service");
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard())
                    .containsExactly(
                            "NameAcquired(org.freedesktop.systemd1)",
                            "ActivationRequest(one.service)");
        }
    }

    private TestBus withoutTheOption(long millis) {
        return TestBus.ours(
                BusConfig.permissive()
                        .withLimits(Limits.BUILT_IN.with(BusLimit.SERVICE_START_TIMEOUT, millis))
                        .withServiceFolders(List.of(new ServiceFolder(folder, false))));
    }

    @Test
    void aManagerThatIsThereIsAskedWithoutTheOptionToo() throws Exception {
        try (TestBus bus = withoutTheOption(30_000)) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int call = a.send(a.call("s.one", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard())
                    .containsExactly(
                            "NameAcquired(org.freedesktop.systemd1)",
                            "ActivationRequest(one.service)");
            fail(manager, "one.service");
            assertThat(a.answer(call).errorName()).isEqualTo("my.Error");
        }
    }

    @Test
    void withoutAManagerTheProgramIsSpawnedUnlessThereIsNone() throws Exception {
        Files.writeString(
                folder.resolve("s.program.service"),
                "[D-BUS Service]\nName=s.program\nExec=/bin/sh -c 'exit 7'\nSystemdService=p.service\n");
        Files.writeString(
                folder.resolve("s.unit.service"),
                "[D-BUS Service]\nName=s.unit\nSystemdService=p.service\n");
        try (TestBus bus = withoutTheOption(30_000)) {
            TestClient a = bus.connect();
            assertThat(a.describe(a.answer(a.send(a.call("s.program", "M")))))
                    .isEqualTo("Spawn.ChildExited");
            for (String name : List.of("s.one", "s.unit")) {
                Message error = a.answer(a.send(a.call(name, "M")));
                assertThat(a.describe(error)).isEqualTo("Spawn.ServiceNotValid");
                assertThat(error.values().getFirst().toString())
                        .contains("only a service manager can start " + name, MANAGER);
            }
            assertThat(a.describe(a.answer(a.send(a.call(MANAGER, "M")))))
                    .isEqualTo("ServiceUnknown");
        }
    }

    @Test
    void aManagerThatNeverAnswersTimesOutAndItsSuccessorIsAskedAgain() throws Exception {
        try (TestBus bus = withoutTheOption(3_000)) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int call = a.send(a.call("s.one", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard()).hasSize(2);
            manager.close();

            TestClient next = bus.connect();
            assertThat(next.query("RequestName", MANAGER, 0)).isIn(1L, 2L); // as the first one goes
            assertThat(next.describe(next.read()))
                    .isEqualTo("NameAcquired(org.freedesktop.systemd1)");
            assertThat(next.describe(next.read())).isEqualTo("ActivationRequest(one.service)");
            assertThat(a.describe(a.answer(call))).isEqualTo("TimedOut");
        }
    }

    private BusConfig withReturnTimeout(long millis) {
        return BusConfig.permissive()
                .withLimits(Limits.BUILT_IN.with(BusLimit.SERVICE_MANAGER_RETURN_TIMEOUT, millis))
                .withServiceFolders(List.of(new ServiceFolder(folder, false)));
    }

    private static void awaitNoManager(TestClient client) throws InterruptedException {
        while (client.query("NameHasOwner", MANAGER).equals(true)) {
            Await.pause();
        }
    }

    @Test
    void aManagerThatWasKilledIsAskedAgainWhenItIsBack() throws Exception {
        try (TestBus bus = TestBus.ours(withReturnTimeout(60_000))) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int call = a.send(a.call("s.one", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(manager.heard()).hasSize(2);
            manager.close();
            awaitNoManager(a);

            TestClient next = manager(bus);
            assertThat(next.heard())
                    .containsExactly(
                            "NameAcquired(org.freedesktop.systemd1)",
                            "ActivationRequest(one.service)");
            TestClient service = bus.connect();
            assertThat(service.query("RequestName", "s.one", 0)).isEqualTo(1L);
            assertThat(service.heard()).containsExactly("NameAcquired(s.one)", "M");
            assertThat(call).isPositive();
        }
    }

    @Test
    void aManagerThatDoesNotComeBackKeepsNobodyWaiting() throws Exception {
        try (TestBus bus = TestBus.ours(withReturnTimeout(50))) {
            TestClient a = bus.connect();
            TestClient manager = manager(bus);
            int call = a.send(a.call("s.one", "M"));
            int start = a.send(a.toBus(BUS, "StartServiceByName", "s.other", 0));
            assertThat(a.heard()).isEmpty();
            manager.close();
            for (int waiting : List.of(call, start)) {
                Message error = a.answer(waiting);
                assertThat(a.describe(error)).isEqualTo("TimedOut");
                assertThat(error.values().getFirst().toString())
                        .contains("service manager has been off the bus", "50 ms");
            }

            TestClient next = manager(bus);
            int again = a.send(a.call("s.one", "M"));
            assertThat(a.heard()).isEmpty();
            assertThat(next.heard()).hasSize(2);
            fail(next, "one.service");
            assertThat(a.answer(again).errorName()).isEqualTo("my.Error");
        }
    }

    @Test
    void withSystemdActivationNobodyWaitsForAManagerThatIsLost() throws Exception {
        try (TestBus bus = TestBus.oursWithSystemdActivation(withReturnTimeout(50))) {
            TestClient a = bus.connect();
            manager(bus).close();
            awaitNoManager(a);
            int call = a.send(a.call("s.one", "M"));
            int own = a.send(a.call(MANAGER, "M"));
            assertThat(a.describe(a.answer(call))).isEqualTo("TimedOut");
            assertThat(a.describe(a.answer(own))).isEqualTo("TimedOut");
            assertThat(a.describe(a.answer(a.send(a.call("s.two", "M"))))).isEqualTo("TimedOut");
            assertThat(a.heard()).isEmpty();
        }
    }
}
