package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
class KnownHeaderTest {
    private final MessageView view = new MessageView();

    static Stream<byte[]> messages() {
        return Stream.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)
                .flatMap(order ->
                        Stream.of(
                                        call(order).serial(9),
                                        new MessageWriter(order).methodReturn(77).serial(9),
                                        new MessageWriter(order)
                                                .error("org.example.Error", 77)
                                                .serial(9)
                                                .destination(":1.20")
                                                .unixFds(2))
                                .map(KnownHeaderTest::withBody));
    }

    private static MessageWriter call(ByteOrder order) {
        return new MessageWriter(order)
                .methodCall("/org/example", "org.example.Interface", "Member")
                .destination("org.example.Name")
                .sender(":1.7");
    }

    private static byte[] withBody(MessageWriter writer) {
        writer.body("su").putString("text").putUint32(7);
        return bytes(writer);
    }

    private static byte[] bytes(MessageWriter writer) {
        return writer.finish().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Returns everything that a view reports about a message. */
    private static String outcome(MessageView view, byte[] message) {
        try {
            view.read(MemorySegment.ofArray(message), 0, message.length);
        } catch (ProtocolException e) {
            return e.toString();
        }
        return List.of(
                        view,
                        view.order(),
                        view.flags(),
                        view.unixFds(),
                        view.replySerial(),
                        view.bodyOffset(),
                        view.bodyLength(),
                        view.offset(HeaderField.SENDER),
                        view.hasForeignFields())
                .toString();
    }

    @ParameterizedTest
    @MethodSource("messages")
    void whateverBitDiffersAViewThatKnowsTheHeaderTellsWhatAFreshOneTells(byte[] message) {
        for (int bit = 0; bit < 8 * message.length; bit++) {
            byte[] other = message.clone();
            other[bit / 8] ^= (byte) (1 << bit % 8);
            String known = outcome(view, message);

            assertThat(outcome(view, other)).isEqualTo(outcome(new MessageView(), other));
            assertThat(outcome(view, message)).isEqualTo(known);
            assertThat(outcome(view, message)).isEqualTo(known);
        }
    }

    @Test
    void theVersionIsTheSameWhileOnlyFlagsSerialsAndTheBodyDiffer() {
        List<MessageWriter> same =
                List.of(
                        new MessageWriter().methodReturn(7).serial(1),
                        new MessageWriter().methodReturn(8).serial(2),
                        new MessageWriter().methodReturn(8).serial(2).flags(1));
        long version = -1;
        for (int i = 0; i < same.size(); i++) {
            same.get(i).body("s").putString("x".repeat(i * 9));
            byte[] message = bytes(same.get(i));
            view.read(MemorySegment.ofArray(message), 0, message.length);

            assertThat(view.headerVersion()).isEqualTo(i == 0 ? view.headerVersion() : version);
            version = view.headerVersion();
        }
    }

    @ParameterizedTest
    @MethodSource("messages")
    void theVersionIsAnotherWhateverElseDiffers(byte[] message) {
        outcome(view, message);
        int header = view.bodyOffset();
        String fields = fields(view);
        for (int bit = 0; bit < 8 * header; bit++) {
            byte[] other = message.clone();
            other[bit / 8] ^= (byte) (1 << bit % 8);
            outcome(view, message);
            long version = view.headerVersion();
            String reused = outcome(view, other);

            if (!reused.contains("ProtocolException") && !fields(view).equals(fields)) {
                assertThat(view.headerVersion()).as(reused).isNotEqualTo(version);
            }
        }
    }

    /** Returns the fields that must be equal if the version is the same. */
    private static String fields(MessageView view) {
        return Stream.of(
                        view.type(),
                        view.order(),
                        view.path(),
                        view.interfaceName(),
                        view.member(),
                        view.errorName(),
                        view.destination(),
                        view.sender(),
                        view.signature(),
                        view.unixFds())
                .map(String::valueOf)
                .collect(Collectors.joining(" "));
    }

    @Test
    void repliesThatDifferInTheirSerialsAreTold() {
        for (int serial : new int[] {1, 2, 0x7fffffff, -1}) {
            byte[] reply = bytes(new MessageWriter().methodReturn(serial).serial(serial));
            view.read(MemorySegment.ofArray(reply), 0, reply.length);

            assertThat(view.replySerial()).isEqualTo(serial);
            assertThat(view.serial()).isEqualTo(serial);
        }
    }

    @Test
    void bodiesOfOtherLengthAreTold() {
        for (int length : new int[] {3, 300, 0, 4}) {
            MessageWriter writer = call(ByteOrder.nativeOrder()).serial(1);
            writer.body("s").putString("x".repeat(length));
            byte[] message = bytes(writer);
            view.read(MemorySegment.ofArray(message), 0, message.length);

            assertThat(view.argLength(0)).isEqualTo(length);
            assertThat(view.member()).isEqualTo("Member");
        }
    }

    /** Tests lengths around the longest header that is kept: 64 words behind the first 16 bytes. */
    @Test
    void headersOfAnyLengthAreReadAgain() {
        int longest = 0;
        for (int path = 1; path < 600; path++) {
            byte[] message =
                    bytes(
                            new MessageWriter()
                                    .methodCall("/" + "x".repeat(path), null, "Member")
                                    .serial(1));
            String fresh = outcome(new MessageView(), message);

            assertThat(outcome(view, message)).isEqualTo(fresh).contains("Member");
            assertThat(outcome(view, message)).isEqualTo(fresh);
            longest = view.bodyOffset();
        }
        assertThat(longest).isGreaterThan(16 + 8 * 65);
    }
}
