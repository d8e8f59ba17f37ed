package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The rules of a configuration file act alike on our bus and on dbus-daemon. */
@Timeout(60)
@Needs(programs = "dbus-daemon")
class PolicyOnBusTest {
    private static final String ALL =
            """
            <allow user="*"/>
            <allow own="*"/>
            <allow send_destination="*" eavesdrop="true"/>
            <allow eavesdrop="true"/>
            """;

    private static final long OTHER_USER = 61_234;

    @TempDir private Path folder;

    private static String policy(String... rules) {
        return "<policy context=\"default\">" + ALL + String.join("\n", rules) + "</policy>";
    }

    /** Offers a service whose program creates a file. */
    private void offer(String name) throws IOException {
        Files.writeString(
                folder.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=/bin/touch %s\n".formatted(name, trace(name)));
    }

    private Path trace(String name) {
        return folder.resolve(name + ".started");
    }

    private String services() {
        return "<servicedir>" + folder + "</servicedir>";
    }

    private static String call(TestClient a, String to, String interfaceName)
            throws InterruptedException {
        int call = a.send(a.writer().methodCall("/p", interfaceName, "M").destination(to));
        return a.describe(a.answer(call));
    }

    /** Returns whether a signal to that name arrives. */
    private static boolean arrives(TestClient a, String name, TestClient at)
            throws InterruptedException {
        int ignored = a.send(a.signal("S").destination(name));
        var _ = a.messages(); // the bus has handled it
        return at.heard().contains("S");
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void whatMayNotBeSentStartsNothing(Kind kind) throws Exception {
        offer("s.denied");
        offer("s.allowed");
        String deny = "<deny send_destination=\"s.denied\"/>";
        try (TestBus bus = TestBus.configured(kind, services() + policy(deny))) {
            TestClient a = bus.connect();
            assertThat(call(a, "s.denied", "i.f")).isEqualTo("AccessDenied");
            int held = a.send(a.call("s.allowed", "M"));
            Await.until(() -> Files.exists(trace("s.allowed")));
            assertThat(trace("s.denied")).doesNotExist();
            assertThat(bus.connect().query("RequestName", "s.allowed", 0)).isEqualTo(1L);
            assertThat(held).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void whatMayNotBeReceivedIsRefusedAtDelivery(Kind kind) throws Exception {
        offer("s.s");
        String deny = "<deny receive_type=\"method_call\" receive_interface=\"f.Receive\"/>";
        try (TestBus bus = TestBus.configured(kind, services() + policy(deny))) {
            TestClient a = bus.connect();
            TestClient service = bus.connect();
            int refused = a.send(a.writer().methodCall("/p", "f.Receive", "M").destination("s.s"));
            int delivered = a.send(a.call("s.s", "N"));
            assertThat(a.heard()).as("both are held").isEmpty();
            Await.until(() -> Files.exists(trace("s.s")));
            assertThat(service.query("RequestName", "s.s", 0)).isEqualTo(1L);

            assertThat(a.describe(a.answer(refused))).isEqualTo("AccessDenied");
            List<Message> got = service.messages();
            assertThat(got.stream().map(Message::member)).containsExactly("NameAcquired", "N");
            assertThat(got.getLast().serial()).isEqualTo(delivered);
            int straight = a.send(a.call("s.s", "O"));
            assertThat(a.heard()).isEmpty();
            Message second = service.read();
            assertThat(second.member()).as("a second one goes straight").isEqualTo("O");
            assertThat(second.serial()).isEqualTo(straight);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void whoMayOwnAPrefixMayOwnWhatIsBelowIt(Kind kind) throws Exception {
        String[] rules = {
            "<deny own_prefix=\"p.q\"/>",
            "<allow own_prefix=\"p.q.in\"/>",
            "<deny own=\"p.q.in.not\"/>"
        };
        try (TestBus bus = TestBus.configured(kind, policy(rules))) {
            TestClient a = bus.connect();
            for (String free : List.of("p.qq", "p.q.in", "p.q.in.deep.er", "p.q.in.not.this")) {
                assertThat(a.tryBus(BUS, "RequestName", free, 0)).as(free).isEqualTo("return(1)");
            }
            for (String denied : List.of("p.q", "p.q.r", "p.q.inn", "p.q.in.not")) {
                assertThat(a.tryBus(BUS, "RequestName", denied, 0))
                        .as(denied)
                        .isEqualTo("AccessDenied");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aPrefixOfDestinationsCoversNamesAlsoOfQueuedOwners(Kind kind) throws Exception {
        String[] rules = {
            "<deny send_destination_prefix=\"d.d\"/>",
            "<allow send_destination_prefix=\"d.d.in\"/>",
        };
        try (TestBus bus = TestBus.configured(kind, policy(rules))) {
            TestClient a = bus.connect();
            TestClient free = bus.connect();
            TestClient denied = bus.connect();
            TestClient nested = bus.connect();
            TestClient queued = bus.connect();
            assertThat(free.query("RequestName", "d.dd", 0)).isEqualTo(1L);
            assertThat(denied.query("RequestName", "d.d.x", 0)).isEqualTo(1L);
            assertThat(nested.query("RequestName", "d.d.in.x", 0)).isEqualTo(1L);
            assertThat(arrives(a, "d.dd", free)).isTrue();
            assertThat(arrives(a, "d.d.x", denied)).isFalse();
            assertThat(arrives(a, denied.name(), denied)).as("by its other name").isFalse();
            assertThat(arrives(a, "d.d.in.x", nested)).isTrue();

            assertThat(queued.query("RequestName", "o.o", 0)).isEqualTo(1L);
            assertThat(arrives(a, "o.o", queued)).isTrue();
            assertThat(queued.query("RequestName", "d.d.x", 0)).isEqualTo(2L);
            assertThat(arrives(a, "o.o", queued)).as("while it waits for a name").isFalse();
            assertThat(queued.query("ReleaseName", "d.d.x")).isEqualTo(1L);
            assertThat(arrives(a, "o.o", queued)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void descriptorsAreCountedByTheirRules(Kind kind) throws Exception {
        String[] rules = {
            "<deny send_interface=\"f.AtLeastTwo\" send_type=\"signal\" min_fds=\"2\"/>",
            "<deny send_interface=\"f.AtMostOne\" send_type=\"signal\" max_fds=\"1\"/>",
            "<deny receive_interface=\"f.GetsTwo\" receive_type=\"signal\" min_fds=\"2\""
                    + " max_fds=\"2\"/>",
        };
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd one = pipe[0];
                Fd other = pipe[1];
                TestBus bus = TestBus.configured(kind, policy(rules))) {
            assertThat(other.isOpen()).isTrue();
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            List<String> arrived = new ArrayList<>();
            for (String by : List.of("f.AtLeastTwo", "f.AtMostOne", "f.GetsTwo")) {
                for (int count = 0; count < 4; count++) {
                    Fd[] fds = new Fd[count];
                    Arrays.fill(fds, one);
                    MessageWriter signal = a.writer().signal("/p", by, "S").destination(b.name());
                    int ignored = a.send(count == 0 ? signal : signal.unixFds(count), fds);
                }
            }
            var _ = a.messages();
            for (Message got : b.messages()) {
                arrived.add(got.interfaceName() + " " + got.descriptors().size());
                got.close();
            }

            assertThat(arrived)
                    .containsExactly(
                            "f.AtLeastTwo 0",
                            "f.AtLeastTwo 1",
                            "f.AtMostOne 2",
                            "f.AtMostOne 3",
                            "f.GetsTwo 0",
                            "f.GetsTwo 1",
                            "f.GetsTwo 3");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void whoGoesAndWhoIsSilentAreBothNoReplyAndToldApart(Kind kind) throws Exception {
        String limit = "<limit name=\"reply_timeout\">300</limit>";
        try (TestBus bus = TestBus.configured(kind, limit + policy())) {
            TestClient a = bus.connect();
            TestClient silent = bus.connect();
            TestClient going = bus.connect();
            int toGoing = a.send(a.call(going.name(), "M"));
            assertThat(going.read().member()).isEqualTo("M");
            going.close();
            Message gone = a.answer(toGoing);
            Message late = a.answer(a.send(a.call(silent.name(), "M")));

            assertThat(a.describe(gone)).isEqualTo("NoReply");
            assertThat(a.describe(late)).isEqualTo("NoReply");
            assertThat((String) gone.values().getFirst())
                    .containsAnyOf("went away", "disconnected")
                    .isNotEqualTo(late.values().getFirst());
            assertThat((String) late.values().getFirst()).containsAnyOf("in time", "timeout");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void thousandsOfCallsAtOnceAreAnsweredHoweverLittleIsReadAhead(Kind kind) throws Exception {
        String limits =
                """
                <limit name="max_incoming_bytes">1</limit>
                <limit name="max_replies_per_connection">2000</limit>
                """;
        try (TestBus bus = TestBus.configured(kind, limits + policy())) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int count = 2_000;
            Thread caller = Thread.ofVirtual().start(() -> callEach(a, b.name(), count));
            Thread echo = Thread.ofVirtual().start(() -> echoEach(b, count));
            for (int i = 0; i < count; i++) {
                assertThat(a.describe(a.read())).isEqualTo("return(" + i + ")");
            }
            caller.join();
            echo.join();
        }
    }

    private static void callEach(TestClient a, String to, int count) {
        try {
            for (int i = 0; i < count; i++) {
                int ignored = a.send(TestClient.body(a.call(to, "Echo"), i));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void echoEach(TestClient b, int count) {
        try {
            for (int i = 0; i < count; i++) {
                Message call = b.read();
                var reply =
                        b.writer()
                                .methodReturn(call.serial())
                                .destination(String.valueOf(call.sender()));
                int value = ((Long) call.values().getFirst()).intValue();
                int ignored = b.send(TestClient.body(reply, value));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int environment(TestClient a) throws InterruptedException {
        return a.send(
                a.toBus(BUS, "UpdateActivationEnvironment")
                        .body("a{ss}")
                        .beginArray()
                        .beginDictEntry()
                        .putString("COLOUR")
                        .putString("blue")
                        .endDictEntry()
                        .endArray()
                        .end());
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    @Needs(root = true)
    void theEnvironmentIsNotForOthersWhateverThePolicySays(Kind kind) throws Exception {
        try (TestBus bus = TestBus.configured(kind, policy())) {
            TestClient root = bus.connect();
            bus.letOthersIn();
            AtomicReference<TestClient> connected = new AtomicReference<>();
            AsUser.nobody(() -> connected.set(bus.connect()));
            TestClient nobody = connected.get();

            assertThat(nobody.describe(nobody.answer(environment(nobody))))
                    .isEqualTo("AccessDenied");
            assertThat(root.describe(root.answer(environment(root)))).isEqualTo("return");
        }
    }

    @Test
    @Needs(root = true)
    void theEnvironmentIsForTheUserOfTheBusWhoeverThatIs() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            AtomicReference<TestClient> own = new AtomicReference<>();
            AsUser.nobody(() -> own.set(bus.connect())); // the first client opens the bus
            bus.letOthersIn();
            AtomicReference<TestClient> other = new AtomicReference<>();
            AsUser.of(OTHER_USER, () -> other.set(bus.connect()));
            TestClient root = bus.connect();

            for (TestClient allowed : List.of(own.get(), root)) {
                assertThat(allowed.describe(allowed.answer(environment(allowed))))
                        .isEqualTo("return");
            }
            assertThat(other.get().describe(other.get().answer(environment(other.get()))))
                    .isEqualTo("AccessDenied");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void whatForksOrExitsAtOnceLosesNoMessage(Kind kind) throws Exception {
        for (int i = 0; i < 10; i++) {
            offer("s.s" + i); // each exits at once with 0: it may have forked
        }
        try (TestBus bus = TestBus.configured(kind, services() + policy())) {
            TestClient a = bus.connect();
            for (int i = 0; i < 10; i++) {
                String name = "s.s" + i;
                int call = a.send(a.call(name, "M"));
                Await.until(() -> Files.exists(trace(name)));
                TestClient service = bus.connect();
                assertThat(service.query("RequestName", name, 0)).isEqualTo(1L);
                Message got = service.read();
                while (!"M".equals(got.member())) {
                    got = service.read();
                }
                int ignored =
                        service.send(
                                service.writer().methodReturn(got.serial()).destination(a.name()));
                assertThat(a.describe(a.answer(call))).isEqualTo("return");
                service.close();
            }
        }
    }
}
