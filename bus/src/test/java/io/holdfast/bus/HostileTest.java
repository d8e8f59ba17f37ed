package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.Limit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageWriter;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever one client sends, at whatever stage, two others talk on, and nothing is kept of it. */
class HostileTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");
    private static final int MESSAGES = LONG ? 10_000_000 : 20_000;
    private static final int AT_ONCE = 200;
    private static final int LONG_SECONDS = 3_600;
    private static final String STATS = "org.freedesktop.DBus.Debug.Stats";

    private final Gen gen =
            new Gen(Long.getLong("holdfast.seed", new SplittableRandom().nextLong()));

    private static void assertPings(TestClient a, TestClient b) throws InterruptedException {
        int serial = a.send(a.call(b.name(), "Ping"));
        Message call = b.read();
        while (!"Ping".equals(call.member()) || !a.name().equals(call.sender())) {
            call = b.read(); // valid messages of the other's get through
        }
        int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
        assertThat(a.describe(a.answer(serial))).isEqualTo("return");
    }

    private static long stat(TestClient a, String key) throws InterruptedException {
        Message reply = a.answer(a.send(a.toBus(STATS, "GetStats")));
        Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
        return (Long)
                ((io.holdfast.dbus.wire.Variant) Objects.requireNonNull(all.get(key))).value();
    }

    @Test
    @Timeout(LONG_SECONDS)
    void damagedMessagesDisturbNobody() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            long buffers = stat(a, "io.holdfast.Bus.BufferBytes");
            int sent = 0;
            while (sent < MESSAGES) {
                sent += attack(bus.unkept().authenticate(true).hello(), a, b);
                if (gen.chance(0.1)) {
                    assertPings(a, b);
                }
            }
            assertPings(a, b);
            assertRestored(a, 2, buffers);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
        before.awaitSameNumber();
    }

    /** Sends until it is put off or has sent enough; how much that was. */
    private int attack(TestClient client, TestClient a, TestClient b) throws InterruptedException {
        try (client) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = gen.between(1, AT_ONCE);
            for (int i = 0; i < count; i++) {
                byte[] message = TestClient.bytes(i + 1, valid(client, a, b));
                // mostly valid, so that what follows is read too
                bytes.writeBytes(gen.chance(0.02) ? damaged(message) : message);
            }
            client.sendBytes(bytes.toByteArray());
            return count;
        } catch (ErrnoException e) {
            return 1; // it was put off meanwhile
        }
    }

    private MessageWriter valid(TestClient client, TestClient a, TestClient b) {
        String to = gen.oneOf(a.name(), b.name(), client.name(), "no.body");
        return switch (gen.between(0, 5)) {
            case 0 -> client.signal("S" + gen.string("ab", 9));
            case 1 -> client.writer().methodReturn(gen.between(1, 99)).destination(to).flags(1);
            case 2 ->
                    client.toBus(
                                    gen.oneOf("org.freedesktop.DBus", "x.y"),
                                    gen.oneOf("GetId", "AddMatch", "RequestName", "Hello"),
                                    gen.string("=',abct.", 30))
                            .flags(1);
            case 3 -> client.toBus("org.freedesktop.DBus", "NameHasOwner", gen.string("a.:", 9));
            case 4 -> client.writer().error("e.E", gen.between(1, 99)).destination("no.body");
            default -> TestClient.body(client.call("no.body", "M"), gen.bytes(200)).flags(1);
        };
    }

    private byte[] damaged(byte[] message) {
        byte[] bytes = message.clone();
        for (int n = gen.between(1, 4); n > 0; n--) {
            int at = gen.between(0, bytes.length - 1);
            switch (gen.between(0, 4)) {
                case 0 -> bytes[at] ^= (byte) (1 << gen.between(0, 7));
                case 1 -> bytes[at] = (byte) gen.between(0, 255);
                case 2 -> bytes[at & ~3] = gen.oneOf((byte) 0, (byte) 1, (byte) -1, (byte) 127);
                case 3 -> bytes[gen.between(0, 15)] = (byte) gen.between(0, 255);
                default -> bytes = Arrays.copyOf(bytes, Math.max(17, at));
            }
        }
        return bytes;
    }

    @Test
    @Timeout(LONG_SECONDS)
    void noiseAtEveryStageDisturbsNobody() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            long buffers = stat(a, "io.holdfast.Bus.BufferBytes");
            for (int i = 0; i < (LONG ? 50_000 : 300); i++) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                byte[] sasl = TestClient.sasl(gen.chance(0.5));
                byte[] hello = TestClient.bytes(1, a.toBus("org.freedesktop.DBus", "Hello"));
                bytes.write(sasl, 0, gen.chance(0.5) ? sasl.length : gen.between(0, sasl.length));
                bytes.write(hello, 0, gen.chance(0.5) ? hello.length : 0);
                bytes.writeBytes(
                        gen.chance(0.3)
                                ? gen.mutate("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", "A \r\n0f")
                                        .getBytes(java.nio.charset.StandardCharsets.US_ASCII)
                                : gen.bytes(2_000));
                try (TestClient client = bus.unkept()) {
                    client.sendBytes(bytes.toByteArray());
                } catch (ErrnoException e) {
                    // it was put off meanwhile
                }
                if (i % 20 == 0) {
                    assertPings(a, b);
                }
            }
            assertRestored(a, 2, buffers);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
        before.awaitSameNumber();
    }

    @Test
    @Timeout(LONG_SECONDS)
    void clientsThatComeAndGoLeaveNothing() throws Exception {
        int most = LONG ? 1_000 : 60;
        Limits limits =
                Limits.BUILT_IN
                        .with(Limit.MAX_CONNECTIONS_PER_USER, 2_000)
                        .with(Limit.MAX_REPLIES_PER_CONNECTION, 100_000);
        try (TestBus bus = TestBus.ours(BusConfig.permissive().withLimits(limits))) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            long buffers = stat(a, "io.holdfast.Bus.BufferBytes");
            List<TestClient> clients = new ArrayList<>();
            for (int step = 0; step < most * 20; step++) {
                if (clients.size() < most && gen.chance(0.6)) {
                    TestClient client = bus.unkept();
                    if (gen.chance(0.1)) {
                        client.sendBytes(Arrays.copyOf(TestClient.sasl(true), gen.between(0, 9)));
                        client.close();
                        continue;
                    }
                    clients.add(client.authenticate(true).hello());
                }
                if (clients.isEmpty()) {
                    continue;
                }
                TestClient one = gen.oneOf(clients);
                TestClient other = gen.oneOf(clients);
                int ignored =
                        switch (gen.between(0, 4)) {
                            case 0 -> one.send(one.call(other.name(), "M"));
                            case 1 -> one.send(one.signal("S"));
                            case 2 ->
                                    one.send(
                                            one.toBus(
                                                    "org.freedesktop.DBus",
                                                    "RequestName",
                                                    "n.n" + gen.between(0, 9),
                                                    gen.between(0, 7)));
                            case 3 ->
                                    one.send(
                                            one.toBus(
                                                    "org.freedesktop.DBus",
                                                    "AddMatch",
                                                    gen.oneOf(
                                                            "member='S'",
                                                            "sender='n.n3'",
                                                            "arg0='x'")));
                            default -> {
                                clients.remove(one);
                                one.close();
                                yield 0;
                            }
                        };
                if (step % 50 == 0) {
                    assertPings(a, b);
                }
            }
            clients.forEach(TestClient::close);
            assertRestored(a, 2, buffers);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
    }

    private static void assertRestored(TestClient a, int connections, long buffers)
            throws InterruptedException {
        while (stat(a, "ActiveConnections") + stat(a, "IncompleteConnections") > connections) {
            Thread.onSpinWait();
        }
        assertThat(stat(a, "BusNames")).isEqualTo(connections);
        assertThat(stat(a, "MatchRules")).isZero();
        assertThat(stat(a, "io.holdfast.Bus.PendingReplies")).isZero();
        assertThat(stat(a, "io.holdfast.Bus.BufferBytes")).isEqualTo(buffers);
    }
}
