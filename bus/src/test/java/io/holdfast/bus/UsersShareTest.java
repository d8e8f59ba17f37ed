package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A user who takes all that the bus gives harms neither another user nor root. */
@Timeout(120)
@Needs(root = true)
class UsersShareTest {
    private static final int ATTACKER = 61_001;
    private static final int INNOCENT = 61_002;
    private static final int SERVICE = 61_003;

    private static TestBus limited(BusLimit limit, long value) {
        return TestBus.ours(BusConfig.permissive().withLimits(Limits.BUILT_IN.with(limit, value)));
    }

    private static TestClient connect(TestBus bus, int uid) throws Exception {
        bus.letOthersIn();
        AtomicReference<TestClient> connected = new AtomicReference<>();
        AsUser.of(uid, () -> connected.set(bus.connect()));
        return Objects.requireNonNull(connected.get());
    }

    /** Answers the calls that a service receives, until it has answered a number of Pings. */
    private static void answerPings(TestClient service, int pings) throws InterruptedException {
        for (int answered = 0; answered < pings; ) {
            Message message = service.read();
            if ("Ping".equals(message.member())) {
                var answer = service.writer().methodReturn(message.serial());
                var _ = service.send(answer.destination(Objects.requireNonNull(message.sender())));
                answered++;
            }
        }
    }

    private static void assertAnswered(TestClient client, int call) throws InterruptedException {
        assertThat(client.describe(client.answer(call))).isEqualTo("return");
    }

    /** Calls a client that does not read until a call is refused. */
    private static void flood(TestClient attacker, TestClient deaf, byte[] body)
            throws InterruptedException {
        String text;
        do {
            var _ = attacker.send(TestClient.body(attacker.call(deaf.name(), "M"), body).flags(1));
            int last = attacker.send(TestClient.body(attacker.call(deaf.name(), "M"), body));
            int own = attacker.send(attacker.toBus(BUS, "GetId"));
            Message next = attacker.read();
            text = attacker.describe(next);
            assertThat(next.replySerial()).isIn(last, own);
        } while (!text.startsWith("LimitsExceeded"));
    }

    @Test
    void theCallsOfOthersReachAServiceThatAUserFloods() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_OUTGOING_BYTES, 1_000_000)) {
            TestClient root = bus.connect();
            TestClient service = connect(bus, SERVICE);
            for (int i = 0; i < 3; i++) { // of one user, over however many connections
                flood(connect(bus, ATTACKER), service, new byte[20_000]);
            }
            List<TestClient> innocents = List.of(root, connect(bus, INNOCENT));
            List<Integer> calls = new ArrayList<>();
            for (TestClient innocent : innocents) {
                for (int i = 0; i < 50; i++) {
                    calls.add(innocent.send(innocent.call(service.name(), "Ping")));
                }
            }
            answerPings(service, 100);
            for (int i = 0; i < 100; i++) {
                assertAnswered(innocents.get(i / 50), calls.get(i));
            }
        }
    }

    /** A service has one budget for all its connections. */
    @Test
    void theCallsOfOthersReachTheServicesOfOneUserAllOfWhichAUserFloods() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_BYTES_PER_USER, 4_000_000)) {
            TestClient root = bus.connect();
            TestClient innocent = connect(bus, INNOCENT);
            List<TestClient> services = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                TestClient service = connect(bus, SERVICE);
                services.add(service);
                flood(connect(bus, ATTACKER), service, new byte[20_000]);
            }
            for (TestClient service : services) {
                int ofRoot = root.send(root.call(service.name(), "Ping"));
                int ofInnocent = innocent.send(innocent.call(service.name(), "Ping"));
                answerPings(service, 2);
                assertAnswered(root, ofRoot);
                assertAnswered(innocent, ofInnocent);
            }
        }
    }

    @Test
    void noUserHasOthersDisconnectedByItsBroadcasts() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_OUTGOING_BYTES, 1_000_000)) {
            TestClient sender = bus.connect();
            List<TestClient> receivers =
                    List.of(bus.connect(), connect(bus, INNOCENT), connect(bus, INNOCENT));
            for (TestClient receiver : receivers) {
                assertThat(receiver.tryBus(BUS, "AddMatch", "type='signal'")).isEqualTo("return");
            }
            TestClient attacker = connect(bus, ATTACKER);
            for (int i = 0; i < 200; i++) {
                var _ = attacker.send(TestClient.body(attacker.signal("S"), i, new byte[20_000]));
            }
            assertThat(attacker.query("GetId")).as("all are handled").isNotNull();
            var _ = sender.send(sender.signal("Last"));
            for (TestClient receiver : receivers) {
                Message message = receiver.read();
                while (!"Last".equals(message.member())) {
                    assertThat(message.type()).isEqualTo(MessageType.SIGNAL);
                    message = receiver.read();
                }
                assertThat(sender.query("NameHasOwner", receiver.name())).isEqualTo(true);
            }
        }
    }

    /** A lost signal would leave it with a wrong view of the system. */
    @Test
    void aClientThatNeverReadsTheBroadcastsOfRootIsDisconnected() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_OUTGOING_BYTES, 1_000_000)) {
            TestClient root = bus.connect();
            TestClient deaf = connect(bus, INNOCENT);
            assertThat(deaf.tryBus(BUS, "AddMatch", "type='signal'")).isEqualTo("return");
            for (int i = 0; i < 200; i++) {
                var _ = root.send(TestClient.body(root.signal("S"), i, new byte[20_000]));
            }
            assertThat(root.query("NameHasOwner", deaf.name())).isEqualTo(false);
        }
    }

    @Test
    void rootAndOneMoreUserConnectWhenManyUsersTakeAllConnections() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_COMPLETED_CONNECTIONS, 64)) {
            TestClient root = bus.connect();
            bus.letOthersIn();
            for (int i = 0; i < 4; i++) {
                AsUser.of(
                        ATTACKER + 100 + i,
                        () -> {
                            String answer;
                            do {
                                answer = bus.silent().authenticate(true).tryBus(BUS, "Hello");
                            } while (answer.startsWith("return"));
                            assertThat(answer).isEqualTo("LimitsExceeded");
                        });
            }
            TestClient innocent = connect(bus, INNOCENT);
            for (int i = 0; i < 20; i++) {
                assertThat(bus.connect().query("NameHasOwner", innocent.name())).isEqualTo(true);
            }
            assertThat(root.query("NameHasOwner", innocent.name())).isEqualTo(true);
        }
    }

    /** The text of a rule with many argument tests, of which only the last one fails. */
    private static String slowRule(int number) {
        StringBuilder rule = new StringBuilder();
        for (int i = 0; i < ARGUMENTS - 1; i++) {
            rule.append("arg").append(i).append("path='/',");
        }
        return rule.append("arg59path='/x").append(number).append('\'').toString();
    }

    private static final int ARGUMENTS = 60;

    @Test
    void rulesThatAreSlowToTestDelayNoOther() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient root = bus.connect();
            TestClient service = connect(bus, SERVICE);
            for (int i = 0; i < 32; i++) {
                addSlowRules(connect(bus, ATTACKER), i * 512, 512);
            }
            List<TestClient> senders = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                senders.add(connect(bus, ATTACKER));
            }
            List<Thread> flood = senders.stream().map(UsersShareTest::endlessSignals).toList();
            for (int i = 0; i < 5; i++) {
                for (TestClient innocent : List.of(root, bus.connect(), connect(bus, INNOCENT))) {
                    int ping = innocent.send(innocent.call(service.name(), "Ping"));
                    answerPings(service, 1);
                    assertAnswered(innocent, ping);
                }
            }
            flood.forEach(Thread::interrupt);
        }
    }

    private static void addSlowRules(TestClient receiver, int first, int count)
            throws InterruptedException {
        for (int i = 0; i < count; i++) {
            var call = receiver.toBus(BUS, "AddMatch", slowRule(first + i));
            var _ = receiver.send(call.flags(1));
        }
        assertThat(receiver.query("GetId")).as("all are handled").isNotNull();
    }

    private static BodyWriter slowSignal(TestClient sender, int number) {
        BodyWriter body = sender.signal("S").body("s".repeat(ARGUMENTS) + "u");
        for (int i = 0; i < ARGUMENTS - 1; i++) {
            body.putString("/");
        }
        return body.putString("/y").putUint32(number);
    }

    private static Thread endlessSignals(TestClient sender) {
        byte[] signal = TestClient.bytes(9, slowSignal(sender, 0).end());
        return Thread.ofVirtual()
                .start(() -> {
                    try {
                        while (true) {
                            sender.sendBytes(signal);
                        }
                    } catch (InterruptedException | RuntimeException e) {
                        // the test is over
                    }
                });
    }

    @Test
    void messagesThatTakeSeveralTurnsStayInOrder() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient receiver = bus.connect();
            addSlowRules(receiver, 0, 8);
            TestClient other = bus.connect();
            assertThat(other.tryBus(BUS, "AddMatch", "member='S'")).isEqualTo("return");
            TestClient sender = bus.connect();
            Thread flood =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    ByteArrayOutputStream all = new ByteArrayOutputStream();
                                    for (int i = 0; i < 1_000; i++) {
                                        all.writeBytes(
                                                TestClient.bytes(9, slowSignal(sender, i).end()));
                                    }
                                    sender.sendBytes(all.toByteArray());
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            for (int i = 0; i < 1_000; i++) {
                assertThat(other.read().values().getLast()).isEqualTo((long) i);
            }
            flood.join();
            assertThat(sender.query("GetId")).isNotNull();
        }
    }
}
