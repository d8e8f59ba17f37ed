package io.holdfast.dbus.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Descriptors are found wherever they stand among the values of a message. */
@SameOnEveryKernel
class OutgoingTest {
    private static final Fd[] PIPE = Unistd.pipe2(0);

    @AfterAll
    static void closePipe() {
        PIPE[0].close();
        PIPE[1].close();
    }

    static Stream<Arguments> values() {
        return Stream.of(
                Arguments.of("h", PIPE[0]),
                Arguments.of("ah", List.of(PIPE[0])),
                Arguments.of("(sh)", Struct.of("stdout", PIPE[0])),
                Arguments.of("(sh)", List.of("stdout", PIPE[0])),
                Arguments.of("(ibh)", List.of(1, true, PIPE[0])),
                Arguments.of("a(sh)", List.of(List.of("stdout", PIPE[0]))),
                Arguments.of("(sa{sh})", List.of("streams", Map.of("stdout", PIPE[0]))),
                Arguments.of("(sv)", List.of("stdout", new Variant(Signature.of("h"), PIPE[0]))),
                Arguments.of("a{hs}", Map.of(PIPE[0], "stdout")));
    }

    @ParameterizedTest
    @MethodSource("values")
    void aDescriptorIsFound(String signature, Object value) {
        List<Object> values = List.of(value);
        Outgoing message =
                Outgoing.signal("", "/p", "org.example.Test", "S", Signature.of(signature), values)
                        .apply(1);
        assertThat(message.descriptors()).containsExactly(PIPE[0]);
        assertThat(Outgoing.descriptorsOf(values)).containsExactly(PIPE[0]);
    }
}
