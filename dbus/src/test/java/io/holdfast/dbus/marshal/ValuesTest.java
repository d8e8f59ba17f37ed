package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ValuesTest {
    private static ReceivedMessage message(ByteOrder order, String signature, Object... values) {
        MessageWriter writer = new MessageWriter(order);
        BodyWriter body = writer.signal("/", "a.b", "C").serial(1).body(signature);
        Values.writeAll(body, values);
        MessageView view = new MessageView();
        view.read(writer.finish(), 0, (int) writer.finish().byteSize());
        return ReceivedMessage.of(view);
    }

    private static List<Object> roundTrip(String signature, Object... values) {
        List<Object> little = message(ByteOrder.LITTLE_ENDIAN, signature, values).values();
        List<Object> big = message(ByteOrder.BIG_ENDIAN, signature, values).values();
        assertThat(big).usingRecursiveComparison().isEqualTo(little);
        return little;
    }

    @Test
    void everyTypeComesBackAsItsJavaType() {
        Map<Object, Object> map = new LinkedHashMap<>();
        map.put("b", Variant.of("u", 4_000_000_000L));
        map.put("a", Variant.of("as", List.of("x")));
        Object[] values = {
            (byte) -1,
            (short) -2,
            65_535,
            -3,
            4_294_967_295L,
            Long.MIN_VALUE,
            -1L,
            2.5,
            true,
            "text",
            new ObjectPath("/a"),
            Signature.of("a{sv}"),
            new Handle(2),
            List.of(1, 2),
            map,
            Struct.of((byte) 1, Struct.of("in")),
            Variant.of("(si)", Struct.of("v", 1)),
            List.of(List.of("l"), List.of())
        };

        assertThat(roundTrip("ynqiuxtdbsoghaia{sv}(y(s))vaas", values)).containsExactly(values);
    }

    @Test
    void bytesAreAnArray() {
        assertThat((byte[]) roundTrip("ay", (Object) new byte[] {1, 2, 3}).getFirst())
                .containsExactly(1, 2, 3);
    }

    @Test
    void numbersOfOtherWidthsFitIfTheirValueDoes() {
        assertThat(roundTrip("yqut", 255, (byte) 7, 8, 9)).containsExactly((byte) 255, 7, 8L, 9L);
        assertThat(roundTrip("o(ss)ay", "/p", List.of("a", "b"), List.of(1)))
                .usingRecursiveComparison()
                .isEqualTo(List.of(new ObjectPath("/p"), Struct.of("a", "b"), new byte[] {1}));
    }

    @Test
    void whatDoesNotFitIsNamed() {
        refused("u", "argument 0 of 'u': the type 'u' has no -1", -1);
        refused("si", "argument 1 of 'si': the type 'i' takes no String", "a", "b");
        refused("(ss)", "argument 0 of '(ss)': a struct of 1 members, too few", Struct.of("a"));
        refused("(s)", "argument 0 of '(s)': a struct of 2 members, too many", List.of("a", "b"));
        refused("s", "2 values where 's' takes 1", "a", "b");
        refused("ss", "1 values where 'ss' takes more", "a");
        refused("a{si}", "argument 0 of 'a{si}': the type '{' takes no ListN", List.of());
        assertThatIllegalArgumentException().isThrownBy(() -> Variant.of("ss", "a"));
        assertThatIllegalArgumentException().isThrownBy(() -> new ObjectPath("a"));
    }

    private static void refused(String signature, String message, Object... values) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> message(ByteOrder.LITTLE_ENDIAN, signature, values))
                .withMessage(message);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReaderGoesThroughContainersAndPastWhatIsNotRead(boolean little) {
        BodyReader reader =
                message(
                                little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
                                "a{sv}(iax)aasq",
                                Map.of("k", Variant.of("(sa{yv})", Struct.of("x", Map.of()))),
                                Struct.of(5, List.of(6L, 7L)),
                                List.of(List.of("p", "q"), List.of("r")),
                                9)
                        .reader();

        reader.enterArray().enterDictEntry();
        assertThat(reader.readString()).isEqualTo("k");
        assertThat(reader.enterVariant()).hasToString("(sa{yv})");
        reader.enterStruct();
        assertThat(reader.type()).hasToString("s");
        reader.leave().leave().leave();
        assertThat(reader.hasNext()).isFalse();
        reader.leave().enterStruct();
        assertThat(reader.readInt32()).isEqualTo(5);
        reader.enterArray();
        assertThat(reader.readInt64()).isEqualTo(6);
        reader.leave().leave().enterArray().skip().enterArray();
        assertThat(reader.readString()).isEqualTo("r");
        assertThat(reader.hasNext()).isFalse();
        reader.leave().leave();
        assertThat(reader.readUint16()).isEqualTo(9);
        assertThat(reader.kind()).isEqualTo((char) 0);
        assertThatIllegalStateException().isThrownBy(reader::skip);
        assertThatIllegalStateException()
                .isThrownBy(reader::readByte)
                .withMessage("the next value is none, not y");
    }

    @Test
    void aValueIsReadAsWhatItIsOnly() {
        BodyReader reader = message(ByteOrder.LITTLE_ENDIAN, "a(is)", List.of()).reader();

        assertThatIllegalStateException()
                .isThrownBy(reader::readString)
                .withMessage("the next value is 'a(is)', not s");
        assertThatIllegalStateException().isThrownBy(reader::readBytes);
    }
}
