package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/**
 * Clients that become monitors, that leave with a full queue, and that eavesdrop, as other clients
 * see it.
 */
@Timeout(120)
class MonitorLifeTest {
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";

    private static TestClient monitor(TestBus bus, String... rules) throws InterruptedException {
        TestClient monitor = bus.connect();
        assertThat(monitor.tryBus(MONITORING, "BecomeMonitor", List.of(rules), 0))
                .isEqualTo("return");
        assertThat(monitor.describe(monitor.read())).isEqualTo("NameLost(" + monitor.name() + ")");
        return monitor;
    }

    /** Returns the messages up to the first with that description. */
    private static List<String> until(TestClient monitor, String last) throws InterruptedException {
        List<String> seen = new ArrayList<>();
        do {
            seen.add(monitor.describe(monitor.read()));
        } while (!seen.getLast().equals(last));
        return seen;
    }

    @EveryBus
    void whoBecomesAMonitorGoesOnceForAnother(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient monitor = monitor(bus);
        assertThat(a.tryBus(MONITORING, "BecomeMonitor", List.of("member='X'"), 0))
                .isEqualTo("return");

        List<String> seen = until(monitor, "NameOwnerChanged(" + a.name() + "," + a.name() + ",)");
        List<String> expected =
                List.of(
                        "BecomeMonitor([member='X'],0)",
                        "return",
                        "NameLost(" + a.name() + ")",
                        "NameOwnerChanged(" + a.name() + "," + a.name() + ",)");
        assertThat(seen).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(seen).startsWith("BecomeMonitor([member='X'],0)");
        a.close();
        TestClient next = bus.connect();
        assertThat(until(monitor, "NameAcquired(" + next.name() + ")"))
                .as("no message about its end")
                .first()
                .isEqualTo("Hello");
    }

    @EveryBus
    void whoGoesWithAFullQueueGoesLikeAnyOther(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient slow = bus.connect();
        assertThat(slow.query("RequestName", "n.n", 0)).isEqualTo(1L);
        TestClient monitor = monitor(bus, "member='NameLost'", "member='NameOwnerChanged'");
        byte[] body = new byte[100_000];
        for (int i = 0; i < 20; i++) {
            int ignored = a.send(TestClient.body(a.signal("S").destination("n.n"), body));
        }
        int call = a.send(a.call("n.n", "M"));
        assertThat(a.heard()).isEmpty(); // the bus has handled it
        slow.close();

        assertThat(a.describe(a.answer(call))).isEqualTo("NoReply");
        assertThat(until(monitor, "NameOwnerChanged(" + slow.name() + "," + slow.name() + ",)"))
                .contains("NameLost(n.n)", "NameOwnerChanged(n.n," + slow.name() + ",)");
        assertThat(a.query("NameHasOwner", "n.n")).isEqualTo(false);
        HostileTest.assertPings(a, bus.connect());
    }

    @EveryBus
    void theFormerNameOfAMonitorCanBeWatchedAndIsNobodys(TestBus bus) throws Exception {
        TestClient former = bus.connect();
        assertThat(former.tryBus(MONITORING, "BecomeMonitor", List.of("member='X'"), 0))
                .isEqualTo("return");
        var _ = former.read(); // NameLost
        TestClient monitor = monitor(bus, "destination='" + former.name() + "'");
        TestClient a = bus.connect();
        assertThat(a.describe(a.answer(a.send(a.call(former.name(), "M")))))
                .isEqualTo("ServiceUnknown");
        int ignored = a.send(a.signal("X"));

        if (!bus.isBroker()) { // dbus-broker matches the rule with the destination's connection
            assertThat(monitor.describe(monitor.read())).isEqualTo("M");
        }
        assertThat(former.describe(former.read())).as("it got no call").isEqualTo("X");
    }

    @EveryBus
    void eavesdropIsAcceptedInTheRulesOfAMonitor(TestBus bus) throws Exception {
        TestClient monitor =
                monitor(bus, "eavesdrop='true',member='S'", "eavesdrop='false',member='T'");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (String member : List.of("S", "T")) {
            int ignored = a.send(a.signal(member).destination(b.name()));
        }

        assertThat(monitor.describe(monitor.read())).isEqualTo("S");
        assertThat(monitor.describe(monitor.read())).isEqualTo("T");
    }

    @EveryBus
    void onlyDbusDaemonLetsOthersThanMonitorsEavesdrop(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connect();
        assertThat(c.tryBus(BUS, "AddMatch", "eavesdrop='true',path='/p'"))
                .isEqualTo(bus.isDaemon() ? "return" : "MatchRuleInvalid");
        if (!bus.isDaemon()) {
            String rule = bus.isBroker() ? "path='/p'" : "eavesdrop='false',path='/p'";
            assertThat(c.tryBus(BUS, "AddMatch", rule)).isEqualTo("return");
        }
        int ignored = a.send(a.signal("ToAll"));
        ignored = a.send(a.signal("ToB").destination(b.name()));
        ignored = a.send(a.signal("ToC").destination(c.name()));
        assertThat(a.heard()).isEmpty();

        assertThat(c.heard())
                .as("its own once")
                .isEqualTo(
                        bus.isDaemon() ? List.of("ToAll", "ToB", "ToC") : List.of("ToAll", "ToC"));
        assertThat(b.heard()).containsExactly("ToB");
    }
}
