package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/** The bytes of a connection, however they are split, reordered, forged or damaged. */
@Timeout(120)
class WireTest {
    @EveryBus
    void allInOneWriteIsUnderstood(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(TestClient.sasl(true));
        all.writeBytes(TestClient.bytes(1, a.toBus(BUS, "Hello")));
        for (int serial = 2; serial <= 300; serial++) {
            all.writeBytes(TestClient.bytes(serial, a.toBus(BUS, "NameHasOwner", "a.b")));
        }
        a.sendBytes(all.toByteArray());
        for (int line = 0; line < 3; line++) {
            assertThat(a.readLine()).matches("DATA|OK [0-9a-f]{32}|AGREE_UNIX_FD");
        }
        for (int serial = 1; serial <= 300; serial++) {
            assertThat(a.describe(a.answer(serial))).startsWith("return");
        }
    }

    @EveryBus
    void aConnectionMayComeByteByByte(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(TestClient.sasl(true));
        all.writeBytes(TestClient.bytes(1, a.toBus(BUS, "Hello")));
        all.writeBytes(TestClient.bytes(2, a.toBus(BUS, "NameHasOwner", "a.b")));
        for (byte b : all.toByteArray()) {
            a.sendBytes(new byte[] {b});
        }
        for (int line = 0; line < 3; line++) {
            var _ = a.readLine();
        }
        assertThat(a.describe(a.answer(2))).isEqualTo("return(false)");
    }

    @EveryBus
    void aMessageMayBeCutAnywhere(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        byte[] call = TestClient.bytes(1, a.toBus(BUS, "NameHasOwner", "a.b"));
        byte[] two = Arrays.copyOf(call, call.length * 2);
        System.arraycopy(call, 0, two, call.length, call.length);
        for (int cut = 1; cut < two.length; cut++) {
            a.sendBytes(Arrays.copyOf(two, cut));
            if (cut > call.length) {
                assertThat(a.describe(a.answer(1))).isEqualTo("return(false)");
            }
            a.sendBytes(Arrays.copyOfRange(two, cut, two.length));
            assertThat(a.describe(a.answer(1))).isEqualTo("return(false)");
            if (cut <= call.length) {
                assertThat(a.describe(a.answer(1))).isEqualTo("return(false)");
            }
        }
    }

    @EveryBus
    void whatWasAskedBeforeAMalformedMessageIsAnswered(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.writeBytes(TestClient.bytes(7, a.toBus(BUS, "NameHasOwner", "a.b")));
        byte[] malformed = TestClient.bytes(8, a.toBus(BUS, "GetId"));
        malformed[0] = 'x'; // neither byte order
        both.writeBytes(malformed);
        a.sendBytes(both.toByteArray());

        if (bus.isDaemon()) { // dbus-daemon drops its unsent messages
            var _ = a.untilClosed();
        } else {
            assertThat(a.describe(a.answer(7))).isEqualTo("return(false)");
            assertThat(a.untilClosed()).isEmpty();
        }
    }

    @EveryBus
    void bothByteOrdersTalkToEachOther(TestBus bus) throws Exception {
        TestClient little = bus.connect();
        TestClient big = bus.silent().authenticate(true).bigEndian().hello();
        assertThat(big.query("RequestName", "b.b", 0)).isEqualTo(1L);
        assertThat(big.tryBus(BUS, "AddMatch", "arg0='x'")).isEqualTo("return");
        var _ = big.heard();
        int serial = little.send(TestClient.body(little.call("b.b", "M"), "x", 0x01020304));
        Message call = big.read();
        assertThat(call.values()).isEqualTo(List.of("x", 0x01020304L));
        int ignored =
                big.send(
                        TestClient.body(
                                big.writer().methodReturn(call.serial()).destination(little.name()),
                                "y",
                                7));
        assertThat(little.describe(little.answer(serial))).isEqualTo("return(y,7)");
        ignored = little.send(TestClient.body(little.signal("S"), "x"));
        assertThat(big.describe(big.read())).isEqualTo("S(x)");
    }

    @EveryBus
    void aForgedSenderIsReplaced(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (String forged :
                List.of(
                        ":1.9",
                        ":1.0",
                        a.name(),
                        b.name(),
                        BUS,
                        "a.b",
                        ":1.123456789012345678",
                        "a.b" + ".c".repeat(100))) {
            for (int length = 0; length < 9; length++) {
                String text = "x".repeat(length);
                int ignored =
                        a.send(
                                TestClient.body(
                                        a.call(b.name(), "M" + text)
                                                .sender(forged)
                                                .flags(MessageFlags.NO_REPLY_EXPECTED),
                                        text,
                                        7));
                Message first = b.read();
                assertThat(first.sender()).isEqualTo(a.name());
                assertThat(first.member()).isEqualTo("M" + text);
                assertThat(first.values()).isEqualTo(List.of(text, 7L));

                ignored =
                        a.send(
                                TestClient.body(
                                        a.writer()
                                                .methodCall("/p", "i.f", "M")
                                                .sender(forged)
                                                .destination(b.name())
                                                .flags(MessageFlags.NO_REPLY_EXPECTED),
                                        text));
                Message second = b.read();
                assertThat(second.sender()).isEqualTo(a.name());
                assertThat(second.values()).isEqualTo(List.of(text));
            }
        }
    }

    @EveryBus
    void flagsAndLargeSerialsPassUnchanged(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        a.sendAs(-1, a.signal("S").destination(b.name()).flags(0xFF));
        Message got = b.read();
        assertThat(got.serial()).isEqualTo(-1);
        assertThat(got.flags() & MessageFlags.NO_REPLY_EXPECTED).isNotZero();
        if (!bus.isDaemon()) {
            assertThat(got.flags()).isEqualTo(0xFF);
        }
    }

    @EveryBus
    void aLargeBodyPassesWhole(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int size : new int[] {1 << 10, 32 << 10, 64 << 10, (256 << 10) + 1, 5 << 20}) {
            byte[] body = new byte[size];
            for (int i = 0; i < size; i++) {
                body[i] = (byte) (i * 31 + i / 251);
            }
            Thread writer =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    int ignored =
                                            a.send(
                                                    TestClient.body(
                                                            a.call(b.name(), "M"), body, "end"));
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            Message got = b.read();
            assertThat(got.values().getLast()).isEqualTo("end");
            assertThat((byte[]) got.values().getFirst()).isEqualTo(body);
            writer.join();
        }
    }

    @EveryBus
    void whoSendsNonsenseIsPutOffAlone(TestBus bus) throws Exception {
        TestClient other = bus.connect();
        for (Damage damage : Damage.values()) {
            TestClient a = bus.connect();
            byte[] bytes = TestClient.bytes(7, TestClient.body(a.call(other.name(), "M"), "x"));
            damage.to(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
            a.sendBytes(bytes);

            assertThat(a.untilClosed()).as(damage.toString()).isEmpty();
            assertThat(other.query("NameHasOwner", a.name()))
                    .as(damage.toString())
                    .isEqualTo(false);
        }
        assertThat(other.heard()).isEmpty();
    }

    /** A way to make a message invalid. */
    private enum Damage {
        BYTE_ORDER {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(0, (byte) 'x');
            }
        },
        TYPE {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(1, (byte) 0);
            }
        },
        VERSION {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(3, (byte) 2);
            }
        },
        LENGTH {
            @Override
            void to(ByteBuffer bytes) {
                bytes.putInt(4, 1 << 28);
            }
        },
        SERIAL {
            @Override
            void to(ByteBuffer bytes) {
                bytes.putInt(8, 0);
            }
        },
        FIELDS {
            @Override
            void to(ByteBuffer bytes) {
                bytes.putInt(12, -1);
            }
        },
        FIELD_CODE {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(16, (byte) 0);
            }
        },
        PATH {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(24, (byte) 'p');
            }
        },
        BODY {
            @Override
            void to(ByteBuffer bytes) {
                bytes.put(bytes.limit() - 1, (byte) 'x');
            }
        };

        abstract void to(ByteBuffer bytes);
    }

    @EveryBus
    void reservedNamesPutTheirSenderOff(TestBus bus) throws Exception {
        TestClient other = bus.connect();
        TestClient a = bus.connect();
        byte[] bytes =
                TestClient.bytes(
                        7,
                        a.writer()
                                .methodCall("/org/freedesktop/DBus/Locax", "i.f", "M")
                                .destination(other.name()));
        bytes[bytes.length - 1 - indexFromEnd(bytes, "Locax") + 4] = 'l';
        a.sendBytes(bytes);

        assertThat(a.untilClosed()).isEmpty();
        assertThat(other.heard()).isEmpty();
    }

    private static int indexFromEnd(byte[] bytes, String text) {
        return bytes.length
                - 1
                - new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
    }

    @EveryBus
    void aWrongFirstByteEndsTheConnection(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        a.sendBytes("AUTH EXTERNAL\r\n".getBytes(US_ASCII));

        assertThat(a.untilClosed()).isEmpty();
    }

    @EveryBus
    void anEndlessLineEndsTheConnection(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        try {
            a.sendBytes(("\0AUTH " + "x".repeat(40_000)).getBytes(US_ASCII));
        } catch (io.holdfast.core.ErrnoException e) {
            assertThat(e.errno())
                    .isIn(io.holdfast.core.Errno.EPIPE, io.holdfast.core.Errno.ECONNRESET);
        }

        assertThat(a.untilClosed()).isEmpty();
    }

    @EveryBus
    void aWrongUserIsRejectedAndMayTryAgain(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        a.sendBytes("\0AUTH EXTERNAL 3939393939\r\n".getBytes(US_ASCII));
        assertThat(a.readLine()).isEqualTo("REJECTED EXTERNAL");
        a.sendBytes("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".getBytes(US_ASCII));
        assertThat(a.readLine()).isEqualTo("DATA");
        assertThat(a.readLine()).startsWith("OK ");

        assertThat(a.hello().name()).startsWith(":1.");
    }

    @EveryBus
    void beginBeforeOkEndsTheConnection(TestBus bus) throws Exception {
        TestClient a = bus.silent();
        a.sendBytes("\0BEGIN\r\n".getBytes(US_ASCII));

        assertThat(a.untilClosed()).isEmpty();
    }
}
