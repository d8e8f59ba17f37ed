package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SenderFieldTest {
    private static final int UNALIGNED = 3;

    /** Where the peer's own SENDER is. */
    enum Place {
        ABSENT,
        FIRST,
        MIDDLE,
        LAST
    }

    @ParameterizedTest
    @EnumSource
    void onlyTheSenderChangesWhateverItsLengthAndPlace(Place place) throws Exception {
        for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
            for (int old = 0; old < 8; old++) {
                for (int fresh = 0; fresh < 8; fresh++) {
                    for (int path = 0; path < 8; path++) {
                        relay(
                                message(order, place, old, path, false),
                                ":1." + "7".repeat(1 + fresh));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void foreignFieldsAreDropped(Place place) throws Exception {
        for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
            for (int path = 0; path < 8; path++) {
                relay(message(order, place, path, path, true), ":1.42");
            }
        }
    }

    @Test
    void aMessageWithoutFieldsGetsOne() throws Exception {
        relay(
                new MessageWriter().begin(77).serial(1).finish().toArray(ValueLayout.JAVA_BYTE),
                ":1.0");
        relay(
                new MessageWriter()
                        .begin(77)
                        .sender(":1.1")
                        .serial(1)
                        .finish()
                        .toArray(ValueLayout.JAVA_BYTE),
                ":1.0");
    }

    @Test
    void aNameThatIsNoneIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new SenderField("me"));
    }

    private static byte[] message(
            ByteOrder order, Place place, int sender, int path, boolean foreign) {
        String name = ":1." + "1".repeat(1 + sender);
        MessageWriter writer = new MessageWriter(order).begin(MessageType.SIGNAL).serial(9);
        if (place == Place.FIRST) {
            writer.sender(name);
        }
        if (foreign) {
            writer.field(200, 's').putText("of the future");
            writer.field(HeaderField.CONTAINER_INSTANCE, 'o').putText("/c");
        }
        writer.path("/" + "p".repeat(1 + path)).interfaceName("a.b");
        if (place == Place.MIDDLE) {
            writer.sender(name);
        }
        if (foreign) {
            writer.field(11, 'y').putByte(3);
        }
        writer.member("M");
        if (place == Place.LAST) {
            writer.field(HeaderField.SIGNATURE, 'g').putSignature(Signature.of("s"));
            writer.sender(name);
            MemorySegment header = writer.finish();
            return withBody(header.toArray(ValueLayout.JAVA_BYTE), order);
        }
        if (foreign) {
            writer.field(255, 't').putLong(1);
        }
        return writer.body("s").putString("hello").end().finish().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Appends a body of one string. */
    private static byte[] withBody(byte[] header, ByteOrder order) {
        WireBuffer whole = new WireBuffer(order);
        whole.putBytes(header);
        whole.putText("hello");
        whole.patchInt(4, whole.length() - header.length);
        return whole.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    private static void relay(byte[] message, String sender) throws Exception {
        SenderField field = new SenderField(sender);
        ReferenceMessage before = ReferenceMessage.parse(message);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(message.length + UNALIGNED);
            MemorySegment.copy(
                    message, 0, source, ValueLayout.JAVA_BYTE, UNALIGNED, message.length);
            MessageView view = new MessageView();
            view.read(source, UNALIGNED, message.length);
            int length = field.relayedLength(view);
            MemorySegment target = arena.allocate(length + UNALIGNED).fill((byte) 0x55);

            int header = field.writeHeader(view, target, UNALIGNED);

            assertThat(header).isEqualTo(field.headerLength(view));
            MemorySegment.copy(
                    source, view.bodyOffset(), target, UNALIGNED + header, view.bodyLength());
            byte[] relayed = target.asSlice(UNALIGNED).toArray(ValueLayout.JAVA_BYTE);
            ReferenceMessage after = ReferenceMessage.parse(relayed);
            assertThat(after.order()).isEqualTo(before.order());
            assertThat(after.type).isEqualTo(before.type);
            assertThat(after.serial).isEqualTo(before.serial);
            assertThat(after.flags).isEqualTo(before.flags);
            assertThat(after.bodyBytes).isEqualTo(before.bodyBytes);
            assertThat(after.fields.getLast().code()).isEqualTo(HeaderField.SENDER);
            assertThat(after.field(HeaderField.SENDER)).isEqualTo(sender);
            before.fields.removeIf(f ->
                    f.code() == HeaderField.SENDER || f.code() >= HeaderField.CONTAINER_INSTANCE);
            after.fields.removeLast();
            assertThat(after.fields).isEqualTo(before.fields);
        }
    }
}
