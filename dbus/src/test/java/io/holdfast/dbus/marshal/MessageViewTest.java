package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class MessageViewTest {
    private static final int MAX = WireLimits.MAX_MESSAGE;

    private final MessageView view = new MessageView();

    private static byte[] bytes(MessageWriter message) {
        return message.finish().toArray(ValueLayout.JAVA_BYTE);
    }

    private static MessageWriter anything() {
        return new MessageWriter().begin(77).serial(1);
    }

    private void read(byte[] message) {
        view.read(MemorySegment.ofArray(message), 0, message.length);
    }

    private void refused(byte[] message, String reason) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> read(message))
                .withMessage(reason);
    }

    /** Returns a message with these fields. */
    private static byte[] fields(Consumer<MessageWriter> fields) {
        MessageWriter writer = anything();
        fields.accept(writer);
        return bytes(writer);
    }

    /** Returns a message with this signature and these bytes as its body. */
    private static byte[] body(String signature, int... body) {
        WireBuffer message = new WireBuffer(ByteOrder.LITTLE_ENDIAN);
        MessageWriter writer = anything();
        writer.field(HeaderField.SIGNATURE, 'g').putSignature(Signature.of(signature));
        message.putBytes(bytes(writer));
        for (int each : body) {
            message.putByte(each);
        }
        message.patchInt(4, body.length);
        return message.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Returns the first 16 bytes of a message with the given lengths. */
    private static MemorySegment start(ByteOrder order, int fields, int body) {
        ByteBuffer start = ByteBuffer.allocate(16).order(order);
        start.put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 'l' : 'B'));
        start.put((byte) 1).put((byte) 0).put((byte) 1);
        start.putInt(body).putInt(1).putInt(fields);
        return MemorySegment.ofArray(start.array());
    }

    @Test
    void theFirst16BytesTellTheLength() {
        for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
            assertThat(MessageView.lengthOf(start(order, 0, 0), 0)).isEqualTo(16);
            assertThat(MessageView.lengthOf(start(order, 1, 0), 0)).isEqualTo(24);
            assertThat(MessageView.lengthOf(start(order, 8, 5), 0)).isEqualTo(29);
            assertThat(MessageView.lengthOf(start(order, 8, MAX - 24), 0)).isEqualTo(MAX);
            assertThat(MessageView.lengthOf(start(order, 1, MAX - 24), 0)).isEqualTo(MAX);
            assertThat(MessageView.lengthOf(start(order, 1 << 26, MAX / 2 - 16), 0)).isEqualTo(MAX);
        }
    }

    @Test
    void noMessageIsLongerThanTheLimit() {
        for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
            tooLong(
                    order,
                    8,
                    MAX - 23,
                    "header at byte 4: a message of 134217729 bytes, over 2^27");
            tooLong(
                    order,
                    9,
                    MAX - 24,
                    "header at byte 4: a message of 134217736 bytes, over 2^27");
            tooLong(order, 0, -1, "header at byte 4: a message of 4294967311 bytes, over 2^27");
            tooLong(
                    order,
                    (1 << 26) + 1,
                    0,
                    "header at byte 12: a field array of 67108865 bytes, over 2^26");
            tooLong(
                    order,
                    -8,
                    0,
                    "header at byte 12: a field array of 4294967288 bytes, over 2^26");
        }
    }

    private static void tooLong(ByteOrder order, int fields, int body, String reason) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> MessageView.lengthOf(start(order, fields, body), 0))
                .withMessage(reason);
    }

    @Test
    void whatStartsNoMessageIsRefused() {
        byte[] message = bytes(anything());

        refused(with(message, 0, 'L'), "header at byte 0: neither 'l' nor 'B' for the byte order");
        refused(with(message, 1, 0), "header at byte 1: message type 0");
        refused(with(message, 3, 2), "header at byte 3: protocol version 2, not 1");
        refused(with(message, 8, 0), "header at byte 8: serial 0");
    }

    private static byte[] with(byte[] message, int at, int value) {
        byte[] changed = message.clone();
        changed[at] = (byte) value;
        return changed;
    }

    @Test
    void eachTypeHasItsFields() {
        read(fields(_ -> {}));
        read(bytes(new MessageWriter().methodCall("/", null, "M").serial(1)));
        MessageWriter writer = new MessageWriter();
        refused(
                bytes(writer.begin(1).path("/").serial(1)),
                "header at byte 16: method_call without MEMBER");
        refused(
                bytes(writer.begin(1).member("M").serial(1)),
                "header at byte 16: method_call without PATH");
        refused(
                bytes(writer.begin(2).serial(1)),
                "header at byte 16: method_return without REPLY_SERIAL");
        refused(
                bytes(writer.error("a.b", 1).begin(3).serial(1)),
                "header at byte 16: error without ERROR_NAME");
        refused(
                bytes(writer.begin(4).path("/").member("M").serial(1)),
                "header at byte 16: signal without INTERFACE");
    }

    @Test
    void fieldsAreWhatTheyShallBe() {
        refused(
                fields(m -> {
                    m.path("/");
                    m.field(HeaderField.PATH, 'o').putText("/");
                }),
                "header field PATH at byte 32: a second time");
        refused(
                fields(m -> m.field(HeaderField.PATH, 's').putText("/")),
                "header field PATH at byte 17: not of type o");
        refused(fields(m -> m.field(0, 's').putText("")), "header at byte 16: a field of code 0");
        refused(
                fields(m -> m.field(HeaderField.PATH, 'o').putText("/a/")),
                "header field PATH at byte 24: not an object path");
        refused(
                fields(m -> m.field(HeaderField.INTERFACE, 's').putText("a")),
                "header field INTERFACE at byte 24: not an interface name");
        refused(
                fields(m -> m.field(HeaderField.MEMBER, 's').putText("a.b")),
                "header field MEMBER at byte 24: not a member name");
        refused(
                fields(m -> m.field(HeaderField.ERROR_NAME, 's').putText("")),
                "header field ERROR_NAME at byte 24: not an error name");
        refused(
                fields(m -> m.field(HeaderField.DESTINATION, 's').putText("a")),
                "header field DESTINATION at byte 24: not a bus name");
        refused(
                fields(m -> m.field(HeaderField.SENDER, 's').putText(":1")),
                "header field SENDER at byte 24: not a bus name");
        refused(
                fields(m -> m.field(HeaderField.REPLY_SERIAL, 'u').putInt(0)),
                "header field REPLY_SERIAL at byte 20: serial 0");
        refused(
                fields(m -> m.field(HeaderField.UNIX_FDS, 'u').putInt(254)),
                "header field UNIX_FDS at byte 20: 254 descriptors, over 253");
        refused(
                fields(m -> m.path("/org/freedesktop/DBus/Local")),
                "header field PATH at byte 24: a path that is reserved");
        refused(
                fields(m -> m.interfaceName("org.freedesktop.DBus.Local")),
                "header field INTERFACE at byte 24: an interface that is reserved");
        read(fields(m -> m.path("/org/freedesktop/DBus/Local/x")));
        refused(
                fields(m -> m.field(99, 'o').putText("x")),
                "header field code 99 at byte 24: not an object path");
    }

    @Test
    void inALogALongPathIsCut() {
        String path = "/x".repeat(1_000_000);
        read(bytes(new MessageWriter().methodCall(path, null, "M").serial(1)));

        assertThat(view.path()).isEqualTo(path);
        assertThat(view.toString())
                .isEqualTo("method_call serial 1 path " + path.substring(0, 255) + " […] member M");
    }

    @Test
    void foreignFieldsAreSeen() {
        read(fields(m -> m.field(99, 's').putText("x")));
        assertThat(view.hasForeignFields()).isTrue();
        read(fields(m -> m.field(HeaderField.CONTAINER_INSTANCE, 'o').putText("/c")));
        assertThat(view.hasForeignFields()).isTrue();
        read(fields(m -> m.sender(":1.1")));
        assertThat(view.hasForeignFields()).isFalse();
    }

    @Test
    void aBodyFitsItsSignature() {
        read(body("y", 1));
        read(body("b", 1, 0, 0, 0));
        read(body("yq", 1, 0, 2, 0));
        read(body("s", 1, 0, 0, 0, 'x', 0));
        read(body("g", 1, 's', 0));
        read(body("v", 1, 'y', 0, 5));
        read(body("ax", 0, 0, 0, 0, 0, 0, 0, 0));
        read(body("a(y)", 0, 0, 0, 0, 0, 0, 0, 0));
        read(body("a(y)", 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2));
        refused(body("", 1), "body at byte 24: 1 more bytes than its signature declares");
        refused(body("y"), "body at byte 24: 1 bytes needed where 0 remain");
        refused(body("y", 1, 2), "body at byte 25: 1 more bytes than its signature declares");
        refused(body("b", 2, 0, 0, 0), "body at byte 24: a boolean that is neither 0 nor 1");
        refused(body("b", 1), "body at byte 24: 4 bytes needed where 1 remain");
        refused(
                body("ab", 4, 0, 0, 0, 0, 1, 0, 0),
                "body at byte 28: a boolean that is neither 0 nor 1");
        refused(body("yq", 1, 9, 2, 0), "body at byte 25: padding that is not zero");
        refused(body("yx", 1, 0), "body at byte 25: ends within padding");
        refused(body("s", 1, 0, 0, 0, 'x', 'y'), "body at byte 29: no NUL after the text");
        refused(
                body("s", 2, 0, 0, 0, 'x', 0),
                "body at byte 24: a text of 2 bytes and a NUL where 2 remain");
        refused(
                body("s", 255, 255, 255, 255, 'x', 0),
                "body at byte 24: a text of 4294967295 bytes and a NUL where 2 remain");
        refused(body("s", 1, 0, 0, 0, 0x80, 0), "body at byte 28: not UTF-8, or with a NUL");
        refused(body("s", 1, 0, 0, 0, 0, 0), "body at byte 28: not UTF-8, or with a NUL");
        refused(body("o", 0, 0, 0, 0, 0), "body at byte 28: not an object path");
        refused(body("g", 1, '(', 0), "body at byte 26: not a signature");
        refused(body("g", 1, 's', 1), "body at byte 26: no NUL after the signature");
        refused(
                body("g", 2, 's', 0),
                "body at byte 24: a signature of 2 bytes and a NUL where 2 remain");
        refused(
                body("v", 0, 0),
                "body at byte 25: a variant's signature that is no single complete type");
        refused(
                body("v", 2, 'y', 'y', 0, 1, 1),
                "body at byte 26: a variant's signature that is no single complete type");
        refused(
                body("ai", 3, 0, 0, 0, 1, 2, 3),
                "body at byte 24: an array of 3 bytes, its elements take 4");
        refused(
                body("ai", 8, 0, 0, 0, 1, 2, 3, 4),
                "body at byte 24: an array of 8 bytes where 4 remain");
        refused(body("as", 1, 0, 0, 0, 0), "body at byte 28: 4 bytes needed where 1 remain");
        refused(body("a(y)", 0, 0, 0, 0, 0, 1, 0, 0), "body at byte 37: padding that is not zero");
        refused(body("a(y)", 0, 0, 0, 0), "body at byte 36: ends within padding");
    }

    @Test
    void anArrayHoldsAtMost64MiB() {
        try (Arena arena = Arena.ofConfined()) {
            for (int over = 0; over <= 1; over++) {
                byte[] header = body("ay");
                int length = header.length + 4 + WireLimits.MAX_ARRAY + over;
                MemorySegment memory = arena.allocate(length);
                MemorySegment.copy(header, 0, memory, ValueLayout.JAVA_BYTE, 0, header.length);
                memory.set(ValueLayout.JAVA_INT, 4, length - header.length);
                memory.set(ValueLayout.JAVA_INT, header.length, WireLimits.MAX_ARRAY + over);
                if (over == 0) {
                    view.read(memory, 0, length);
                } else {
                    assertThatExceptionOfType(ProtocolException.class)
                            .isThrownBy(() -> view.read(memory, 0, length))
                            .withMessage("body at byte 24: an array of 67108865 bytes, over 2^26");
                }
            }
        }
    }

    @Test
    void containersNestTo64() {
        read(bytes(nested(64)));
        refused(deeper(bytes(nested(64))), "body at byte 216: more than 64 containers deep");
    }

    /** Writes nested variants, with a byte in the innermost. */
    private static MessageWriter nested(int depth) {
        MessageWriter writer = anything();
        BodyWriter body = writer.body("v");
        for (int i = 1; i < depth; i++) {
            body.beginVariant(Signature.of("v"));
        }
        body.beginVariant(Signature.of("y")).putByte(1);
        for (int i = 0; i < depth; i++) {
            body.endVariant();
        }
        return body.end();
    }

    /** Wraps the body in one more variant. */
    private static byte[] deeper(byte[] message) {
        int[] body = new int[message.length - 24 + 3];
        body[0] = 1;
        body[1] = 'v';
        for (int i = 3; i < body.length; i++) {
            body[i] = message[24 + i - 3];
        }
        return body("v", body);
    }

    @Test
    void aMillionEmptyArraysOfALongTypeCostNoMoreThanOthers() {
        StringBuilder type = new StringBuilder("aa(");
        while (type.length() < 250) {
            type.append('a').append("(y)");
        }
        byte[] header = body(type.append(')').toString());
        int size = (8 << 20) - 4;
        byte[] message = Arrays.copyOf(header, header.length + 4 + size);
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        in.putInt(4, 4 + size);
        in.putInt(header.length, size);

        read(message);

        assertThat(view.argKind(0)).isEqualTo('a');
    }

    @Test
    void readingAllocatesNothing() throws Exception {
        byte[] message =
                bytes(
                        new MessageWriter()
                                .signal("/a/b", "a.b", "C")
                                .serial(1)
                                .sender(":1.3")
                                .body("sa{sv}as")
                                .putString("x")
                                .beginArray()
                                .beginDictEntry()
                                .putString("k")
                                .beginVariant(Signature.of("(ib)"))
                                .beginStruct()
                                .putInt32(1)
                                .putBoolean(true)
                                .endStruct()
                                .endVariant()
                                .endDictEntry()
                                .endArray()
                                .beginArray()
                                .endArray()
                                .end());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(message.length);
            MemorySegment.copy(message, 0, memory, ValueLayout.JAVA_BYTE, 0, message.length);
            SenderField sender = new SenderField(":1.77");
            MemorySegment target = arena.allocate(1000);
            long sum = work(memory, sender, target, 20_000);
            long before = allocated();

            sum += work(memory, sender, target, 20_000);

            // Less than a byte per message: the JIT compilers may allocate something themselves.
            assertThat(allocated() - before).isLessThan(20_000);
            assertThat(sum).isPositive();
        }
    }

    /**
     * Returns the bytes that this thread has allocated so far; by reflection, as our module does
     * not require java.management.
     */
    private static long allocated() throws ReflectiveOperationException {
        Object threads =
                Class.forName("java.lang.management.ManagementFactory")
                        .getMethod("getThreadMXBean")
                        .invoke(null);
        return (long)
                Class.forName("com.sun.management.ThreadMXBean")
                        .getMethod("getCurrentThreadAllocatedBytes")
                        .invoke(threads);
    }

    private long work(MemorySegment memory, SenderField sender, MemorySegment target, int times) {
        long sum = 0;
        for (int i = 0; i < times; i++) {
            view.read(memory, 0, MessageView.lengthOf(memory, 0));
            sum += view.argKind(2);
            sum += sender.writeHeader(view, target, 0);
            sum +=
                    MessageView.hash(
                                    memory,
                                    view.offset(HeaderField.MEMBER),
                                    view.length(HeaderField.MEMBER))
                            & 1;
        }
        return sum;
    }

    @Test
    void aHashIsTheSameWhereverTheBytesLie() {
        try (Arena arena = Arena.ofConfined()) {
            for (int length = 0; length < 40; length++) {
                byte[] text =
                        "abcdefgh.ijklmnop.qrstuvwxyz.0123456789-"
                                .substring(0, length)
                                .getBytes(StandardCharsets.US_ASCII);
                MemorySegment memory = arena.allocate(length + 3);
                MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, 3, length);
                assertThat(MessageView.hash(memory, 3, length)).isEqualTo(MessageView.hash(text));
            }
        }
        assertThat(MessageView.hash(new byte[] {'a'}))
                .isNotEqualTo(MessageView.hash(new byte[] {'b'}));
    }
}
