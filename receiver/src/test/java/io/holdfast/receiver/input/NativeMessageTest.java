package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.journal.Field;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests the native protocol. */
class NativeMessageTest {
    private static NativeMessage parse(String text) {
        return NativeMessage.parse(text.getBytes(UTF_8), 100, 100);
    }

    private static byte[] binary(String name, long size, byte[] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes((name + "\n").getBytes(UTF_8));
        out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(size).array());
        out.writeBytes(value);
        out.write('\n');
        return out.toByteArray();
    }

    @Test
    void anEmptyLineBeginsAnotherEntry() {
        assertThat(parse("MESSAGE=a\nX=1\n\nMESSAGE=b\n\n\n").entries())
                .containsExactly(
                        java.util.List.of(Field.of("MESSAGE", "a"), Field.of("X", "1")),
                        java.util.List.of(Field.of("MESSAGE", "b")));
    }

    @Test
    void aValueMayHaveLineFeeds() {
        byte[] value = {'a', '\n', 0, (byte) 0xff};
        assertThat(NativeMessage.parse(binary("DATA", 4, value), 100, 100).entries())
                .containsExactly(java.util.List.of(Field.of("DATA", value)));
    }

    @Test
    void trustedAndInvalidNamesAreLeftOut() {
        NativeMessage message = parse("_UID=0\nlower=1\n=2\nMESSAGE=kept\n9X=3\n");
        assertThat(message.entries())
                .containsExactly(java.util.List.of(Field.of("MESSAGE", "kept")));
        assertThat(message.dropped()).isEqualTo(4);
    }

    @Test
    void aWrongSizeEndsTheMessage() {
        for (long size : new long[] {5, 3, -1, Long.MAX_VALUE, Integer.MAX_VALUE}) {
            byte[] message = binary("DATA", size, new byte[] {1, 2, 3, 4});
            assertThat(NativeMessage.parse(message, 100, 100).entries()).as("%d", size).isEmpty();
        }
    }

    @Test
    void entriesBeyondTheLimitAreLeftOut() {
        NativeMessage message = parse("X=\n\n".repeat(1_000_000));
        assertThat(message.entries()).hasSize(100);
        assertThat(message.dropped()).isEqualTo(1);
        assertThat(parse("X=\n\n".repeat(100)).dropped()).isEqualTo(0);
    }

    @Test
    void fieldsBeyondTheLimitAreLeftOut() {
        NativeMessage message =
                NativeMessage.parse("A=1\nB=2\nC=3\n\nD=4\n".getBytes(UTF_8), 2, 100);
        assertThat(message.entries()).hasSize(2);
        assertThat(message.entries().getFirst()).hasSize(2);
        assertThat(message.dropped()).isEqualTo(1);
    }

    @Test
    void anyBytesAreParsed() {
        Random random = new Random(7);
        byte[] alphabet = "A=\n_\0x".getBytes(UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] message = new byte[random.nextInt(60)];
            for (int at = 0; at < message.length; at++) {
                message[at] =
                        random.nextInt(4) == 0
                                ? (byte) random.nextInt()
                                : alphabet[random.nextInt(alphabet.length)];
            }
            assertThat(NativeMessage.parse(message, 3, 100).entries())
                    .allSatisfy(entry -> assertThat(entry).hasSizeBetween(1, 3));
        }
    }
}
