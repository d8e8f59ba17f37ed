package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that are slow, silent, half closed or endless harm only themselves. */
@Timeout(120)
class SlowClientsTest {
    private static TestBus limited(BusLimit limit, long value) {
        return TestBus.ours(BusConfig.permissive().withLimits(Limits.BUILT_IN.with(limit, value)));
    }

    private static void assertPings(TestClient a, TestClient b) throws InterruptedException {
        int serial = a.send(a.call(b.name(), "Ping"));
        Message call = b.read();
        int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
        assertThat(a.answer(serial).type()).isEqualTo(MessageType.METHOD_RETURN);
    }

    @EveryBus
    void silentConnectionsBlockNobody(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        for (int i = 0; i < 20; i++) {
            TestClient silent = bus.silent();
            silent.sendBytes(Arrays.copyOf(TestClient.sasl(true), i));
        }
        TestClient half = bus.connect();
        half.sendBytes(Arrays.copyOf(TestClient.bytes(1, half.toBus(BUS, "GetId")), 40));

        assertPings(a, bus.connect());
    }

    @EveryBus
    void oneThatNeverReadsSlowsNobody(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient slow = bus.connect();
        assertThat(slow.tryBus(BUS, "AddMatch", "member='S'")).isEqualTo("return");
        byte[] body = new byte[50_000];
        for (int i = 0; i < 60; i++) {
            int ignored = a.send(TestClient.body(a.signal("S"), i, body));
        }
        assertPings(a, b);
        for (int i = 0; i < 60; i++) {
            assertThat(slow.read().values().getFirst()).isEqualTo((long) i);
        }
    }

    @Test
    void whoNeverReadsIsFullAndTheSenderIsTold() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_OUTGOING_BYTES, 100_000)) {
            TestClient a = bus.connect();
            TestClient slow = bus.connect();
            TestClient other = bus.connect();
            byte[] body = new byte[20_000];
            List<Integer> calls = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                calls.add(a.send(TestClient.body(a.call(slow.name(), "M"), body)));
            }
            Message error = a.answer(calls.getLast());
            assertThat(a.describe(error)).isEqualTo("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains("max_outgoing_bytes", "of 100000 used");
            var _ = a.messages();
            assertPings(other, bus.connect());
            assertThat(a.query("NameHasOwner", slow.name())).as("it stays").isEqualTo(true);

            assertThat(slow.read().member()).isEqualTo("M");
        }
    }

    @Test
    void whoNeverReadsABroadcastIsPutOff() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_OUTGOING_BYTES, 100_000)) {
            TestClient a = bus.connect();
            TestClient slow = bus.connect();
            TestClient reader = bus.connect();
            for (TestClient client : List.of(slow, reader)) {
                assertThat(client.tryBus(BUS, "AddMatch", "member='S'")).isEqualTo("return");
            }
            byte[] body = new byte[20_000];
            int ignored;
            for (int i = 0; i < 100; i++) {
                ignored = a.send(TestClient.body(a.signal("S"), i, body));
                assertThat(reader.read().values().getFirst()).isEqualTo((long) i);
            }
            assertThat(a.query("NameHasOwner", slow.name())).isEqualTo(false);
            assertThat(a.query("NameHasOwner", reader.name())).isEqualTo(true);
        }
    }

    @EveryBus
    void whatWasSentBeforeAHalfCloseIsAnswered(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        List<Integer> calls = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            calls.add(a.send(a.toBus(BUS, "GetNameOwner", BUS)));
        }
        a.socket().shutdownOutput();

        List<Integer> answered =
                a.untilClosed().stream()
                        .map(Message::replySerial)
                        .filter(serial -> serial != 0)
                        .toList();
        if (!bus.isDaemon()) { // dbus-daemon drops its unsent messages
            assertThat(answered).isEqualTo(calls);
        }
    }

    @Test
    void whoDoesNotAuthenticateInTimeIsPutOff() throws Exception {
        try (TestBus bus = limited(BusLimit.AUTH_TIMEOUT, 200)) {
            TestClient through = bus.connect();
            TestClient silent = bus.silent();
            TestClient half = bus.silent();
            half.sendBytes("\0AUTH EXTERNAL\r\n".getBytes(US_ASCII));
            TestClient helloless = bus.silent().authenticate(true);

            assertThat(half.readLine()).isEqualTo("DATA");
            for (TestClient late : List.of(silent, half, helloless)) {
                assertThat(late.untilClosed()).isEmpty();
            }
            assertThat(through.heard()).isEmpty();
        }
    }

    @Test
    void theOneThatIsSilentForLongestMakesRoom() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_INCOMPLETE_CONNECTIONS, 4)) {
            List<TestClient> silent = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                silent.add(bus.silent().authenticate(true));
            }
            TestClient late = bus.silent().authenticate(true);

            assertThat(silent.getFirst().untilClosed()).isEmpty();
            long number = UniqueName.number(late.hello().name());
            assertThat(silent.get(1).hello().name()).isEqualTo(UniqueName.of(number + 1));
        }
    }

    @Test
    void unfinishedInputIsGivenBack() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            long before = bufferBytes(a);
            byte[] call =
                    TestClient.bytes(1, TestClient.body(a.call(a.name(), "M"), new byte[400_000]));
            for (int cut : new int[] {1, 15, 17, 1_000, 300_000}) {
                TestClient b = bus.connect();
                Thread writer =
                        Thread.ofVirtual()
                                .start(() -> {
                                    try {
                                        b.sendBytes(Arrays.copyOf(call, cut));
                                    } catch (InterruptedException e) {
                                        throw new IllegalStateException(e);
                                    }
                                });
                writer.join();
                b.close();
                while (a.query("NameHasOwner", b.name()).equals(true)) {
                    Await.pause();
                }
            }
            assertThat(bufferBytes(a)).isEqualTo(before);
        }
    }

    private static long bufferBytes(TestClient a) throws InterruptedException {
        Message reply = a.answer(a.send(a.toBus("org.freedesktop.DBus.Debug.Stats", "GetStats")));
        Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
        Variant bytes = (Variant) Objects.requireNonNull(all.get("io.holdfast.Bus.BufferBytes"));
        return (Long) bytes.value();
    }

    @EveryBus
    void aFloodOfCallsLetsOthersThrough(TestBus bus) throws Exception {
        TestClient flooder = bus.connect();
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        byte[] one = TestClient.bytes(1, flooder.toBus(BUS, "NameHasOwner", "a.b"));
        byte[] many = new byte[one.length * 200];
        for (int i = 0; i < 200; i++) {
            System.arraycopy(one, 0, many, i * one.length, one.length);
        }
        Thread flood =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                for (int i = 0; i < 20; i++) {
                                    flooder.sendBytes(many);
                                }
                            } catch (InterruptedException | RuntimeException e) {
                                // disconnected, or the test is over
                            }
                        });
        for (int i = 0; i < 20; i++) {
            assertPings(a, b);
        }
        flooder.socket().shutdown();
        flood.join();
    }

    @Test
    void hundredsOfIdleConnectionsAreHeld() throws Exception {
        try (TestBus large = limited(BusLimit.MAX_CONNECTIONS_PER_USER, 2_000)) {
            TestClient a = large.connect();
            List<TestClient> clients = new ArrayList<>();
            int count = Boolean.getBoolean("holdfast.long") ? 1_000 : 300;
            for (int i = 0; i < count; i++) {
                clients.add(large.connect());
            }
            assertThat((List<?>) a.query("ListNames")).hasSize(count + 2);
            assertPings(clients.getFirst(), clients.getLast());
            clients.forEach(TestClient::close);
            while (((List<?>) a.query("ListNames")).size() > 2) {
                Await.pause();
            }
            assertPings(a, large.connect());
        }
    }
}
