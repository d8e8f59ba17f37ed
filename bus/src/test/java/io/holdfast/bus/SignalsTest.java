package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.policy.UniqueName;
import io.holdfast.dbus.marshal.MessageWriter;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/** The receivers of a broadcast: each client with a matching rule, once. */
@Timeout(120)
class SignalsTest {
    private static TestClient listener(TestBus bus, String... rules) throws InterruptedException {
        TestClient client = bus.connect();
        for (String rule : rules) {
            assertThat(client.tryBus(BUS, "AddMatch", rule)).as(rule).isEqualTo("return");
        }
        return client;
    }

    /**
     * Returns which of these signals a client with one rule receives; $ stands for the sender's
     * name.
     */
    private static List<String> heard(TestBus bus, String rule, Sent... sent)
            throws InterruptedException {
        TestClient sender = bus.connect();
        TestClient client = listener(bus, rule.replace("$", sender.name()));
        for (Sent one : sent) {
            int ignored = sender.send(one.by(sender));
        }
        var _ = sender.callBus("GetId");
        return client.heard();
    }

    private interface Sent {
        MessageWriter by(TestClient client);
    }

    private static Sent signal(String member, Object... arguments) {
        return client ->
                arguments.length == 0
                        ? client.signal(member)
                        : TestClient.body(client.signal(member), arguments);
    }

    @EveryBus
    void anEmptyRuleHearsAll(TestBus bus) throws Exception {
        assertThat(heard(bus, "", signal("A"), signal("B", "x"))).containsExactly("A", "B(x)");
    }

    @EveryBus
    void aClientHearsOfASignalOnce(TestBus bus) throws Exception {
        TestClient a = listener(bus, "", "type='signal'", "type='signal'", "member='S'");
        int ignored = a.send(a.signal("S"));

        assertThat(a.heard()).as("its own").containsExactly("S");
    }

    @EveryBus
    void eachKeySelects(TestBus bus) throws Exception {
        assertThat(heard(bus, "member='A'", signal("A"), signal("B"))).containsExactly("A");
        assertThat(heard(bus, "interface='i.f'", signal("A"))).containsExactly("A");
        assertThat(heard(bus, "interface='i.g'", signal("A"))).isEmpty();
        assertThat(heard(bus, "path='/p'", signal("A"))).containsExactly("A");
        assertThat(heard(bus, "path='/p/q'", signal("A"))).isEmpty();
        assertThat(heard(bus, "path_namespace='/p'", signal("A"))).containsExactly("A");
        assertThat(heard(bus, "type='method_call'", signal("A"))).isEmpty();
        assertThat(heard(bus, "sender='$'", signal("A"))).containsExactly("A");
        assertThat(heard(bus, "sender='" + UniqueName.of(Long.MAX_VALUE / 100) + "'", signal("A")))
                .isEmpty();
    }

    @EveryBus
    void pathNamespacesEndAtSlashes(TestBus bus) throws Exception {
        Sent inside = client -> client.writer().signal("/p/q", "i.f", "In");
        Sent beside = client -> client.writer().signal("/pq", "i.f", "Beside");

        assertThat(heard(bus, "path_namespace='/p'", inside, beside)).containsExactly("In");
    }

    @EveryBus
    void argumentsAreComparedByTypeAndPlace(TestBus bus) throws Exception {
        assertThat(
                        heard(
                                bus,
                                "arg0='x'",
                                signal("A"),
                                signal("B", 7),
                                signal("C", "y"),
                                signal("D", "y", "x"),
                                signal("E", "x"),
                                signal("F", "x", "y")))
                .containsExactly("E(x)", "F(x,y)");
        assertThat(
                        heard(
                                bus,
                                "arg0='x',arg2='z'",
                                signal("A", "x"),
                                signal("B", "x", 1, 2),
                                signal("C", "x", "z"),
                                signal("D", "y", "y", "z"),
                                signal("E", "x", 1, "z")))
                .containsExactly("E(x,1,z)");
        assertThat(
                        heard(
                                bus,
                                "arg3='z'",
                                signal("A", List.of("q", "z"), new byte[] {1, 2, 3}, 5, "z")))
                .hasSize(1);
    }

    @EveryBus
    void pathArgumentsMatchBothWays(TestBus bus) throws Exception {
        assertThat(
                        heard(
                                bus,
                                "arg0path='/a/b/'",
                                signal("A", "/a/b/c"),
                                signal("B", "/a/"),
                                signal("C", "/a/b"),
                                signal("D", "/a/b/"),
                                signal("E", "/")))
                .containsExactly("A(/a/b/c)", "B(/a/)", "D(/a/b/)", "E(/)");
        Sent path = client -> client.signal("O").body("o").putObjectPath("/a/b/c").end();
        assertThat(heard(bus, "arg0path='/a/b/'", path)).hasSize(1);
        assertThat(heard(bus, "arg0='/a/b/c'", path)).as("not of type s").isEmpty();
    }

    @EveryBus
    void namespacesOfNamesMatch(TestBus bus) throws Exception {
        assertThat(
                        heard(
                                bus,
                                "arg0namespace='a.b'",
                                signal("A", "a.b"),
                                signal("B", "a.b.c"),
                                signal("C", "a.bc"),
                                signal("D", "a")))
                .containsExactly("A(a.b)", "B(a.b.c)");
        assertThat(heard(bus, "arg0namespace='a'", signal("A", "a.b"), signal("B", "b.a")))
                .containsExactly("A(a.b)");
    }

    @EveryBus
    void aSenderIsWhoOwnsTheName(TestBus bus) throws Exception {
        TestClient owner = bus.connect();
        TestClient queued = bus.connect();
        assertThat(owner.query("RequestName", "n.n", 0)).isEqualTo(1L);
        assertThat(owner.query("RequestName", "m.m", 0)).isEqualTo(1L);
        assertThat(queued.query("RequestName", "n.n", 0)).isEqualTo(2L);
        TestClient listener =
                listener(bus, "sender='n.n'", "sender='m.m',interface='i.f'", "sender='later.n'");
        int ignored = owner.send(owner.signal("One"));
        ignored = queued.send(queued.signal("Two"));
        var _ = owner.callBus("GetId");
        var _ = queued.callBus("GetId");
        assertThat(listener.heard()).containsExactly("One");

        assertThat(owner.query("ReleaseName", "n.n")).isEqualTo(1L);
        assertThat(owner.query("ReleaseName", "m.m")).isEqualTo(1L);
        assertThat(owner.query("RequestName", "later.n", 0)).isEqualTo(1L);
        ignored = owner.send(owner.signal("Three"));
        ignored = queued.send(queued.signal("Four"));
        var _ = owner.callBus("GetId");
        var _ = queued.callBus("GetId");
        assertThat(listener.heard()).containsExactlyInAnyOrder("Three", "Four");
    }

    @EveryBus
    void theBusTellsOfOneName(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient unique =
                listener(
                        bus,
                        "sender='" + BUS + "',member='NameOwnerChanged',arg0='" + a.name() + "'");
        TestClient known = listener(bus, "member='NameOwnerChanged',arg0='n.n'");
        TestClient never = listener(bus, "member='NameOwnerChanged',arg0='" + BUS + "'");
        assertThat(a.query("RequestName", "n.n", 0)).isEqualTo(1L);
        assertThat(a.query("RequestName", "m.m", 0)).isEqualTo(1L);
        a.close();

        assertThat(known.describe(known.read()))
                .isEqualTo("NameOwnerChanged(n.n,," + a.name() + ")");
        assertThat(known.describe(known.read()))
                .isEqualTo("NameOwnerChanged(n.n," + a.name() + ",)");
        assertThat(unique.describe(unique.read()))
                .isEqualTo("NameOwnerChanged(" + a.name() + "," + a.name() + ",)");
        assertThat(never.heard()).isEmpty();
        assertThat(known.heard()).isEmpty();
    }

    @EveryBus
    void aUnicastSignalNeedsNoRuleAndReachesNobodyElse(TestBus bus) throws Exception {
        TestClient other = listener(bus, "");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        var _ = other.heard();
        int ignored = a.send(a.signal("S").destination(b.name()));
        var _ = a.callBus("GetId");

        assertThat(b.heard()).containsExactly("S");
        assertThat(other.heard()).isEmpty();
    }

    @EveryBus
    void aRemovedRuleIsSilent(TestBus bus) throws Exception {
        TestClient a = listener(bus, "member='S'", "member='S'");
        assertThat(a.tryBus(BUS, "RemoveMatch", "member='S'")).isEqualTo("return");
        int ignored = a.send(a.signal("S"));
        assertThat(a.heard()).containsExactly("S");

        assertThat(a.tryBus(BUS, "RemoveMatch", "member='S'")).isEqualTo("return");
        ignored = a.send(a.signal("S"));
        assertThat(a.heard()).isEmpty();
    }

    @EveryBus
    void everyReceiverGetsThemInOrder(TestBus bus) throws Exception {
        TestClient[] listeners = new TestClient[10];
        for (int i = 0; i < listeners.length; i++) {
            listeners[i] = listener(bus, "interface='i.f'");
        }
        TestClient a = bus.connect();
        for (int i = 0; i < 200; i++) {
            int ignored = a.send(TestClient.body(a.signal("S"), i));
        }
        var _ = a.callBus("GetId");
        for (TestClient listener : listeners) {
            assertThat(listener.heard()).hasSize(200).startsWith("S(0)", "S(1)").endsWith("S(199)");
        }
    }
}
