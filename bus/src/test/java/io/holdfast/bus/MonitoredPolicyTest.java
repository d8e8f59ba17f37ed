package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.wire.Message;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A monitor sees what the policy forbids, and the errors that the sender receives. */
@Timeout(60)
@Needs(programs = "dbus-daemon")
class MonitoredPolicyTest {
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    private static final String POLICY =
            """
            <policy context="default">
              <allow user="*"/>
              <allow own="*"/>
              <allow send_destination="*" eavesdrop="true"/>
              <allow eavesdrop="true"/>
              <deny send_type="signal" send_interface="f.Send"/>
              <deny send_type="method_call" send_interface="f.Send"/>
              <deny receive_type="signal" receive_interface="f.Receive"/>
              <deny receive_type="method_call" receive_interface="f.Receive"/>
              <deny send_requested_reply="true" send_type="error" send_error="f.Send"/>
            </policy>
            """;

    @TempDir private Path folder;

    private static TestClient monitor(TestBus bus) throws InterruptedException {
        TestClient monitor = bus.connect();
        List<String> rules =
                List.of(
                        "path='/p'",
                        "type='error'",
                        "type='method_return',sender='" + BUS + "'",
                        "eavesdrop='true',member='LastOfAll'",
                        "eavesdrop='false',member='LastOfAll'");
        assertThat(monitor.tryBus(MONITORING, "BecomeMonitor", rules, 0)).isEqualTo("return");
        var _ = monitor.read(); // NameLost
        return monitor;
    }

    /** Returns the messages to or from the client, up to its last one. */
    private static List<String> seen(TestClient monitor, TestClient of) throws Exception {
        int ignored = of.send(of.signal("LastOfAll"));
        List<String> seen = new ArrayList<>();
        while (true) {
            Message one = monitor.read();
            if ("LastOfAll".equals(one.member())) {
                return seen;
            }
            if (!"return".equals(monitor.describe(one).replaceAll("\\(.*", ""))) {
                seen.add(
                        "%s from %s to %s"
                                .formatted(
                                        monitor.describe(one),
                                        name(one.sender(), of),
                                        name(one.destination(), of)));
            }
        }
    }

    private static String name(@org.jspecify.annotations.Nullable String name, TestClient of) {
        return of.name().equals(name) ? "a" : Objects.requireNonNullElse(name, "all");
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aBroadcastThatIsRefusedIsSeen(Kind kind) throws Exception {
        try (TestBus bus = TestBus.configured(kind, POLICY)) {
            TestClient b = bus.connect();
            assertThat(b.tryBus(BUS, "AddMatch", "path='/p'")).isEqualTo("return");
            TestClient a = bus.connect();
            TestClient monitor = monitor(bus);
            var _ = a.messages();
            int ignored = a.send(a.writer().signal("/p", "f.Send", "S"));
            assertThat(a.heard()).as("the sender gets no error for a broadcast").isEmpty();
            ignored = a.send(a.writer().signal("/p", "f.Receive", "R"));
            assertThat(a.heard()).isEmpty();

            String error = "AccessDenied from " + BUS + " to a";
            assertThat(seen(monitor, a))
                    .as("one error for each refused receiver")
                    .containsExactly("S from a to all", error, "R from a to all", error);
            assertThat(b.heard()).containsExactly("LastOfAll");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aCallThatIsRefusedIsSeenAndItsError(Kind kind) throws Exception {
        try (TestBus bus = TestBus.configured(kind, POLICY)) {
            TestClient b = bus.connect();
            TestClient a = bus.connect();
            TestClient monitor = monitor(bus);
            for (String forbidden : List.of("f.Send", "f.Receive")) {
                int call =
                        a.send(a.writer().methodCall("/p", forbidden, "M").destination(b.name()));
                assertThat(a.describe(a.answer(call))).isEqualTo("AccessDenied");
            }

            assertThat(seen(monitor, a))
                    .containsExactly(
                            "M from a to " + b.name(),
                            "AccessDenied from " + BUS + " to a",
                            "M from a to " + b.name(),
                            "AccessDenied from " + BUS + " to a");
            assertThat(b.heard()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aSignalToOneThatIsRefusedIsSeen(Kind kind) throws Exception {
        try (TestBus bus = TestBus.configured(kind, POLICY)) {
            TestClient b = bus.connect();
            TestClient a = bus.connect();
            TestClient monitor = monitor(bus);
            for (String forbidden : List.of("f.Send", "f.Receive")) {
                int ignored = a.send(a.writer().signal("/p", forbidden, "S").destination(b.name()));
            }
            assertThat(a.heard())
                    .as("only the sender of a call gets the error, as with dbus-broker")
                    .hasSize(bus.isDaemon() ? 2 : 0);

            String error = "AccessDenied from " + BUS + " to a";
            assertThat(seen(monitor, a))
                    .containsExactly(
                            "S from a to " + b.name(), error, "S from a to " + b.name(), error);
            assertThat(b.heard()).isEmpty();
        }
    }

    /**
     * dbus-daemon sends the error to the callee, and lets the caller wait; ours sends it to the
     * caller.
     */
    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aReplyThatIsRefusedIsSeenAndTheErrorToo(Kind kind) throws Exception {
        try (TestBus bus = TestBus.configured(kind, POLICY)) {
            TestClient b = bus.connect();
            TestClient a = bus.connect();
            TestClient monitor = monitor(bus);
            int call = a.send(a.writer().methodCall("/p", "f.Free", "M").destination(b.name()));
            int serial = b.read().serial();
            int reply = b.send(b.writer().error("f.Send", serial).destination(a.name()));
            String error =
                    bus.isDaemon()
                            ? b.describe(b.answer(reply)) + " from " + BUS + " to " + b.name()
                            : a.describe(a.answer(call)) + " from " + BUS + " to a";

            List<String> seen = seen(monitor, a);
            if (!bus.isDaemon()) { // monitors see the error that the callee does not receive
                assertThat(seen.remove(2))
                        .isEqualTo("AccessDenied from " + BUS + " to " + b.name());
            }
            assertThat(seen)
                    .containsExactly(
                            "M from a to " + b.name(), "f.Send from " + b.name() + " to a", error);
            assertThat(error).startsWith(bus.isDaemon() ? "AccessDenied" : "NoReply");
            assertThat(b.heard()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aMessageThatIsHeldIsSeenAsItCameAndItsReplyToo(Kind kind) throws Exception {
        Files.writeString(
                folder.resolve("s.s.service"), "[D-BUS Service]\nName=s.s\nExec=/bin/true\n");
        String services = "<servicedir>" + folder + "</servicedir>";
        try (TestBus bus = TestBus.configured(kind, services + POLICY)) {
            TestClient service = bus.connect();
            TestClient a = bus.connect();
            TestClient monitor = monitor(bus);
            int call = a.send(a.call("s.s", "Held"));
            assertThat(a.heard()).isEmpty();
            assertThat(service.query("RequestName", "s.s", 0)).isEqualTo(1L);
            Message got = service.read();
            while (!"Held".equals(got.member())) {
                got = service.read();
            }
            int ignored =
                    service.send(service.writer().methodReturn(got.serial()).destination(a.name()));
            assertThat(a.describe(a.answer(call))).isEqualTo("return");
            Message held = monitor.read();
            while (!"Held".equals(held.member())) { // messages before the service has its name
                assertThat(held.member()).isNotEqualTo("NameAcquired");
                held = monitor.read();
            }

            assertThat(seen(monitor, a)).as("when it is handed on").isEmpty();
        }
    }
}
