package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;

/** What the bus passes on is what was sent, however unusual or long. */
@Timeout(120)
class RelayingTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int FIELDS_LENGTH = 12; // its offset in a message
    private static final int FIELDS = 16;
    private static final int MOST_FDS = 16; // in one message
    private static final byte UNKNOWN = 77;

    private static MessageWriter call(TestClient a, TestClient b) {
        return TestClient.body(
                a.call(b.name(), "M").flags(MessageFlags.NO_REPLY_EXPECTED), "end-of-body");
    }

    /** Returns the message with one more header field, a string. */
    private static byte[] withField(byte[] message, String text) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        int fieldsEnd = FIELDS + in.getInt(FIELDS_LENGTH);
        int body = fieldsEnd + 7 & -8;
        ByteBuffer out = ByteBuffer.allocate(message.length + 100).order(ByteOrder.LITTLE_ENDIAN);
        out.put(message, 0, fieldsEnd).position(body);
        out.put(UNKNOWN).put((byte) 1).put((byte) 's').put((byte) 0);
        out.putInt(text.length()).put(text.getBytes(ISO_8859_1)).put((byte) 0);
        out.putInt(FIELDS_LENGTH, out.position() - FIELDS);
        out.position(out.position() + 7 & -8);
        out.put(message, body, message.length - body);
        return Arrays.copyOf(out.array(), out.position());
    }

    /** Returns everything that arrives, up to the end of the body. */
    private static String raw(TestClient client) throws InterruptedException {
        StringBuilder got = new StringBuilder();
        ByteBuffer into = ByteBuffer.allocate(4_096);
        while (got.indexOf("end-of-body") < 0) {
            assertThat(Readiness.await(client.socket().fd(), Readiness.IN, LIMIT))
                    .isNotEqualTo(Readiness.NONE);
            int n = client.socket().tryReceive(into.clear());
            assertThat(n).isPositive();
            got.append(new String(into.array(), 0, n, ISO_8859_1));
        }
        return got.toString();
    }

    @EveryBus
    void anUnknownHeaderFieldIsLeftOutOrPassedOnWhole(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int length = 1; length < 18; length++) {
            String text = "?".repeat(length) + "unknown";
            a.sendBytes(withField(TestClient.bytes(99, call(a, b)), text));
            String got = raw(b);

            assertThat(got.contains(text)).isEqualTo(bus.isBroker());
            a.sendBytes(withField(TestClient.bytes(99, call(a, b)), text));
            Message message = b.read();
            assertThat(b.describe(message)).isEqualTo("M(end-of-body)");
            assertThat(message.sender()).isEqualTo(a.name());
            assertThat(message.interfaceName()).isEqualTo("i.f");
            assertThat(message.serial()).isEqualTo(99);
        }
    }

    @EveryBus
    void aKnownFieldUnderAnUnknownCodeIsNoneOfThem(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        byte[] bytes = TestClient.bytes(99, call(a, b));
        int at = FIELDS;
        while (bytes[at] != 2) { // removes the interface, which a call may lack
            at += 8;
        }
        assertThat(new String(bytes, at, 16, ISO_8859_1)).contains("i.f");
        bytes[at] = UNKNOWN;
        a.sendBytes(bytes);
        Message got = b.read();

        assertThat(got.interfaceName()).isNull();
        assertThat(got.sender()).isEqualTo(a.name());
        assertThat(b.describe(got)).isEqualTo("M(end-of-body)");
    }

    @EveryBus
    void aMessageThatOnlySaysTheOtherByteOrderEndsItsSenderAlone(TestBus bus) throws Exception {
        TestClient other = bus.connect();
        TestClient little = bus.connect();
        TestClient big = bus.silent().authenticate(true).bigEndian().hello();
        for (TestClient a : new TestClient[] {little, big}) {
            for (MessageWriter message : new MessageWriter[] {call(a, other), a.signal("S")}) {
                byte[] bytes = TestClient.bytes(99, message);
                bytes[0] = (byte) (bytes[0] == 'l' ? 'B' : 'l');
                TestClient sender = a == little ? bus.connect() : a;
                sender.sendBytes(bytes);
                assertThat(sender.untilClosed()).isEmpty();
                if (a == big) {
                    break; // it was only to send one message
                }
            }
        }
        assertThat(other.heard()).isEmpty();
        HostileTest.assertPings(other, bus.connect());
    }

    @EveryBus
    void thousandsOfMessagesPassASlowReaderInOrder(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int count = 2_000;
        byte[] body = new byte[5_000];
        long before = bus.isOurs() ? bus.metrics().bufferBytes() : 0;
        int read = 0;
        for (int sent = 0; sent < count; sent++) {
            int ignored = a.send(TestClient.body(a.signal("S").destination(b.name()), sent, body));
            if (sent % 3 == 0) {
                assertThat(b.read().values().getFirst()).isEqualTo((long) read++);
            }
            if (bus.isOurs() && sent % 100 == 0) {
                long unread = (sent - read + 1) * (body.length + 200L);
                assertThat(bus.metrics().bufferBytes()).isLessThan(before + unread + (1 << 20));
            }
        }
        while (read < count) {
            assertThat(b.read().values().getFirst()).isEqualTo((long) read++);
        }
        assertThat(a.heard()).isEmpty();
        if (bus.isOurs()) {
            assertThat(bus.metrics().bufferBytes()).isEqualTo(before);
        }
    }

    @EveryBus
    void floodsOfDescriptorsUpToTheLimitArriveWhole(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd one = pipe[0];
                Fd other = pipe[1]) {
            for (int each : new int[] {MOST_FDS / 2, MOST_FDS / 2 + 1, MOST_FDS}) {
                Fd[] fds = new Fd[each];
                Arrays.fill(fds, one);
                fds[each - 1] = other;
                for (int i = 0; i < 50; i++) {
                    int ignored = a.send(carrying(a, b, each), fds);
                    if (i % 4 == 3) {
                        takeFour(b, each);
                    }
                }
                takeTwo(b, each);
            }
            assertThat(a.heard()).isEmpty();
        }
    }

    private static void takeFour(TestClient b, int each) throws InterruptedException {
        takeTwo(b, each);
        takeTwo(b, each);
    }

    private static void takeTwo(TestClient b, int each) throws InterruptedException {
        for (int i = 0; i < 2; i++) {
            try (Message got = b.read()) {
                assertThat(got.descriptors()).hasSize(each);
            }
        }
    }

    private static MessageWriter carrying(TestClient a, TestClient b, int count) {
        return a.signal("S").destination(b.name()).unixFds(count);
    }

    @EveryBus
    void overTheLimitOfDescriptorsTheSenderAloneGoes(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_BROKER, "has no such limit");
        TestClient b = bus.connect();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd one = pipe[0];
                Fd other = pipe[1]) {
            assertThat(other.isOpen()).isTrue();
            for (int over : new int[] {1, 2, MOST_FDS + 1}) {
                TestClient a = bus.connect();
                Fd[] fds = new Fd[MOST_FDS + over];
                Arrays.fill(fds, one);
                ByteArrayOutputStream both = new ByteArrayOutputStream();
                both.writeBytes(TestClient.bytes(1, carrying(a, b, fds.length)));
                int ignored =
                        a.socket().send(ByteBuffer.wrap(both.toByteArray()), Arrays.asList(fds));

                assertThat(a.untilClosed()).as("%d over", over).isEmpty();
            }
        }
        assertThat(b.heard()).isEmpty();
        assertThat(b.tryBus(BUS, "GetId")).startsWith("return");
    }
}
