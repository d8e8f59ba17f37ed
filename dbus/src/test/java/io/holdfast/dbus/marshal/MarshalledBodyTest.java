package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@SameOnEveryKernel
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class MarshalledBodyTest {
    private static final Signature SIGNATURE = Signature.of("a(sta{sv})y");
    private static final List<Object> VALUES =
            List.of(
                    List.of(
                            Struct.of("one", 1L, Map.of("k", Variant.of("s", "v"))),
                            Struct.of("two", 2L, Map.of())),
                    (byte) 7);

    private static byte[] message(MessageWriter writer) {
        MemorySegment bytes = writer.serial(9).finish();
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void aMessageIsTheSameAsWithItsValues() {
        BodyWriter body = new MessageWriter().methodReturn(3).body(SIGNATURE);
        Values.writeAll(body, VALUES);
        byte[] expected = message(body.end());

        MarshalledBody marshalled = MarshalledBody.of(SIGNATURE, VALUES);

        MessageWriter writer = new MessageWriter();
        for (int i = 0; i < 2; i++) { // the writer can be used again afterwards
            assertThat(message(writer.methodReturn(3).body(marshalled))).containsExactly(expected);
        }
        assertThat(marshalled.length()).isPositive();
        assertThat(marshalled.signature()).isEqualTo(SIGNATURE);
    }

    @Test
    void aBodyWithoutValuesIsEmpty() {
        MarshalledBody nothing = MarshalledBody.of(Signature.EMPTY, List.of());
        assertThat(nothing.length()).isZero();
        assertThat(message(new MessageWriter().methodReturn(3).body(nothing)))
                .containsExactly(message(new MessageWriter().methodReturn(3)));
    }

    @Test
    void aBigEndianMessageTakesNone() {
        MessageWriter big = new MessageWriter(ByteOrder.BIG_ENDIAN).methodReturn(3);
        MarshalledBody marshalled = MarshalledBody.of(SIGNATURE, VALUES);

        assertThatIllegalStateException().isThrownBy(() -> big.body(marshalled));
    }

    @Test
    void valuesOfAnotherSignatureAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MarshalledBody.of(SIGNATURE, List.of("text")));
    }

    @Test
    void aMessageHasOneBody() {
        MarshalledBody marshalled = MarshalledBody.of(SIGNATURE, VALUES);
        MessageWriter writer = new MessageWriter().methodReturn(3).body(marshalled);
        assertThatIllegalStateException().isThrownBy(() -> writer.body(marshalled));
    }
}
