package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whatever a client sends, in whatever state, two other clients keep talking, and the bus keeps
 * nothing of it.
 */
class HostileTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");
    private static final int MESSAGES = LONG ? 10_000_000 : 20_000;
    private static final int AT_ONCE = 200;
    private static final int LONG_SECONDS = 3_600;

    private final Gen gen =
            new Gen(Long.getLong("holdfast.seed", new SplittableRandom().nextLong()));

    /** Asserts that one client can call the other, and gets its reply. */
    static void assertPings(TestClient a, TestClient b) throws InterruptedException {
        int serial = a.send(a.call(b.name(), "Ping"));
        Message call = b.read();
        while (!"Ping".equals(call.member()) || !a.name().equals(call.sender())) {
            call = b.read(); // valid messages of the attacker get through
        }
        int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
        assertThat(a.describe(a.answer(serial))).isEqualTo("return");
    }

    @Test
    @Timeout(LONG_SECONDS)
    void damagedMessagesDisturbNobody() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            attack(bus, MESSAGES / 10, a, b); // until all code is loaded
            Remains before = Remains.of(bus, 2);
            attack(bus, MESSAGES, a, b);
            assertPings(a, b);
            before.awaitNoMore(bus);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
    }

    /** Attacks until the bus has read so many messages; discarded ones do not count. */
    private void attack(TestBus bus, int messages, TestClient a, TestClient b)
            throws InterruptedException {
        long enough = bus.metrics().messagesIn() + messages;
        while (bus.metrics().messagesIn() < enough) {
            attack(bus.unkept().authenticate(true).hello(), a, b);
            if (gen.chance(0.1)) {
                assertPings(a, b);
            }
        }
    }

    /** Sends random messages until it is disconnected or has sent enough. */
    private void attack(TestClient client, TestClient a, TestClient b) throws InterruptedException {
        try (client) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = gen.between(1, AT_ONCE);
            for (int i = 0; i < count; i++) {
                byte[] message = TestClient.bytes(i + 1, valid(client, a, b));
                // mostly valid, so that what follows is read too
                bytes.writeBytes(gen.chance(0.02) ? damaged(message) : message);
            }
            client.sendBytes(bytes.toByteArray());
        } catch (ErrnoException e) {
            // it was disconnected meanwhile
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
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            Remains before = Remains.of(bus, 2);
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
                    // it was disconnected meanwhile
                }
                if (i % 20 == 0) {
                    assertPings(a, b);
                }
            }
            before.awaitNoMore(bus);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
    }
}
