package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.dbus.wire.Message;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The traffic of a bus as a monitor sees it: every message, once, in order. */
@Timeout(120)
class MonitorTest {
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";

    private static TestClient monitor(TestBus bus, String... rules) throws InterruptedException {
        TestClient monitor = bus.connect();
        assertThat(monitor.tryBus(MONITORING, "BecomeMonitor", List.of(rules), 0))
                .isEqualTo("return");
        assertThat(monitor.describe(monitor.read())).isEqualTo("NameLost(" + monitor.name() + ")");
        return monitor;
    }

    /** Returns the next messages, without those that other tests are about. */
    private static List<String> next(TestClient monitor, int count) throws InterruptedException {
        List<String> seen = new ArrayList<>();
        while (seen.size() < count) {
            seen.add(monitor.describe(monitor.read()));
        }
        return seen;
    }

    @Test
    void aMonitorHasNoMoreRulesThanOthersMayHave() throws Exception {
        Limits limits = Limits.BUILT_IN.with(BusLimit.MAX_MATCH_RULES_PER_CONNECTION, 2);
        try (TestBus bus = TestBus.ours(BusConfig.permissive().withLimits(limits))) {
            TestClient a = bus.connect();
            List<String> rules = List.of("member='A'", "member='B'", "member='C'");
            assertThat(a.tryBus(MONITORING, "BecomeMonitor", rules, 0)).isEqualTo("LimitsExceeded");
            assertThat(a.tryBus(MONITORING, "BecomeMonitor", rules.subList(0, 2), 0))
                    .isEqualTo("return");
        }
    }

    @EveryBus
    void aClientComesAndGoes(TestBus bus) throws Exception {
        TestClient monitor = monitor(bus);
        TestClient a = bus.silent().authenticate(true);
        String name = (String) a.callBus("Hello").values().getFirst();

        assertThat(next(monitor, 4))
                .containsExactly(
                        "Hello",
                        "return(" + name + ")",
                        "NameOwnerChanged(" + name + ",," + name + ")",
                        "NameAcquired(" + name + ")");
        a.close();

        assertThat(next(monitor, 2))
                .containsExactly(
                        "NameLost(" + name + ")", "NameOwnerChanged(" + name + "," + name + ",)");
    }

    @EveryBus
    void aNameIsHandedOver(TestBus bus) throws Exception {
        TestClient monitor =
                monitor(
                        bus,
                        "member='RequestName'",
                        "member='NameOwnerChanged'",
                        "member='NameAcquired'",
                        "member='NameLost'",
                        "member='ReleaseName'");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(a.query("RequestName", "n.n", 0)).isEqualTo(1L);
        assertThat(b.query("RequestName", "n.n", 0)).isEqualTo(2L);
        assertThat(a.query("ReleaseName", "n.n")).isEqualTo(1L);
        b.close();

        String lastOfB = "NameOwnerChanged(" + b.name() + "," + b.name() + ",)";
        List<String> seen = new ArrayList<>();
        String one;
        do {
            one = monitor.describe(monitor.read());
            seen.add(one);
        } while (!one.equals(lastOfB));
        assertThat(seen.subList(seen.indexOf("RequestName(n.n,0)"), seen.size()))
                .containsExactly(
                        "RequestName(n.n,0)",
                        "NameOwnerChanged(n.n,," + a.name() + ")",
                        "NameAcquired(n.n)",
                        "RequestName(n.n,0)",
                        "ReleaseName(n.n)",
                        "NameLost(n.n)",
                        "NameOwnerChanged(n.n," + a.name() + "," + b.name() + ")",
                        "NameAcquired(n.n)",
                        "NameLost(n.n)",
                        "NameOwnerChanged(n.n," + b.name() + ",)",
                        "NameLost(" + b.name() + ")",
                        lastOfB);
    }

    @EveryBus
    void whoBecomesAMonitorLosesItsNames(TestBus bus) throws Exception {
        TestClient observer = bus.connect();
        assertThat(observer.tryBus(BUS, "AddMatch", "member='NameOwnerChanged'"))
                .isEqualTo("return");
        TestClient a = bus.connect();
        assertThat(a.query("RequestName", "n.n", 0)).isEqualTo(1L);
        var _ = observer.heard();

        assertThat(a.tryBus(MONITORING, "BecomeMonitor", List.of("member='X'"), 0))
                .isEqualTo("return");
        List<String> gone =
                List.of(
                        "NameOwnerChanged(n.n," + a.name() + ",)",
                        "NameOwnerChanged(" + a.name() + "," + a.name() + ",)");
        assertThat(observer.heard()).isEqualTo(bus.isDaemon() ? gone.reversed() : gone);
        assertThat(observer.query("NameHasOwner", a.name())).isEqualTo(false);
        a.close();
        assertThat(observer.heard()).isEmpty();
    }

    @EveryBus
    void aMonitorThatSpeaksIsPutOff(TestBus bus) throws Exception {
        TestClient monitor = monitor(bus, "member='X'", "member='X'");
        int ignored = monitor.send(monitor.toBus(BUS, "GetId"));

        assertThat(monitor.untilClosed().stream().map(Message::member)).doesNotContain("GetId");
        assertThat(bus.connect().tryBus(BUS, "NameHasOwner", monitor.name()))
                .isEqualTo("return(false)");
    }

    @EveryBus
    void badRulesAndFlagsLeaveTheClientAsItWas(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.tryBus(MONITORING, "BecomeMonitor", List.of("x"), 0))
                .isEqualTo("MatchRuleInvalid");
        assertThat(a.tryBus(MONITORING, "BecomeMonitor", List.of(), 1)).isEqualTo("InvalidArgs");
        assertThat(a.query("NameHasOwner", a.name())).isEqualTo(true);
    }

    @EveryBus
    void itSeesCallsBetweenOthersAndWhatIsRefused(TestBus bus) throws Exception {
        TestClient monitor =
                monitor(bus, "interface='i.f'", "type='method_return'", "type='error'");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int call = a.send(TestClient.body(a.call(b.name(), "M"), "x"));
        Message got = b.read();
        int ignored =
                b.send(
                        TestClient.body(
                                b.writer().methodReturn(got.serial()).destination(a.name()), "y"));
        assertThat(a.describe(a.answer(call))).isEqualTo("return(y)");
        assertThat(a.describe(a.answer(a.send(a.call("no.body", "M")))))
                .isEqualTo("ServiceUnknown");
        ignored = a.send(a.signal("S"));

        List<Message> seen = new ArrayList<>();
        do {
            seen.add(monitor.read());
        } while (!"S".equals(seen.getLast().member()));
        List<Message> ofUs =
                seen.subList(seen.stream().map(Message::member).toList().indexOf("M"), seen.size());
        assertThat(ofUs.stream().map(monitor::describe))
                .containsExactly("M(x)", "return(y)", "M", "ServiceUnknown", "S");
        assertThat(ofUs.stream().map(Message::sender))
                .containsExactly(a.name(), b.name(), a.name(), BUS, a.name());
        assertThat(ofUs.stream().map(Message::destination))
                .containsExactly(b.name(), a.name(), "no.body", a.name(), null);
    }

    @EveryBus
    void itFiltersBySenderAndDestination(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(b.query("RequestName", "b.b", 0)).isEqualTo(1L);
        TestClient from = monitor(bus, "interface='i.f',sender='" + a.name() + "'");
        TestClient to = bus.isBroker() ? from : monitor(bus, "interface='i.f',destination='b.b'");
        int ignored = a.send(a.signal("One").destination(b.name()));
        var _ = a.heard(); // the bus has handled it
        ignored = b.send(b.signal("Two"));
        ignored = b.send(b.signal("Three").destination(b.name()));
        var _ = b.heard();
        ignored = a.send(a.signal("Four"));

        assertThat(next(from, 2)).containsExactly("One", "Four");
        if (to != from) {
            assertThat(next(to, 2)).containsExactly("One", "Three");
        }
    }

    @EveryBus
    void twoMonitorsSeeTheSame(TestBus bus) throws Exception {
        TestClient one = monitor(bus, "interface='i.f'", "member='S'");
        TestClient two = monitor(bus, "member='S'");
        TestClient a = bus.connect();
        for (int i = 0; i < 100; i++) {
            int ignored = a.send(TestClient.body(a.signal("S"), i));
        }

        assertThat(next(one, 100)).isEqualTo(next(two, 100)).startsWith("S(0)").endsWith("S(99)");
    }
}
